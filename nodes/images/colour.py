"""Colours, and pictures with different numbers of channels."""

from __future__ import annotations

import torch

LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in brightness (ITU-R BT.601)."""


def rgb_of(colour: str) -> tuple[float, float, float]:
    """Red, green and blue in 0..1 of a colour written ``#rrggbb``."""
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return red / 255, green / 255, blue / 255


def luma(pixels: torch.Tensor) -> torch.Tensor:
    """Brightness ``[..., 1]`` of colours ``[..., 3 or more]`` (ITU-R BT.601)."""
    return (pixels[..., :3] * pixels.new_tensor(LUMA)).sum(-1, keepdim=True)


def with_channels(pixels: torch.Tensor, channels: int) -> torch.Tensor:
    """Pictures ``[..., 1|3|4]`` as ``[..., channels]``.

    Grey is repeated, colour becomes its luma, a new alpha is opaque and a surplus one is dropped.
    """
    if pixels.shape[-1] == channels:
        return pixels
    if channels == 1:
        return luma(pixels)
    colour = pixels.expand(*pixels.shape[:-1], 3) if pixels.shape[-1] == 1 else pixels[..., :3]
    return colour if channels == 3 else torch.cat([colour, torch.ones_like(colour[..., :1])], dim=-1)
