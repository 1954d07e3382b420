"""ControlNets and T2I-Adapters as diffusers folders and as single files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from nodegraph import File, ModelRecipe
from nodegraph.errors import FileProblem
from nodes.architectures.catalogue import ARCHITECTURES, find_networks
from nodes.architectures.t2i_adapter import SHRUNK, SHRUNK_XL, feature_widths
from nodes.checkpoints.configs import Config, read_config
from nodes.checkpoints.networks import NetworkRecipe
from nodes.checkpoints.recipes import DIFFUSERS_STEM, DiffusersRecipe
from nodes.types import ControlNet, T2IAdapter
from nodes.weights.header import UnknownFileError, read_header
from nodes.weights.tensors import weight_files

RGB_CHANNELS = 3
DEFAULT_HINT_BLOCKS = (16, 32, 96, 256)
LATENT_CHANNELS = 4
"""Of the families that T2I-Adapters were made for."""
T2I_DEFAULTS = {
    "in_channels": RGB_CHANNELS,
    "channels": (320, 640, 1280, 1280),
    "downscale_factor": SHRUNK,
    "adapter_type": "full_adapter",
}
"""What a config of a T2I-Adapter leaves out."""

Describe = Callable[[Config, ModelRecipe[Any]], ControlNet]


def load_controlnet(file: File, root: Path) -> ControlNet:
    """The recipe of a ControlNet or T2I-Adapter, from its config or its header alone.

    Raises:
        FileProblem: the folder holds none, or one of a kind that cannot be used.
    """
    try:
        return _folder(file, root) if root.is_dir() else _single_file(file, root)
    except (FileProblem, FileNotFoundError) as problem:
        raise FileProblem(f"ControlNet {file.name!r} cannot be used: {problem}") from problem


def _folder(file: File, root: Path) -> ControlNet:
    config = read_config(root / "config.json")
    name = config.get("_class_name", "model of no class")
    if name not in CLASSES:
        raise FileProblem(f"it holds a {name}, not a {' or '.join(CLASSES)}")
    control_net = CLASSES[name](config, DiffusersRecipe(file, name))
    weight_files(root, DIFFUSERS_STEM)
    return control_net


def _single_file(file: File, path: Path) -> ControlNet:
    if path.suffix != ".safetensors":
        raise FileProblem("it is no safetensors file; convert it, or give a diffusers folder")
    try:
        header = read_header(path)
        for name, prefix in find_networks(header):
            if name in SINGLE:
                settings = ARCHITECTURES[name].settings(header.below(prefix))
                return SINGLE[name](settings, NetworkRecipe(file, name, prefix))
    except UnknownFileError as error:
        raise FileProblem(str(error)) from error
    wanted = "ControlNet or T2I-Adapter of Stable Diffusion"
    some = ", ".join(map(repr, sorted(header.shapes)[:3]))
    rest = f"but {some}, …" if some else "nor any other tensor"
    raise FileProblem(f"it holds no {wanted} in its original layout or that of diffusers, {rest}")


def _controlnet(config: Config, weights: ModelRecipe[Any]) -> ControlNet:
    channels = config.get("conditioning_channels", RGB_CHANNELS)
    if channels != RGB_CHANNELS:
        raise FileProblem(f"it takes pictures of {channels} channels; expected {RGB_CHANNELS} (RGB)")
    return ControlNet(
        weights=weights,
        family="sdxl" if config.get("addition_embed_type") == "text_time" else "sd",
        latent_channels=config.get("in_channels", LATENT_CHANNELS),
        text_width=config.get("cross_attention_dim", 1280),
        scale=2 ** (len(config.get("conditioning_embedding_out_channels") or DEFAULT_HINT_BLOCKS) - 1),
    )


def _t2i_adapter(config: Config, weights: ModelRecipe[Any]) -> T2IAdapter:
    settings = {**T2I_DEFAULTS, **config}
    extra_large = settings["adapter_type"] == "full_adapter_xl"
    return T2IAdapter(
        weights=weights,
        family="sdxl" if extra_large else "sd",
        latent_channels=LATENT_CHANNELS,
        text_width=None,
        scale=settings["downscale_factor"] // (SHRUNK_XL // SHRUNK if extra_large else 1),
        picture_channels=settings["in_channels"],
        picture_multiple=settings["downscale_factor"],
        widths=feature_widths(settings),
    )


CLASSES: dict[str, Describe] = {"ControlNetModel": _controlnet, "T2IAdapter": _t2i_adapter}
"""What there is in diffusers folders, by class."""
SINGLE: dict[str, Describe] = {
    "ldm_controlnet": _controlnet,
    "controlnet": _controlnet,
    "t2i_adapter": _t2i_adapter,
}
"""What there is in single files, by architecture."""
