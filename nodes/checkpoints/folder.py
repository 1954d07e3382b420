"""Checkpoints as diffusers folders."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path

from nodegraph import File
from nodegraph.errors import FileProblem
from nodes.checkpoints.card import recommended_cfg
from nodes.checkpoints.checkpoint import Checkpoint
from nodes.checkpoints.configs import Config, read_config
from nodes.checkpoints.families import FAMILIES
from nodes.checkpoints.families.family import T5, Family, Slot, make_model
from nodes.checkpoints.families.stable_diffusion import OTHER_INPUTS
from nodes.checkpoints.recipes import DIFFUSERS_STEM, TRANSFORMERS_STEM, DiffusersRecipe, TransformersRecipe
from nodes.checkpoints.scheduler import training
from nodes.checkpoints.text_encoders import ClipRecipe, T5Recipe, TextEncodersRecipe, Tokenizer
from nodes.types import Clip, Vae
from nodes.weights.tensors import weight_files

VAE, VAE_CLASS = "vae", "AutoencoderKL"
INDEX = "model_index.json"


def load_folder(file: File, root: Path) -> Checkpoint:
    """The recipes of the parts of a diffusers folder, from its configs alone.

    Raises:
        FileProblem: it is no checkpoint of a known family, or a part is missing.
    """
    components = pipeline_components(root)
    family = _family(root, components)
    _require_files(root, family, components)
    settings = read_config(root / family.component / "config.json")
    weights = DiffusersRecipe(file, family.network, family.component)
    model = make_model(
        family, weights, settings, training(read_config(root / "scheduler/scheduler_config.json"))
    )
    model = dataclasses.replace(model, cfg=recommended_cfg(root))
    encoders = tuple((slot.name, _encoder(file, slot, components)) for slot in _slots(family, components))
    widths = {slot.name: _width(root / slot.component) for slot in _slots(family, components)}
    clip = Clip(TextEncodersRecipe(encoders), family.name, family.joined_width(widths) or model.text_width)
    return Checkpoint(model, clip, _vae(file, family, read_config(root / VAE / "config.json")))


def pipeline_components(root: Path) -> Mapping[str, str]:
    """Class names of the components that a diffusers folder's ``model_index.json`` lists."""
    index = read_config(root / INDEX)
    return {
        name: entry[1]
        for name, entry in index.items()
        if isinstance(entry, list) and len(entry) == 2 and isinstance(entry[1], str)
    }


def _family(root: Path, components: Mapping[str, str]) -> Family:
    candidates = [family for family in FAMILIES if components.get(family.component) == family.network]
    fitting = [f for f in candidates if components.get(VAE) == VAE_CLASS and _has_encoders(f, components)]
    if not fitting:
        raise _unknown(components)
    settings = read_config(root / fitting[0].component / "config.json")
    family = next((family for family in fitting if family.owns(settings)), None)
    if family is None:
        others = [f"{name} is {settings[name]!r}" for name in OTHER_INPUTS if settings.get(name) is not None]
        if not others:
            raise _unknown(components)
        raise FileProblem(f"its network needs more than a prompt ({', '.join(others)})")
    return family


def _has_encoders(family: Family, components: Mapping[str, str]) -> bool:
    """Whether the text encoders that it lists are just those of the family, apart from optional ones."""
    listed = {name for name in components if name.startswith("text_encoder")}
    known = {slot.component for slot in family.slots}
    wanted = {slot.component for slot in family.slots if not slot.optional}
    return wanted <= listed <= known


def _slots(family: Family, components: Mapping[str, str]) -> Iterator[Slot]:
    """The slots of the family that are filled, one for each component."""
    seen: set[str] = set()
    for slot in family.slots:
        if slot.component in components and slot.component not in seen:
            seen.add(slot.component)
            yield slot


def _encoder(file: File, slot: Slot, components: Mapping[str, str]) -> ClipRecipe | T5Recipe:
    network = TransformersRecipe(file, components[slot.component], slot.component)
    tokenizer = Tokenizer(file, slot.tokenizer)
    if slot.name == T5:
        return T5Recipe(network, tokenizer)
    return ClipRecipe(network, slot.use, tokenizer)


def _width(folder: Path) -> int:
    config = read_config(folder / "config.json")
    return int(config.get("hidden_size") or config.get("d_model") or 512)


def _vae(file: File, family: Family, config: Config) -> Vae:
    return Vae(
        weights=DiffusersRecipe(file, VAE_CLASS, VAE, force_upcast=config.get("force_upcast", True)),
        family=family.latents.family,
        latent_channels=config.get("latent_channels", 4),
        scale=2 ** (len(config.get("block_out_channels", (64,))) - 1),
        scaling_factor=config.get("scaling_factor", 0.18215),
        shift_factor=config.get("shift_factor") or 0.0,
    )


def _require_files(root: Path, family: Family, components: Mapping[str, str]) -> None:
    """Complain about every missing file at once, before hours of sampling rather than after."""
    slots = list(_slots(family, components))
    stems = {family.component: DIFFUSERS_STEM, VAE: DIFFUSERS_STEM}
    stems |= {slot.component: TRANSFORMERS_STEM for slot in slots}
    problems = [f"no {slot.tokenizer}/" for slot in slots if not (root / slot.tokenizer).is_dir()]
    for component, stem in stems.items():
        try:
            weight_files(root / component, stem)
        except FileNotFoundError as missing:
            problems.append(str(missing))
    if problems:
        raise FileProblem("; ".join(problems))


def _unknown(components: Mapping[str, str]) -> FileProblem:
    found = ", ".join(f"{name} {cls}" for name, cls in sorted(components.items()))
    known = "; ".join(f"{family.title} ({family.network})" for family in FAMILIES)
    return FileProblem(f"a pipeline of {found or 'nothing'}; known are {known}")
