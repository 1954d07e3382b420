"""CLIP's vision transformer with its projection (Radford et al. 2021), of transformers and of OpenCLIP."""

from __future__ import annotations

import math
import re
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
VISUAL, BLOCK = "visual.", "transformer.resblocks.{}"
_OPEN_CLIP = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"^class_embedding$", "embeddings.class_embedding"),
        (r"^positional_embedding$", "embeddings.position_embedding.weight"),
        (r"^conv1\.", "embeddings.patch_embedding."),
        (r"^ln_pre\.", "pre_layrnorm."),
        (r"^ln_post\.", "post_layernorm."),
        (r"^transformer\.resblocks\.", "encoder.layers."),
        (r"\.ln_([12])\.", r".layer_norm\1."),
        (r"\.attn\.", ".self_attn."),
        (r"\.c_fc\.", ".fc1."),
        (r"\.c_proj\.", ".fc2."),
    )
)
"""What takes the place of OpenCLIP's names."""
_KNOWN = re.compile(
    r"class_embedding|positional_embedding|proj|conv1\.weight|ln_(pre|post)\.(weight|bias)|"
    r"transformer\.resblocks\.\d+\.(ln_[12]\.|attn\.in_proj_|attn\.out_proj\.|mlp\.c_(fc|proj)\.)(weight|bias)"
)
"""Names in plain transformers; some of OpenCLIP's scale their layers or pool by attention."""


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
        layers = vision.number("encoder.layers.{}.mlp.fc1.weight")
        return _settings(
            vision.shape("embeddings.patch_embedding.weight", 4),
            layers=layers,
            inner=vision.shape("encoder.layers.0.mlp.fc1.weight", 2)[0],
            projection=header.shape("visual_projection.weight", 2)[0],
            positions=vision.shape("embeddings.position_embedding.weight", 2)[0],
            exact=layers > LARGE_LAYERS,
        )

    def make(self, settings: Settings) -> nn.Module:
        """The network with these settings."""
        return _made(settings)

    def convert(self, tensors: dict[str, Tensor], settings: Settings) -> dict[str, Tensor]:
        """The tensors as they are, less the numbers of the positions, which the network knows."""
        kept: dict[str, Any] = {name: t for name, t in tensors.items() if not name.endswith("position_ids")}
        return kept


class OpenClipVision:
    """The same under OpenCLIP's names (``visual.…``); a file may hold the text encoder as well.

    The header does not show which GELU it was trained with; OpenCLIP's own models have the exact one.
    """

    description = "OpenCLIP vision encoder"

    def detect(self, header: Header) -> bool:
        """Whether it has the layers of one."""
        return header.has(
            f"{VISUAL}conv1.weight", f"{VISUAL}proj", f"{VISUAL}{BLOCK.format(0)}.mlp.c_fc.weight"
        )

    def settings(self, header: Header) -> Settings:
        """The settings of ``CLIPVisionConfig``.

        Raises:
            UnknownFileError: the shapes contradict one another, or a tensor is missing.
        """
        visual = header.below(VISUAL)
        other = next((name for name in visual.shapes if not _KNOWN.fullmatch(name)), None)
        if other is not None:
            raise UnknownFileError(f"tensor '{VISUAL}{other}' has no place in it")
        return _settings(
            visual.shape("conv1.weight", 4),
            layers=visual.number(f"{BLOCK}.mlp.c_fc.weight"),
            inner=visual.shape(f"{BLOCK.format(0)}.mlp.c_fc.weight", 2)[0],
            projection=visual.shape("proj", 2)[1],
            positions=visual.shape("positional_embedding", 2)[0],
            exact=True,
        )

    def make(self, settings: Settings) -> nn.Module:
        """The network with these settings."""
        return _made(settings)

    def convert(self, tensors: dict[str, Tensor], settings: Settings) -> dict[str, Tensor]:
        """The tensors under transformers' names."""
        converted: dict[str, Tensor] = {}
        for name, tensor in tensors.items():
            if name.startswith(VISUAL):
                converted.update(_renamed(name.removeprefix(VISUAL), tensor))
        return converted


def _renamed(name: str, tensor: Tensor) -> dict[str, Tensor]:
    """One of OpenCLIP's tensors as transformers has it: queries, keys and values stand apart there."""
    if name == "proj":
        return {"visual_projection.weight": tensor.T}
    for pattern, replacement in _OPEN_CLIP:
        name = pattern.sub(replacement, name)
    name = f"{VISION}{name}"
    if "in_proj_" not in name:
        return {name: tensor}
    parts = zip("qkv", tensor.chunk(3), strict=True)
    return {name.replace("in_proj_", f"{letter}_proj."): part for letter, part in parts}


def _made(settings: Settings) -> nn.Module:
    config = library_class("transformers", "CLIPVisionConfig")(**settings)
    module: nn.Module = library_class("transformers", "CLIPVisionModelWithProjection")(config)
    return module


def _settings(
    patches: tuple[int, ...], *, layers: int, inner: int, projection: int, positions: int, exact: bool
) -> dict[str, Any]:
    width, channels, patch, _ = patches
    if channels != RGB_CHANNELS:
        raise UnknownFileError(f"it takes {channels} channels; {RGB_CHANNELS} (RGB) are wanted")
    return {
        "hidden_size": width,
        "intermediate_size": inner,
        "projection_dim": projection,
        "num_hidden_layers": layers,
        "num_attention_heads": HEADS if width > LARGE_WIDTH else max(1, width // HEAD_WIDTH),
        "num_channels": channels,
        "patch_size": patch,
        "image_size": patch * _side(positions - 1),
        "hidden_act": "gelu" if exact else "quick_gelu",
    }


def _side(patches: int) -> int:
    side = math.isqrt(max(0, patches))
    if side < 1 or side * side != patches:
        raise UnknownFileError(f"its pictures have {patches} patches, which are no square")
    return side
