"""Pictures on their way into networks and out of them."""

from __future__ import annotations

import torch

from nodegraph.errors import InputError
from nodes.images.colour import with_channels
from nodes.style.types import FeatureExtractor
from nodes.types import Image


def check_size(image: Image, extractor: FeatureExtractor) -> None:
    """Raise ``InputError`` where pictures are too small for an extractor."""
    height, width = image.pixels.shape[1:3]
    if min(width, height) < extractor.smallest:
        least = f"{extractor.smallest} x {extractor.smallest}"
        raise InputError(
            "image", f"{width} x {height} pixels are too few for the extractor; {least} would do"
        )


def planes_of(image: Image) -> torch.Tensor:
    """RGB of pictures as ``[batch, 3, height, width]``."""
    return with_channels(image.pixels, 3).movedim(-1, 1)


def image_of(planes: torch.Tensor) -> Image:
    """Pictures ``[batch, 3, height, width]`` of any device and type as an ``Image``."""
    return Image(planes.detach().movedim(1, -1).float().cpu().contiguous())
