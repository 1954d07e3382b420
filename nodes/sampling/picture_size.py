"""The numbers that SDXL is told of a picture's size."""

from __future__ import annotations

from nodes.types import PictureSize

FAMILIES = ("sdxl", "sdxl_refiner")
POSITIVE_SCORE, NEGATIVE_SCORE = 6.0, 2.5
"""Aesthetic scores that the refiner is told by default (Podell et al. 2024, Sec. 2.5)."""


def told_size(
    size: PictureSize | None, family: str, height: int, width: int, *, negative: bool = False
) -> tuple[float, ...] | None:
    """What a network of that family is told.

    Args:
        size: what the prompt says; by default the size that is made, uncropped.
        family: of the model.
        height: of the picture that is made, in pixels.
        width: likewise.
        negative: whether it goes with the negative side.

    Returns:
        The numbers of ``Condition.size``; ``None`` for families that are told nothing.
    """
    return size_numbers(size, height, width, negative=negative) if family in FAMILIES else None


def size_numbers(
    size: PictureSize | None, height: int, width: int, *, negative: bool = False
) -> tuple[float, ...]:
    """The numbers of ``Condition.size``, as for ``told_size``."""
    size = size or PictureSize(height, width, target_height=height, target_width=width)
    score = NEGATIVE_SCORE if negative else POSITIVE_SCORE
    picture = (size.height, size.width, size.crop_top, size.crop_left)
    told_score = score if size.aesthetic_score is None else size.aesthetic_score
    return (*picture, size.target_height, size.target_width, told_score)
