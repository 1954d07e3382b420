"""ControlNets as diffusers folders."""

from __future__ import annotations

from pathlib import Path

from nodegraph import File
from nodegraph.errors import FileProblem
from nodes.checkpoints.configs import Config, read_config
from nodes.checkpoints.recipes import DIFFUSERS_STEM, DiffusersRecipe
from nodes.types import ControlNet
from nodes.weights.tensors import weight_files

CLASS_NAME = "ControlNetModel"
RGB_CHANNELS = 3
DEFAULT_HINT_BLOCKS = (16, 32, 96, 256)


def load_controlnet(file: File, root: Path) -> ControlNet:
    """The recipe of a ControlNet, from its config alone.

    Raises:
        FileProblem: the folder holds none, or one of a kind that cannot be used.
    """
    try:
        config = _checked_config(root)
        weight_files(root, DIFFUSERS_STEM)
    except (FileProblem, FileNotFoundError) as problem:
        raise FileProblem(f"ControlNet {file.name!r} cannot be used: {problem}") from problem
    return ControlNet(
        weights=DiffusersRecipe(file, CLASS_NAME),
        family="sdxl" if config.get("addition_embed_type") == "text_time" else "sd",
        latent_channels=config.get("in_channels", 4),
        text_width=config.get("cross_attention_dim", 1280),
        scale=2 ** (len(config.get("conditioning_embedding_out_channels") or DEFAULT_HINT_BLOCKS) - 1),
    )


def _checked_config(root: Path) -> Config:
    if not root.is_dir():
        raise FileProblem("it is a single file; expected a diffusers folder")
    config = read_config(root / "config.json")
    if config.get("_class_name") != CLASS_NAME:
        raise FileProblem(f"it holds a {config.get('_class_name', 'model of no class')}, not a {CLASS_NAME}")
    channels = config.get("conditioning_channels", RGB_CHANNELS)
    if channels != RGB_CHANNELS:
        raise FileProblem(f"it takes pictures of {channels} channels; expected {RGB_CHANNELS} (RGB)")
    return config
