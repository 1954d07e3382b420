"""Pictures as a ControlNet takes them."""

from __future__ import annotations

import torch.nn.functional as F  # noqa: N812 - the name the field uses
from torch import Tensor

from nodes.controlnet.preprocessing.filters import grey
from nodes.vae.pixels import to_rgb


def prepare_hint(pixels: Tensor, height: int, width: int, channels: int = 3) -> Tensor:
    """Fit pictures to the size a run needs.

    Args:
        pixels: ``[batch, height, width, 1|3|4]`` in 0..1.
        channels: 3 for RGB, 1 for brightness.

    Returns:
        ``[batch, channels, height, width]`` in 0..1: cropped about the centre to the shape of the run, then
        resized with antialiasing; alpha is left out.
    """
    planes = to_rgb(pixels).movedim(-1, 1)
    planes = grey(planes) if channels == 1 else planes
    if planes.shape[-2:] == (height, width):
        return planes
    cropped = _crop_to_shape(planes, height, width)
    return F.interpolate(cropped, size=(height, width), mode="bilinear", antialias=True)


def _crop_to_shape(planes: Tensor, height: int, width: int) -> Tensor:
    have_height, have_width = planes.shape[-2:]
    keep_height = min(have_height, max(1, round(have_width * height / width)))
    keep_width = min(have_width, max(1, round(have_height * width / height)))
    top, left = (have_height - keep_height) // 2, (have_width - keep_width) // 2
    return planes[..., top : top + keep_height, left : left + keep_width]
