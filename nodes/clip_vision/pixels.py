"""Pictures as CLIP takes them (Radford et al. 2021)."""

from __future__ import annotations

import torch.nn.functional as F  # noqa: N812 - the name the field uses
from torch import Tensor

from nodes.vae.pixels import to_rgb

MEAN = (0.48145466, 0.4578275, 0.40821073)
DEVIATION = (0.26862954, 0.26130258, 0.27577711)
"""Of the pictures that CLIP was trained with, by channel."""
LEVELS = 255


def clip_pixels(pixels: Tensor, side: int, *, crop: bool) -> Tensor:
    """Pictures of one size, of mean 0 and standard deviation 1.

    Args:
        pixels: ``[batch, height, width, 1|3|4]`` in 0..1.
        side: of the squares to make, in pixels.
        crop: cut the centre out; otherwise the whole picture is squeezed into the square.

    Returns:
        ``[batch, 3, side, side]``, resized by a bicubic filter and rounded to 8 bits, as CLIP had them.
    """
    planes = to_rgb(pixels).movedim(-1, 1)
    height, width = planes.shape[-2:]
    short = min(height, width)
    size = (side * height // short, side * width // short) if crop else (side, side)
    if size != (height, width):
        planes = F.interpolate(planes, size=size, mode="bicubic", antialias=True)
    top, left = ((length - side) // 2 for length in planes.shape[-2:])
    square = (planes[..., top : top + side, left : left + side].clamp(0, 1) * LEVELS).round() / LEVELS
    return (square - _channels(square, MEAN)) / _channels(square, DEVIATION)


def _channels(like: Tensor, values: tuple[float, ...]) -> Tensor:
    return like.new_tensor(values)[None, :, None, None]
