"""Canny's edge detector (Canny 1986)."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F  # noqa: N812 - the name the field uses
from torch import Tensor

from nodes.controlnet.preprocessing.filters import gaussian_blur, slopes

RADIUS, SIGMA = 2, 1.0
SOBEL_SCALE = 8
"""Thresholds are for Sobel's kernel with its whole numbers, whose response to a step is this much more."""
_STEPS = ((0, 1), (1, 1), (1, 0), (1, -1))
"""Neighbours along a gradient of 0, 45, 90 and 135 degrees: rows down, columns to the right."""


def canny(planes: Tensor, low: float, high: float) -> Tensor:
    """Thin edges: ridges of the gradient above ``high``, and those above ``low`` that run on from them.

    Args:
        planes: brightness ``[batch, 1, height, width]`` in 0..1.
        low: gradient below which nothing is an edge.
        high: gradient from which a ridge is an edge by itself.

    Returns:
        0 and 1, of the same shape.
    """
    x, y = (SOBEL_SCALE * slope for slope in slopes(gaussian_blur(planes, RADIUS, SIGMA)))
    strength = torch.hypot(x, y)
    ridges = torch.where(_is_ridge(strength, x, y), strength, torch.zeros_like(strength))
    return _connected(ridges > high, ridges > low).to(planes.dtype)


def _is_ridge(strength: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Whether a pixel is no weaker than its two neighbours along the gradient; of equals the later one is."""
    direction = (torch.atan2(y, x) / (math.pi / 4)).round().long() % 4
    padded = F.pad(strength, (1, 1, 1, 1))
    height, width = strength.shape[-2:]

    def neighbour(down: int, right: int) -> Tensor:
        return padded[..., 1 + down : 1 + down + height, 1 + right : 1 + right + width]

    ridge = torch.zeros_like(strength, dtype=torch.bool)
    for index, (down, right) in enumerate(_STEPS):
        peak = (strength > neighbour(down, right)) & (strength >= neighbour(-down, -right))
        ridge |= (direction == index) & peak
    return ridge


def _connected(strong: Tensor, weak: Tensor) -> Tensor:
    """Every weak pixel that a chain of weak ones joins to a strong one."""
    found = strong
    while True:
        around = F.max_pool2d(found.float(), 3, stride=1, padding=1) > 0
        grown = around & weak
        if torch.equal(grown, found):
            return found
        found = grown | found
