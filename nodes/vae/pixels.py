"""Pixels as an autoencoder takes and gives them."""

from __future__ import annotations

from torch import Tensor


def to_rgb(pixels: Tensor) -> Tensor:
    """``[…, 1|3|4]`` as ``[…, 3]``: grey is repeated, alpha is left out."""
    return pixels.expand(*pixels.shape[:-1], 3) if pixels.shape[-1] == 1 else pixels[..., :3]


def crop_to_multiple(pixels: Tensor, multiple: int) -> Tensor:
    """Crop ``[batch, height, width, channels]`` about the centre to multiples of ``multiple``.

    Raises:
        ValueError: a side is shorter than ``multiple``.
    """
    height, width = pixels.shape[1:3]
    if min(height, width) < multiple:
        raise ValueError(f"{width}x{height} pixels; both sides must be at least {multiple}")
    top, left = height % multiple // 2, width % multiple // 2
    return pixels[:, top : top + height // multiple * multiple, left : left + width // multiple * multiple]
