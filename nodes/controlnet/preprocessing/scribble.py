"""Scribbles: what a hand would draw of a picture's outlines (Zhang et al. 2023, Appendix: scribbles)."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F  # noqa: N812 - the name the field uses
from torch import Tensor

from nodes.controlnet.preprocessing.canny import canny
from nodes.controlnet.preprocessing.filters import gaussian_blur

RADIUS = 4
"""Pixels after which the first blur is cut off; it takes away what no hand would draw."""
SIGMA = 2.0


def scribble(planes: Tensor, low: float, high: float, thickness: int) -> Tensor:
    """Thick, smooth lines along the strongest outlines.

    Edges of the blurred picture are widened to strokes; blurring those and cutting at one half rounds their
    corners, and takes specks away.

    Args:
        planes: brightness ``[batch, 1, height, width]`` in 0..1.
        low: contrast below which nothing is an edge.
        high: contrast from which an edge stands by itself.
        thickness: width of the strokes in pixels.

    Returns:
        0 and 1, of the same shape.
    """
    edges = canny(gaussian_blur(planes, RADIUS, SIGMA), low, high)
    rounding = max(1, thickness // 2)
    smooth = gaussian_blur(widened(edges, thickness), 2 * rounding, float(rounding))
    return (smooth > 0.5).to(planes.dtype)


def widened(lines: Tensor, thickness: int) -> Tensor:
    """Lines of one pixel as strokes: every pixel nearer than half of the thickness, with round ends."""
    reach, (height, width) = thickness // 2, lines.shape[-2:]
    # What stands in a stretch of a row is a difference of two running sums, however long the stretch is.
    sums = F.pad(lines, [reach + 1, reach, reach, reach]).cumsum(-1)
    found = torch.zeros_like(lines)
    for row in range(-reach, reach + 1):
        half = math.isqrt((thickness**2 - 4 * row**2) // 4)
        rows = sums[..., reach + row : reach + row + height, :]
        found += rows[..., reach + 1 + half :][..., :width] - rows[..., reach - half :][..., :width]
    return (found > 0).to(lines)
