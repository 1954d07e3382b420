"""ControlNets as diffusers folders and as single files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nodegraph import File, ModelRecipe
from nodegraph.errors import FileProblem
from nodes.architectures.catalogue import ARCHITECTURES, CONTROLNETS, find_networks
from nodes.checkpoints.configs import Config, read_config
from nodes.checkpoints.networks import NetworkRecipe
from nodes.checkpoints.recipes import DIFFUSERS_STEM, DiffusersRecipe
from nodes.types import ControlNet
from nodes.weights.header import UnknownFileError, read_header
from nodes.weights.tensors import weight_files

CLASS_NAME = "ControlNetModel"
RGB_CHANNELS = 3
DEFAULT_HINT_BLOCKS = (16, 32, 96, 256)


def load_controlnet(file: File, root: Path) -> ControlNet:
    """The recipe of a ControlNet, from its config or its header alone.

    Raises:
        FileProblem: the folder holds none, or one of a kind that cannot be used.
    """
    try:
        config, weights = _folder(file, root) if root.is_dir() else _single_file(file, root)
    except (FileProblem, FileNotFoundError) as problem:
        raise FileProblem(f"ControlNet {file.name!r} cannot be used: {problem}") from problem
    return ControlNet(
        weights=weights,
        family="sdxl" if config.get("addition_embed_type") == "text_time" else "sd",
        latent_channels=config.get("in_channels", 4),
        text_width=config.get("cross_attention_dim", 1280),
        scale=2 ** (len(config.get("conditioning_embedding_out_channels") or DEFAULT_HINT_BLOCKS) - 1),
    )


def _folder(file: File, root: Path) -> tuple[Config, ModelRecipe[Any]]:
    config = read_config(root / "config.json")
    if config.get("_class_name") != CLASS_NAME:
        raise FileProblem(f"it holds a {config.get('_class_name', 'model of no class')}, not a {CLASS_NAME}")
    _check_picture(config)
    weight_files(root, DIFFUSERS_STEM)
    return config, DiffusersRecipe(file, CLASS_NAME)


def _single_file(file: File, path: Path) -> tuple[Config, ModelRecipe[Any]]:
    if path.suffix != ".safetensors":
        raise FileProblem("it is no safetensors file; convert it, or give a diffusers folder")
    try:
        header = read_header(path)
        for found in find_networks(header):
            if found.architecture in CONTROLNETS:
                settings = ARCHITECTURES[found.architecture].settings(header.below(found.prefix))
                _check_picture(settings)
                return settings, NetworkRecipe(file, found.architecture, found.prefix)
    except UnknownFileError as error:
        raise FileProblem(str(error)) from error
    some = ", ".join(map(repr, sorted(header.shapes)[:3]))
    rest = f"but {some}, …" if some else "nor any other tensor"
    wanted = f"{ARCHITECTURES[CONTROLNETS[0]].description} in its original layout or that of diffusers"
    raise FileProblem(f"it holds no {wanted}, {rest}")


def _check_picture(config: Config) -> None:
    channels = config.get("conditioning_channels", RGB_CHANNELS)
    if channels != RGB_CHANNELS:
        raise FileProblem(f"it takes pictures of {channels} channels; expected {RGB_CHANNELS} (RGB)")
