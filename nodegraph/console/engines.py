"""The engine that a command works with."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nodegraph import locations
from nodegraph.console.errors import UsageError
from nodegraph.errors import NodeGraphError
from nodegraph.files import INPUTS, Folders
from nodegraph.model_folders import ModelFoldersError, is_model_root, kinds_of
from nodegraph.registry import NodeRegistry
from nodegraph.system_errors import RIGHTS, system_message, system_reason

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
        pickles: whether tensors may be read from pickled files.
    """

    out: Path | None = None
    device: str = "auto"
    cache: Path | None = None
    models: tuple[Path, ...] = ()
    inputs: tuple[Path, ...] = ()
    metadata: bool = True
    pickles: bool = False

    @property
    def cache_folder(self) -> Path:
        """The cache folder that applies.

        Raises:
            UsageError: there is something else in its place.
        """
        self.check_cache()
        return self._cache_folder

    @property
    def _cache_folder(self) -> Path:
        return self.cache or locations.cache_folder()

    def check_cache(self) -> None:
        """Refuse a cache folder that is none.

        Raises:
            UsageError: there is something else in its place, or nobody may look.
        """
        folder = self._cache_folder
        try:
            wrong = folder.exists() and not folder.is_dir()
        except OSError as error:
            raise UsageError(f"the cache folder cannot be used: {system_message(error)}") from None
        if wrong:
            raise UsageError(f"the cache folder {folder} is not a folder; name one with --cache-dir")


def make_registry() -> NodeRegistry:
    """Every installed pack and the user's plugins.

    Of packs that do not load nothing is said here: see ``tell_problems``, for where it matters.
    """
    with _unlogged("nodegraph.registry"), redirect_stdout(sys.stderr):  # packs print as they are imported
        return NodeRegistry.with_plugins(locations.data_folder() / "plugins")


@contextmanager
def _unlogged(name: str) -> Iterator[None]:
    logger = logging.getLogger(name)
    logger.addFilter(_nothing)
    try:
        yield
    finally:
        logger.removeFilter(_nothing)


def _nothing(record: logging.LogRecord) -> bool:
    return False


def check_places(registry: NodeRegistry, options: EngineOptions) -> None:
    """Refuse folders that are none, or cannot be used, before anything is done with them.

    Raises:
        UsageError: one of them.
    """
    options.check_cache()
    for folder in options.inputs:
        if not folder.is_dir():
            raise UsageError(f"{folder} is not a folder")
    for folder in options.models:
        if not is_model_root(folder):
            raise UsageError(f"{folder} is not a folder, nor a YAML file that names folders of models")
        _check_paths(folder)
    kinds = {kind for node in registry.nodes() for kind in node.file_inputs.values()} - {INPUTS}
    for folder in options.models:
        _check_root(folder, kinds)
    _check_writable(options.out)


def make_folders(registry: NodeRegistry, options: EngineOptions) -> Folders:
    """The folders that the options ask for, the user's, and those that packs bring with them."""
    check_places(registry, options)
    return locations.default_folders(
        registry,
        options.cache_folder,
        output=(options.out or Path("output")).absolute(),  # a node may change the working folder
        models=options.models,
        inputs=options.inputs,
        any_path=True,
        pickles=options.pickles,
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


def _check_paths(root: Path) -> None:
    """Refuse a YAML file that names no folders before anything is looked for in it."""
    try:
        kinds_of(root)
    except ModelFoldersError as error:
        raise UsageError(str(error)) from None


def _check_root(folder: Path, kinds: Collection[str]) -> None:
    """Refuse a folder of one kind of models, such as ``gan``, where that which holds it is meant."""
    whole = folder.resolve()
    if whole.name in kinds and not any((whole / kind).is_dir() for kind in kinds):
        parent = folder.parent if folder.name == whole.name else whole.parent
        raise UsageError(
            f"--models {folder} is itself the folder of the {whole.name} models; "
            f"name the folder that holds it: --models {parent}"
        )


def _check_writable(folder: Path | None) -> None:
    """Say before the run, not after it, that its pictures could not be written."""
    if folder is None:
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise UsageError(f"--out {folder} is not a folder") from None
    except OSError as error:
        raise UsageError(f"--out {folder} cannot be made: {system_reason(error)}") from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UsageError(f"--out {folder} cannot be written: {RIGHTS}")
