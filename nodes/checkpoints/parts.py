"""Parts of checkpoints in files of their own: networks and text encoders."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from nodegraph import File
from nodegraph.errors import FileProblem
from nodes.architectures.catalogue import TEXT_ENCODERS, Found
from nodes.architectures.clip import LARGE_LAYERS
from nodes.checkpoints.configs import read_config
from nodes.checkpoints.families import FAMILIES
from nodes.checkpoints.families.family import T5, Family, Slot, make_model
from nodes.checkpoints.files import FileSource, t5_tokenizer
from nodes.checkpoints.marks import Marks
from nodes.checkpoints.recipes import DIFFUSERS_STEM, DiffusersRecipe
from nodes.checkpoints.single_file import (
    Contents,
    denoiser,
    encoder_recipe,
    encoder_width,
    load_model,
    missing_encoders,
    read_contents,
)
from nodes.checkpoints.text_encoders import TextEncodersRecipe
from nodes.types import Clip, Model
from nodes.weights.header import Header, UnknownFileError
from nodes.weights.tensors import weight_files

TextFamily = Literal["stable_diffusion", "sdxl", "sd3", "flux"]

DEEP_LAYERS = 24
"""Layers of OpenCLIP ViT-H; ViT-bigG has more."""
PARTIAL = frozenset({"sd3"})
"""Families that work with some of their text encoders."""
JOINED_WIDTH = 4096
"""Width of the text embeddings of Stable Diffusion 3 and FLUX.1, which is that of T5-XXL."""


def load_denoiser(file: File, files: FileSource) -> Model:
    """The model of a file or diffusers folder that holds a denoising network.

    Raises:
        FileProblem: it holds none of a known family; the message says what it holds instead.
    """
    path = files.path(file)
    try:
        if path.is_dir():
            return _folder_model(file, path)
        contents = read_contents(file, path)
        return load_model(contents, *denoiser(contents))
    except (FileProblem, FileNotFoundError, UnknownFileError) as problem:
        raise FileProblem(f"diffusion model {file.name!r} cannot be used: {problem}") from problem


def _folder_model(file: File, path: Path) -> Model:
    settings = read_config(path / "config.json")
    name = settings.get("_class_name")
    family = next((f for f in FAMILIES if f.network == name and f.owns(settings)), None)
    if family is None:
        known = ", ".join(sorted({family.network for family in FAMILIES}))
        raise FileProblem(f"it holds a {name or 'model of no class'}; known are {known}")
    weight_files(path, DIFFUSERS_STEM)
    marks = Marks(path, Header({}, {}, {}), "")
    settings = {"use_linear_projection": False, "guidance_embeds": False, **settings}
    training = family.training(settings, marks)
    return make_model(family, DiffusersRecipe(file, family.network), settings, training)


def load_text_encoders(chosen: Sequence[File], files: FileSource, type: TextFamily) -> Clip:
    """Text encoders, one in each file.

    Args:
        chosen: the files, in any order.
        files: where they are found.
        type: the family whose text encoders they are.

    Raises:
        FileProblem: they are not text encoders of that family; the message says what they are.
    """
    encoders = [_only_encoder(file, files) for file in chosen]
    family = _text_family(type, encoders)
    filled: dict[str, tuple[Slot, Contents, Found]] = {}
    for contents, found in encoders:
        slot = _slot(family, contents, found)
        if slot is None or slot.name in filled:
            names = " and ".join(slot.name for slot in family.slots)
            raise FileProblem(
                f"text encoder {contents.file.name!r} has no place in {family.title}, which takes {names}"
            )
        filled[slot.name] = slot, contents, found
    missing = missing_encoders(family, [slot for slot, _, _ in filled.values()])
    if missing and family.name not in PARTIAL:
        raise FileProblem(f"for {family.title} text encoder {' and '.join(missing)} is missing")
    ordered = [filled[slot.name] for slot in family.slots if slot.name in filled]
    tokenizer = t5_tokenizer(files)
    recipes = tuple((slot.name, encoder_recipe(held, at, slot, tokenizer)) for slot, held, at in ordered)
    widths = {slot.name: encoder_width(held.settings(at)) for slot, held, at in ordered}
    return Clip(TextEncodersRecipe(recipes), family.name, family.joined_width(widths) or JOINED_WIDTH)


def _only_encoder(file: File, files: FileSource) -> tuple[Contents, Found]:
    try:
        contents = read_contents(file, files.path(file))
        found = contents.first(TEXT_ENCODERS)
        if found is None:
            raise FileProblem(f"{contents.description}; a text encoder is wanted")
        contents.settings(found)
        return contents, found
    except (FileProblem, UnknownFileError) as problem:
        raise FileProblem(f"text encoder {file.name!r} cannot be used: {problem}") from problem


def _text_family(type: TextFamily, encoders: Sequence[tuple[Contents, Found]]) -> Family:
    """The family of a type; ViT-bigG alone is the refiner's."""
    name: str = "sd" if type == "stable_diffusion" else type
    if type in ("stable_diffusion", "sdxl") and len(encoders) == 1 and _layers(*encoders[0]) > DEEP_LAYERS:
        name = "sdxl_refiner"
    return next(family for family in FAMILIES if family.name == name)


def _slot(family: Family, contents: Contents, found: Found) -> Slot | None:
    slots = {slot.name: slot for slot in family.slots}
    if found.architecture == "t5":
        return slots.get(T5)
    return slots.get("l") if _layers(contents, found) <= LARGE_LAYERS else slots.get("h") or slots.get("g")


def _layers(contents: Contents, found: Found) -> int:
    return int(contents.settings(found).get("num_hidden_layers", 0))
