"""ControlNets for Stable Diffusion, as their original code stores them (Zhang et al. 2023)."""

from __future__ import annotations

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
