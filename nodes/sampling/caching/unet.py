"""A U-Net in the pieces between its skip connections."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class Piece:
    """What a U-Net computes from one skip connection to the next.

    Attributes:
        resnet: the residual block, if it begins with one.
        attention: the transformer after it, if there is one.
        scaler: what makes the picture smaller or larger after that.
        level: the level whose residual of a T2I-Adapter is added at its end.
    """

    resnet: Any = None
    attention: Any = None
    scaler: Any = None
    level: int | None = None


def down_pieces(unet: Any) -> list[Piece]:
    """The way down after the first convolution; each piece ends with a skip connection."""
    return [piece for level, block in enumerate(unet.down_blocks) for piece in _down(block, level)]


def _down(block: Any, level: int) -> list[Piece]:
    attentions = getattr(block, "attentions", None)
    scalers = list(block.downsamplers or ())
    last = len(block.resnets) - 1
    pieces = []
    for index, resnet in enumerate(block.resnets):
        ends = index == last and (attentions is not None or not scalers)
        attention = None if attentions is None else attentions[index]
        pieces.append(Piece(resnet, attention, level=level if ends else None))
    added = level if attentions is None else None
    return pieces + [Piece(scaler=scaler, level=added) for scaler in scalers]


def up_pieces(unet: Any) -> list[Piece]:
    """The way up; each piece begins with a skip connection."""
    return [piece for block in unet.up_blocks for piece in _up(block)]


def _up(block: Any) -> list[Piece]:
    attentions = getattr(block, "attentions", None)
    (scaler,) = block.upsamplers or (None,)
    last = len(block.resnets) - 1
    return [
        Piece(resnet, None if attentions is None else attentions[index], scaler if index == last else None)
        for index, resnet in enumerate(block.resnets)
    ]


def shallow_forward(
    unet: Any,
    deep: Tensor,
    depth: int,
    sample: Tensor,
    timestep: Tensor,
    encoder_hidden_states: Tensor,
    added_cond_kwargs: dict[str, Tensor] | None,
    skips: Sequence[Tensor] | None,
    levels: Sequence[Tensor] | None,
) -> Tensor:
    """What ``UNet2DConditionModel`` gives where its deeper half gives what it gave before.

    Args:
        unet: the U-Net.
        deep: what enters the last ``depth + 1`` pieces of the way up.
        depth: how many pieces of the way down are computed.
        sample: the input, ``[batch, channels, height, width]``.
        timestep: likewise.
        encoder_hidden_states: text embeddings.
        added_cond_kwargs: what Stable Diffusion XL is told besides.
        skips: what a ControlNet adds to the skip connections.
        levels: what a T2I-Adapter adds to the levels.
    """
    time = _time(unet, sample, timestep, encoder_hidden_states, added_cond_kwargs)
    x = unet.conv_in(sample)
    kept = [x]
    for piece in down_pieces(unet)[:depth]:
        x = _scaled(piece, _computed(piece, x, time, encoder_hidden_states), None)
        if levels is not None and piece.level is not None:
            x = x + levels[piece.level]
        kept.append(x)
    if skips is not None:
        kept = [one + other for one, other in zip(kept, skips, strict=False)]
    x = deep
    for piece in up_pieces(unet)[-(depth + 1) :]:
        x = _computed(piece, torch.cat([x, kept.pop()], dim=1), time, encoder_hidden_states)
        x = _scaled(piece, x, kept[-1].shape[-2:] if kept else None)
    output: Tensor = unet.conv_out(unet.conv_act(unet.conv_norm_out(x)))
    return output


def _time(
    unet: Any, sample: Tensor, timestep: Tensor, text: Tensor, added: dict[str, Tensor] | None
) -> Tensor:
    """The embedding of the timestep, and of what else the network is told."""
    time: Tensor = unet.time_embedding(unet.get_time_embed(sample=sample, timestep=timestep), None)
    more = unet.get_aug_embed(emb=time, encoder_hidden_states=text, added_cond_kwargs=added)
    return time if more is None else time + more


def _computed(piece: Piece, x: Tensor, time: Tensor, text: Tensor) -> Tensor:
    if piece.resnet is not None:
        x = piece.resnet(x, time)
    if piece.attention is not None:
        x = piece.attention(x, encoder_hidden_states=text, return_dict=False)[0]
    return x


def _scaled(piece: Piece, x: Tensor, size: tuple[int, ...] | None) -> Tensor:
    if piece.scaler is None:
        return x
    scaled: Tensor = piece.scaler(x) if size is None else piece.scaler(x, tuple(size))
    return scaled
