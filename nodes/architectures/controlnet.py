"""ControlNets for Stable Diffusion, as their original code or diffusers stores them (Zhang et al. 2023)."""

from __future__ import annotations

import re

from torch import Tensor, nn

from nodes.architectures.architecture import Settings
from nodes.architectures.unet import way_down
from nodes.weights.header import Header
from nodes.weights.libraries import library_class

HINT_LAYERS = (0, 4, 8, 12)
"""Layers of the hint's own network after which its channels have grown."""


class LdmControlNet:
    """diffusers' ``ControlNetModel`` under the names of the original code."""

    description = "ControlNet of Stable Diffusion"

    def detect(self, header: Header) -> bool:
        """Whether it has the way down of a U-Net, and a network for the hint."""
        return header.has("input_blocks.0.0.weight", "input_hint_block.0.weight", "zero_convs.0.0.weight")

    def settings(self, header: Header) -> Settings:
        """The settings of ``ControlNetModel``.

        Raises:
            UnknownFileError: the shapes contradict one another, or a tensor is missing.
        """
        hint = [header.shape(f"input_hint_block.{layer}.weight", 4) for layer in HINT_LAYERS]
        return {
            **way_down(header),
            "conditioning_channels": hint[0][1],
            "conditioning_embedding_out_channels": [shape[0] for shape in hint],
        }

    def make(self, settings: Settings) -> nn.Module:
        """The network with these settings."""
        module: nn.Module = library_class("diffusers", "ControlNetModel").from_config(dict(settings))
        return module

    def convert(self, tensors: dict[str, Tensor], settings: Settings) -> dict[str, Tensor]:
        """The tensors under diffusers' names."""
        convert = library_class("diffusers.loaders.single_file_utils", "convert_controlnet_checkpoint")
        converted: dict[str, Tensor] = convert(tensors, dict(settings))
        return converted


class DiffusersControlNet:
    """diffusers' ``ControlNetModel`` under its own names, in a file without its configuration."""

    description = "ControlNet of Stable Diffusion (diffusers' names)"

    def detect(self, header: Header) -> bool:
        """Whether it has the way down of a U-Net, and a network for the hint."""
        return header.has(
            "conv_in.weight", "controlnet_cond_embedding.conv_in.weight", "controlnet_down_blocks.0.weight"
        )

    def settings(self, header: Header) -> Settings:
        """The settings of ``ControlNetModel``.

        Raises:
            UnknownFileError: the shapes contradict one another, or a tensor is missing.
        """
        first = header.shape("controlnet_cond_embedding.conv_in.weight", 4)
        grown = range(1, header.number("controlnet_cond_embedding.blocks.{}.weight"), 2)
        hint = [header.shape(f"controlnet_cond_embedding.blocks.{block}.weight", 4)[0] for block in grown]
        return {
            **way_down(_as_ldm(header)),
            "conditioning_channels": first[1],
            "conditioning_embedding_out_channels": [first[0], *hint],
        }

    def make(self, settings: Settings) -> nn.Module:
        """The network with these settings."""
        module: nn.Module = library_class("diffusers", "ControlNetModel").from_config(dict(settings))
        return module

    def convert(self, tensors: dict[str, Tensor], settings: Settings) -> dict[str, Tensor]:
        """The tensors, whose names are diffusers' already."""
        return tensors


_BLOCK = re.compile(r"down_blocks\.(\d{1,3})\.(resnets|attentions|downsamplers)\.(\d{1,3})\.(.+)")
_PARTS = {
    "norm1.weight": "in_layers.0.weight",
    "conv2.weight": "out_layers.3.weight",
    "conv.weight": "op.weight",
}
_WHOLE = {
    "conv_in.weight": "input_blocks.0.0.weight",
    "add_embedding.linear_1.weight": "label_emb.0.0.weight",
}


def _as_ldm(header: Header) -> Header:
    """The header as the original code would name the tensors that tell the settings."""
    per_level = header.number("down_blocks.0.resnets.{}.norm1.weight") + 1

    def name(old: str) -> str:
        match = _BLOCK.fullmatch(old)
        if match is None:
            return _WHOLE.get(old, old.replace("mid_block.attentions.0.", "middle_block.1."))
        level, kind, index, rest = int(match[1]), match[2], int(match[3]), match[4]
        if kind == "downsamplers":
            return f"input_blocks.{(level + 1) * per_level}.0.{_PARTS.get(rest, rest)}"
        place = level * per_level + index + 1
        return f"input_blocks.{place}.{'1' if kind == 'attentions' else '0'}.{_PARTS.get(rest, rest)}"

    shapes = {name(old): shape for old, shape in header.shapes.items()}
    dtypes = {name(old): dtype for old, dtype in header.dtypes.items()}
    return Header(shapes, dtypes, header.metadata)
