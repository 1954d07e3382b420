"""The engine that a command works with."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nodegraph import locations
from nodegraph.console.errors import UsageError
from nodegraph.errors import NodeGraphError
from nodegraph.files import Folders
from nodegraph.registry import NodeRegistry

if TYPE_CHECKING:
    from nodegraph.engine import Engine


@dataclass(frozen=True)
class EngineOptions:
    """What the command line says about the engine.

    Attributes:
        out: where pictures go; ``./output`` by default.
        device: ``auto`` or the name of a torch device.
        cache: where results are kept between runs.
        models: more roots to look for models in.
        inputs: more folders to look for input files in.
        metadata: whether saved pictures carry their workflow.
    """

    out: Path | None = None
    device: str = "auto"
    cache: Path | None = None
    models: tuple[Path, ...] = ()
    inputs: tuple[Path, ...] = ()
    metadata: bool = True

    @property
    def cache_folder(self) -> Path:
        """The cache folder that applies."""
        return self.cache or locations.cache_folder()


def make_registry() -> NodeRegistry:
    """Every installed pack and the user's plugins."""
    return NodeRegistry.with_plugins(locations.data_folder() / "plugins")


def make_folders(registry: NodeRegistry, options: EngineOptions) -> Folders:
    """The folders that the options ask for, the user's, and those that packs bring with them."""
    for folder in (*options.models, *options.inputs):
        if not folder.is_dir():
            raise UsageError(f"{folder} is not a folder")
    _check_writable(options.out)
    return locations.default_folders(
        registry,
        options.cache_folder,
        output=options.out,
        models=options.models,
        inputs=options.inputs,
        any_path=True,
    )


def make_engine(registry: NodeRegistry, options: EngineOptions) -> Engine:
    """The engine that the options ask for.

    Raises:
        UsageError: there is no such device or folder.
    """
    from nodegraph.engine import Engine  # not needed to list nodes, and slow to import

    try:
        return Engine.create(
            registry=registry,
            folders=make_folders(registry, options),
            cache_folder=options.cache_folder,
            device=options.device,
            metadata=options.metadata,
        )
    except NodeGraphError as error:
        raise UsageError(str(error)) from None


def _check_writable(folder: Path | None) -> None:
    """Say before the run, not after it, that its pictures could not be written."""
    if folder is None:
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--out {folder} cannot be made: {error.strerror}") from None
    if not os.access(folder, os.W_OK):
        raise UsageError(f"--out {folder} cannot be written")
