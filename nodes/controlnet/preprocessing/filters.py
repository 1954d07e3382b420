"""Filters over ``[batch, 1 or 3, height, width]`` in 0..1; edges of pictures are repeated."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 - the name the field uses
from torch import Tensor

LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in brightness (ITU-R BT.601)."""


def grey(planes: Tensor) -> Tensor:
    """Brightness ``[batch, 1, height, width]``."""
    if planes.shape[1] == 1:
        return planes
    return (planes * planes.new_tensor(LUMA)[None, :, None, None]).sum(dim=1, keepdim=True)


def gaussian_blur(planes: Tensor, radius: int, sigma: float) -> Tensor:
    """Blur with a Gaussian cut off at ``radius`` pixels."""
    if radius == 0:
        return planes
    places = torch.arange(-radius, radius + 1, dtype=planes.dtype)
    weights = torch.exp(-(places**2) / (2 * sigma**2))
    weights = weights / weights.sum()
    channels = planes.shape[1]
    across = weights[None, None, None, :].expand(channels, 1, 1, -1)
    blurred = F.conv2d(F.pad(planes, (radius, radius, 0, 0), mode="replicate"), across, groups=channels)
    padded = F.pad(blurred, (0, 0, radius, radius), mode="replicate")
    return F.conv2d(padded, across.transpose(2, 3), groups=channels)


def slopes(planes: Tensor) -> tuple[Tensor, Tensor]:
    """Sobel's derivatives along x and y, per pixel, each ``[batch, 1, height, width]``."""
    kernel = planes.new_tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]]) / 8
    kernels = torch.stack([kernel, kernel.T])[:, None]
    found = F.conv2d(F.pad(planes, (1, 1, 1, 1), mode="replicate"), kernels)
    return found[:, :1], found[:, 1:]


def normals(depth: Tensor, strength: float) -> Tensor:
    """Surface normals of a depth map, near being bright, as colours.

    Args:
        depth: ``[batch, 1, height, width]`` in 0..1.
        strength: how much steeper than it is the surface counts.

    Returns:
        ``[batch, 3, height, width]`` in 0..1: x to the right, y upward and z toward the viewer, from -1..1.
    """
    x, y = slopes(depth)
    height = strength * depth.shape[-1]
    normal = torch.cat([-height * x, height * y, torch.ones_like(x)], dim=1)
    return F.normalize(normal, dim=1) / 2 + 0.5
