"""Where an engine keeps things unless told otherwise."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import platformdirs

from nodegraph.digests import DigestCache
from nodegraph.files import INPUTS, Folders
from nodegraph.model_folders import kinds_of
from nodegraph.registry import NodeRegistry

DISK_CACHE_BYTES = 20 << 30
MEMORY_CACHE_BYTES = 2 << 30


def cache_folder() -> Path:
    """Where results outlive the process: ``$NODEGRAPH_CACHE``, else the user's cache folder."""
    return Path(os.environ.get("NODEGRAPH_CACHE") or platformdirs.user_cache_dir("nodegraph"))


def data_folder() -> Path:
    """Where models, inputs and plugins live: ``$NODEGRAPH_HOME``, else the user's data folder."""
    return Path(os.environ.get("NODEGRAPH_HOME") or platformdirs.user_data_dir("nodegraph"))


def editor_folder() -> Path:
    """Where the built editor is: in the package, or in the checkout that the package lies in."""
    return _shipped("editor", "web/dist")


def templates_folder() -> Path:
    """Where the workflows are that users start from; likewise."""
    return _shipped("templates", "workflows")


def _shipped(packed: str, in_checkout: str) -> Path:
    """A folder that the wheel has as ``nodegraph/shipped/<packed>``; see ``setup.py``."""
    package = Path(__file__).resolve().parent
    installed = package / "shipped" / packed
    return installed if installed.is_dir() else package.parent / in_checkout


def default_folders(
    registry: NodeRegistry,
    cache: Path,
    *,
    output: Path | None = None,
    models: Iterable[Path] = (),
    inputs: Iterable[Path] = (),
    any_path: bool = False,
    pickles: bool = False,
) -> Folders:
    """The folders of an engine: those given, then the user's, then what packs bring with them.

    Args:
        registry: whose packs may bring ``models`` and ``inputs`` folders.
        cache: the cache folder, for previews and remembered digests.
        output: where pictures go; ``./output`` by default.
        models: further folders of models, searched first.
        inputs: further folders of input files, searched first.
        any_path: whether an input file may be named by its path.
        pickles: whether tensors may be read from pickled files.
    """
    data = data_folder()
    packs = [pack.folder for pack in registry.packs.values() if pack.folder]
    return Folders(
        output=output or Path("output"),
        models=(*models, data / "models", *(folder / "models" for folder in packs)),
        inputs=(*inputs, data / "inputs", *(folder / "inputs" for folder in packs)),
        temporary=cache / "previews",
        any_path=any_path,
        pickles=pickles,
        digests=DigestCache(cache / "digests.sqlite"),
    )


def folder_kinds(registry: NodeRegistry, folders: Folders) -> list[str]:
    """The kinds of model folders that nodes ask for, and those that there are."""
    asked = {folder for node in registry.nodes() for folder in node.file_inputs.values()}
    present = {kind for root in folders.models for kind in kinds_of(root)}
    return sorted((asked | present) - {INPUTS})
