"""Resampling pictures ``[batch, height, width, channels]``, antialiased."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image as Pillow
from torch.nn import functional


def resize(pixels: torch.Tensor, width: int, height: int, method: str) -> torch.Tensor:
    """Pictures at another size, in 0..1; colour next to transparent pixels does not bleed.

    Args:
        pixels: float32 ``[batch, height, width, 1|3|4]``.
        width: wanted width in pixels.
        height: wanted height in pixels.
        method: ``nearest-exact``, ``area``, or an antialiased ``bilinear``, ``bicubic`` (a = -0.5) or
            ``lanczos`` (three lobes) filter.
    """
    if pixels.shape[1:3] == (height, width):
        return pixels
    if pixels.shape[-1] < 4 or method == "nearest-exact":
        return _resample(pixels, width, height, method)
    alpha = pixels[..., 3:]
    weighted = _resample(torch.cat([pixels[..., :3] * alpha, alpha], dim=-1), width, height, method)
    colour, alpha = weighted[..., :3], weighted[..., 3:]
    return torch.cat([(colour / alpha.clamp(min=1e-6)).clamp(0, 1), alpha], dim=-1)


def _resample(pixels: torch.Tensor, width: int, height: int, method: str) -> torch.Tensor:
    planes = pixels.movedim(-1, 1)
    if method == "lanczos":
        resized = _lanczos(planes, width, height)
    else:
        antialias = method in ("bilinear", "bicubic")
        resized = functional.interpolate(planes, size=(height, width), mode=method, antialias=antialias)
    return resized.clamp(0, 1).movedim(1, -1).contiguous()  # bicubic and lanczos overshoot at edges


def _lanczos(planes: torch.Tensor, width: int, height: int) -> torch.Tensor:
    """Pillow's filter on float planes, which torch does not have; nothing is rounded to 8 bits."""
    resized = [_lanczos_plane(plane, width, height) for plane in planes.flatten(0, 1)]
    return torch.stack(resized).view(*planes.shape[:2], height, width)


def _lanczos_plane(plane: torch.Tensor, width: int, height: int) -> torch.Tensor:
    picture = Pillow.fromarray(plane.contiguous().numpy())
    return torch.from_numpy(np.array(picture.resize((width, height), Pillow.Resampling.LANCZOS)))


def target_size(source: tuple[int, int], width: int, height: int) -> tuple[int, int]:
    """The wanted ``(width, height)``, where 0 stands for what keeps the ratio of the source."""
    source_width, source_height = source
    if not width and not height:
        return source
    if not width:
        return max(1, round(source_width * height / source_height)), height
    if not height:
        return width, max(1, round(source_height * width / source_width))
    return width, height


def crop_to_ratio(pixels: torch.Tensor, width: int, height: int) -> torch.Tensor:
    """The largest centred part of the pictures that has the ratio ``width : height``."""
    own_height, own_width = pixels.shape[1:3]
    kept_width = min(own_width, max(1, round(own_height * width / height)))
    kept_height = min(own_height, max(1, round(own_width * height / width)))
    left, top = (own_width - kept_width) // 2, (own_height - kept_height) // 2
    return pixels[:, top : top + kept_height, left : left + kept_width]


def fill(pixels: torch.Tensor, width: int, height: int, method: str) -> torch.Tensor:
    """Pictures that fill another size without distortion; what sticks out is cut off evenly."""
    return resize(crop_to_ratio(pixels, width, height), width, height, method)
