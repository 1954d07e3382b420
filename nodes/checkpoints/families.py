"""Finding out what a checkpoint is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from nodegraph import File
from nodegraph.errors import FileProblem
from nodes.checkpoints.checkpoint import Checkpoint, CheckpointFamily
from nodes.checkpoints.configs import read_config
from nodes.checkpoints.stable_diffusion import StableDiffusionFolder

FAMILIES: tuple[CheckpointFamily, ...] = (StableDiffusionFolder(),)


def load_checkpoint(file: File, path: Path) -> Checkpoint:
    """The recipes of a checkpoint's parts.

    Args:
        file: the checkpoint, as recipes name it.
        path: where it lies.

    Raises:
        FileProblem: it is not a checkpoint of a known family; the message says what it is instead.
    """
    if not path.is_dir():
        raise _unknown(file.name, "a single file, not a folder")
    if not (path / "model_index.json").is_file():
        raise _unknown(file.name, "a folder without model_index.json")
    components = pipeline_components(path)
    family = next((family for family in FAMILIES if family.detect(components)), None)
    if family is None:
        found = ", ".join(f"{name} {cls}" for name, cls in sorted(components.items()))
        raise _unknown(file.name, f"a pipeline of {found or 'nothing'}")
    try:
        return family.load(file, path)
    except FileProblem as problem:
        raise FileProblem(f"checkpoint {file.name!r} cannot be used: {problem}") from problem


def pipeline_components(root: Path) -> Mapping[str, str]:
    """Class names of the components that a diffusers folder's ``model_index.json`` lists."""
    index = read_config(root / "model_index.json")
    return {
        name: entry[1]
        for name, entry in index.items()
        if isinstance(entry, list) and len(entry) == 2 and isinstance(entry[1], str)
    }


def _unknown(name: str, what: str) -> FileProblem:
    expected = " or ".join(family.description for family in FAMILIES)
    return FileProblem(f"checkpoint {name!r} is {what}; expected a diffusers folder of {expected}")
