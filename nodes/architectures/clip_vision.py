"""CLIP's vision transformer with its projection, as transformers stores it (Radford et al. 2021)."""

from __future__ import annotations

import math
from typing import Any

from torch import Tensor, nn

from nodes.architectures.architecture import Settings
from nodes.weights.header import Header, UnknownFileError
from nodes.weights.libraries import library_class

VISION = "vision_model."
HEAD_WIDTH = 64
LARGE_WIDTH, LARGE_LAYERS = 1024, 24
"""Of ViT-L/14. OpenCLIP's ViT-H and ViT-bigG, which are larger, have 16 heads and the exact GELU."""
HEADS = 16
RGB_CHANNELS = 3


class ClipVision:
    """transformers' ``CLIPVisionModelWithProjection``; a whole CLIP has it as one of two halves."""

    description = "CLIP vision encoder"

    def detect(self, header: Header) -> bool:
        """Whether it has the layers of one."""
        return header.has(f"{VISION}embeddings.patch_embedding.weight", "visual_projection.weight")

    def settings(self, header: Header) -> Settings:
        """The settings of ``CLIPVisionConfig``.

        Raises:
            UnknownFileError: the shapes contradict one another, or a tensor is missing.
        """
        vision = header.below(VISION)
        width, channels, patch, _ = vision.shape("embeddings.patch_embedding.weight", 4)
        if channels != RGB_CHANNELS:
            raise UnknownFileError(f"it takes {channels} channels; {RGB_CHANNELS} (RGB) are wanted")
        layers = vision.number("encoder.layers.{}.mlp.fc1.weight")
        return {
            "hidden_size": width,
            "intermediate_size": vision.shape("encoder.layers.0.mlp.fc1.weight", 2)[0],
            "projection_dim": header.shape("visual_projection.weight", 2)[0],
            "num_hidden_layers": layers,
            "num_attention_heads": HEADS if width > LARGE_WIDTH else max(1, width // HEAD_WIDTH),
            "num_channels": channels,
            "patch_size": patch,
            "image_size": patch * _side(vision.shape("embeddings.position_embedding.weight", 2)[0] - 1),
            "hidden_act": "gelu" if layers > LARGE_LAYERS else "quick_gelu",
        }

    def make(self, settings: Settings) -> nn.Module:
        """The network with these settings."""
        config = library_class("transformers", "CLIPVisionConfig")(**settings)
        module: nn.Module = library_class("transformers", "CLIPVisionModelWithProjection")(config)
        return module

    def convert(self, tensors: dict[str, Tensor], settings: Settings) -> dict[str, Tensor]:
        """The tensors as they are, less the numbers of the positions, which the network knows."""
        kept: dict[str, Any] = {name: t for name, t in tensors.items() if not name.endswith("position_ids")}
        return kept


def _side(patches: int) -> int:
    side = math.isqrt(max(0, patches))
    if side < 1 or side * side != patches:
        raise UnknownFileError(f"its pictures have {patches} patches, which are no square")
    return side
