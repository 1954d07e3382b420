"""The numbers that SDXL is told of a picture's size."""

from __future__ import annotations

import torch
from torch import Tensor

from nodes.types import PictureSize

BASE, REFINER = "sdxl", "sdxl_refiner"
POSITIVE_SCORE, NEGATIVE_SCORE = 6.0, 2.5
"""Aesthetic scores that the refiner is told by default (Podell et al. 2024, Sec. 2.5)."""


def time_ids(
    size: PictureSize | None, family: str, height: int, width: int, *, negative: bool = False
) -> Tensor | None:
    """What a network of that family is told.

    Args:
        size: what the prompt says; by default the size that is made, uncropped.
        family: of the model.
        height: of the picture that is made, in pixels.
        width: likewise.
        negative: whether it goes with the negative side.

    Returns:
        ``[1, 6]``, ``[1, 5]`` for the refiner; ``None`` where nothing is told.
    """
    if family not in (BASE, REFINER):
        return None
    size = size or PictureSize(height, width, target_height=height, target_width=width)
    told: list[float] = [size.height, size.width, size.crop_top, size.crop_left]
    if family == BASE:
        return torch.tensor([[*told, size.target_height, size.target_width]], dtype=torch.float32)
    score = NEGATIVE_SCORE if negative else POSITIVE_SCORE
    return torch.tensor([[*told, score if size.aesthetic_score is None else size.aesthetic_score]])
