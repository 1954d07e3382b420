"""Prompts that are for a part of the picture."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 - the name the field uses
from torch import Tensor

from nodes.sampling.condition import Box
from nodes.types import Area, Prompt, PromptMask

PIXELS = 8
"""Pixels along a side of a latent pixel, by which areas are measured."""
FEATHER = 8
"""Latent pixels over which an area fades out, at sides that are not the picture's own."""
SMALLEST = 8
"""Side of the smallest rectangle around a mask."""


def region(prompt: Prompt, height: int, width: int) -> tuple[Box | None, Tensor | None]:
    """Where a prompt counts in latents of a size, and how much.

    Returns:
        The box, and weights ``[1 or batch, 1, height, width]`` of its size; ``None`` for all of the latents,
        and for weights of 1.
    """
    box = None if prompt.area is None else _box(prompt.area, height, width)
    if prompt.mask is not None:
        mask = _resized(prompt.mask, height, width)
        if prompt.mask.bounds_only:
            box = bounds(mask)
        return box, prompt.strength * (mask if box is None else box.crop(mask))
    if box is not None:
        return box, prompt.strength * feathered(box, height, width)
    return None, None if prompt.strength == 1 else torch.full((1, 1, 1, 1), prompt.strength)


def bounds(mask: Tensor) -> Box:
    """The rectangle around what is not zero in masks ``[batch, 1, height, width]``, not below a size."""
    height, width = mask.shape[-2:]
    places = (mask.abs().amax(dim=(0, 1)) > 0).nonzero()
    if not len(places):
        return Box(min(SMALLEST, height), min(SMALLEST, width), 0, 0)
    (top, left), (bottom, right) = places.amin(dim=0).tolist(), places.amax(dim=0).tolist()
    tall, wide = max(SMALLEST, bottom - top + 1), max(SMALLEST, right - left + 1)
    return Box(min(tall, height - top), min(wide, width - left), top, left)


def feathered(box: Box, height: int, width: int, feather: int | None = None) -> Tensor:
    """Weights ``[1, 1, height, width]`` of a box: 1 inside, rising from its sides within the picture.

    Args:
        feather: latent pixels over which they rise; by default at most a quarter of the side.
    """
    rows = _ramp(box.height, feather, starts=box.top > 0, ends=box.top + box.height < height)
    columns = _ramp(box.width, feather, starts=box.left > 0, ends=box.left + box.width < width)
    return (rows[:, None] * columns[None, :])[None, None]


def _ramp(length: int, feather: int | None, *, starts: bool, ends: bool) -> Tensor:
    steps = min(FEATHER, length // 4) if feather is None else min(feather, length)
    ramp, rising = torch.ones(length), torch.arange(1, steps + 1) / max(1, steps)
    if starts:
        ramp[:steps] *= rising
    if ends:
        ramp[length - steps :] *= rising.flip(0)
    return ramp


def _box(area: Area, height: int, width: int) -> Box:
    if area.relative:
        tall, wide = max(1, round(area.height * height)), max(1, round(area.width * width))
        top, left = round(area.top * height), round(area.left * width)
    else:
        tall, wide = int(area.height // PIXELS), int(area.width // PIXELS)
        top, left = int(area.top // PIXELS), int(area.left // PIXELS)
    top, left = min(top, height - 1), min(left, width - 1)
    return Box(max(1, min(tall, height - top)), max(1, min(wide, width - left)), top, left)


def _resized(mask: PromptMask, height: int, width: int) -> Tensor:
    planes = F.interpolate(mask.values[:, None], size=(height, width), mode="bilinear", align_corners=False)
    return planes * mask.strength
