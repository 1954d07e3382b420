"""Masks at the size of pictures, for inpainting."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 - the name the field uses
from torch import Tensor

GREY = 0.5


def fitted(mask: Tensor, height: int, width: int) -> Tensor:
    """Masks ``[batch, height, width]`` at another size, bilinear."""
    if mask.shape[1:] == (height, width):
        return mask
    return F.interpolate(mask[:, None], size=(height, width), mode="bilinear", align_corners=False)[:, 0]


def grown(mask: Tensor, pixels: int) -> Tensor:
    """Binary masks ``[batch, height, width]`` with everything within a square of ``pixels`` around."""
    if pixels == 0:
        return mask.round()
    before, after = pixels // 2, (pixels - 1) // 2
    padded = F.pad(mask.round(), (before, after, before, after))
    return F.max_pool2d(padded[:, None], pixels, stride=1)[:, 0]


def hidden(pixels: Tensor, mask: Tensor) -> Tensor:
    """Pictures ``[batch, height, width, 3]`` with grey where the rounded mask is 1."""
    shown = 1 - mask.round()[..., None]
    return (pixels - GREY) * shown + GREY


def outpaint_mask(height: int, width: int, margins: tuple[int, int, int, int], feather: int) -> Tensor:
    """What is to be made when a picture is given margins: 1 in them, fading into the picture.

    Args:
        height: of the picture without margins, in pixels.
        width: likewise.
        margins: left, top, right, bottom, in pixels.
        feather: pixels over which it fades as the square of the distance, at sides that have a margin.

    Returns:
        ``[1, height + margins, width + margins]`` in 0..1.
    """
    left, top, right, bottom = margins
    inside = torch.zeros(height, width)
    if feather > 0 and 2 * feather < min(height, width):
        rows, columns = _depth(height, top, bottom), _depth(width, left, right)
        depth = torch.minimum(rows[:, None], columns[None, :])
        inside = ((feather - depth) / feather).clamp(min=0) ** 2
    return F.pad(inside, (left, right, top, bottom), value=1.0)[None]


def _depth(length: int, before: int, after: int) -> Tensor:
    """How far each pixel is from those ends that have a margin."""
    places = torch.arange(length, dtype=torch.float32)
    far = torch.full((length,), float(length))
    return torch.minimum(places if before else far, length - places if after else far)
