"""The U-Net of Stable Diffusion 1, 2 and XL, as latent-diffusion stores it (Rombach et al. 2022)."""

from __future__ import annotations

from itertools import count
from typing import Any, NamedTuple

from torch import Tensor, nn

from nodes.architectures.architecture import Settings
from nodes.weights.header import Header, UnknownFileError
from nodes.weights.libraries import library_class

PREFIX = "model.diffusion_model."
"""What stands before its tensors in a whole checkpoint, which is how diffusers' converter wants them."""
HEAD_WIDTH = 64
"""Channels of an attention head where projections are linear (Stable Diffusion 2 and XL)."""
HEADS = 8
"""Attention heads where projections are convolutions (Stable Diffusion 1)."""
SIZE_WIDTH = 256
"""Width of the embedding of one number of the size conditioning (Podell et al. 2023, Sec. 2.2)."""


ATTENDED, PLAIN = "CrossAttnDownBlock2D", "DownBlock2D"
UP_BLOCKS = {ATTENDED: "CrossAttnUpBlock2D", PLAIN: "UpBlock2D"}


class Level(NamedTuple):
    """The blocks at one resolution.

    Attributes:
        width: its channels.
        depths: transformer blocks after each of its residual blocks.
    """

    width: int
    depths: tuple[int, ...]


class LdmUNet:
    """diffusers' ``UNet2DConditionModel`` under the names of latent-diffusion."""

    description = "U-Net of Stable Diffusion"

    def detect(self, header: Header) -> bool:
        """Whether it has the blocks of one."""
        return header.has("input_blocks.0.0.weight", "middle_block.0.in_layers.2.weight", "out.2.weight")

    def settings(self, header: Header) -> Settings:
        """The settings of ``UNet2DConditionModel``.

        Raises:
            UnknownFileError: the shapes contradict one another, or a tensor is missing.
        """
        down = way_down(header)
        attended = reversed(down["down_block_types"])
        return {
            **down,
            "out_channels": header.shape("out.2.weight", 4)[0],
            "up_block_types": [UP_BLOCKS[block] for block in attended],
        }

    def make(self, settings: Settings) -> nn.Module:
        """The network with these settings."""
        module: nn.Module = library_class("diffusers", "UNet2DConditionModel").from_config(dict(settings))
        return module

    def convert(self, tensors: dict[str, Tensor], settings: Settings) -> dict[str, Tensor]:
        """The tensors under diffusers' names."""
        convert = library_class("diffusers.loaders.single_file_utils", "convert_ldm_unet_checkpoint")
        prefixed = {PREFIX + name: tensor for name, tensor in tensors.items()}
        converted: dict[str, Tensor] = convert(prefixed, dict(settings))
        return converted


def way_down(header: Header) -> dict[str, Any]:
    """The settings of the way down and the middle, which ControlNets have as well.

    Raises:
        UnknownFileError: the shapes contradict one another, or a tensor is missing.
    """
    levels = _levels(header)
    linear, width = _attention(header)
    middle = header.number("middle_block.1.transformer_blocks.{}.norm1.weight")
    widths = [level.width for level in levels]
    return {
        "in_channels": header.shape("input_blocks.0.0.weight", 4)[1],
        "block_out_channels": widths,
        "layers_per_block": len(levels[0].depths),
        "down_block_types": [ATTENDED if any(level.depths) else PLAIN for level in levels],
        "transformer_layers_per_block": [*(max(1, level.depths[0]) for level in levels[:-1]), middle],
        "cross_attention_dim": width,
        "use_linear_projection": linear,
        "attention_head_dim": [max(1, w // HEAD_WIDTH) for w in widths] if linear else HEADS,
        **_added(header, linear),
    }


def _levels(header: Header) -> list[Level]:
    """The levels of the way down: residual blocks, ended by a block that makes the picture smaller."""
    groups: list[list[int]] = [[]]
    for index in count(1):
        if header.has(f"input_blocks.{index}.0.op.weight"):
            groups.append([])
        elif header.has(f"input_blocks.{index}.0.in_layers.0.weight"):
            groups[-1].append(index)
        else:
            break
    if len({len(group) for group in groups}) != 1 or not groups[0]:
        raise UnknownFileError(f"its levels have {[len(group) for group in groups]} residual blocks")
    return [_level(header, group) for group in groups]


def _level(header: Header, blocks: list[int]) -> Level:
    widths = {header.shape(f"input_blocks.{index}.0.out_layers.3.weight", 4)[0] for index in blocks}
    depths = tuple(
        header.number(f"input_blocks.{index}.1.transformer_blocks.{{}}.norm1.weight") for index in blocks
    )
    if len(widths) != 1 or len(set(depths)) != 1:
        raise UnknownFileError(
            f"blocks of one level differ: channels {sorted(widths)}, depths {list(depths)}"
        )
    return Level(widths.pop(), depths)


def _attention(header: Header) -> tuple[bool, int]:
    """Whether attention is entered by a linear projection, and the width of the text it attends to."""
    projection = header.shapes.get("middle_block.1.proj_in.weight", ())
    text = header.shape("middle_block.1.transformer_blocks.0.attn2.to_k.weight", 2)
    if len(projection) not in (2, 4):
        raise UnknownFileError(f"tensor 'middle_block.1.proj_in.weight' is {list(projection)}")
    return len(projection) == 2, text[1]


def _added(header: Header, linear: bool) -> dict[str, Any]:
    """Settings of the vector that Stable Diffusion XL is told besides the prompt."""
    if not header.has("label_emb.0.0.weight"):
        return {"upcast_attention": linear}
    return {
        "addition_embed_type": "text_time",
        "addition_time_embed_dim": SIZE_WIDTH,
        "projection_class_embeddings_input_dim": header.shape("label_emb.0.0.weight", 2)[1],
    }
