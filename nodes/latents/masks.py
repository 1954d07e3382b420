"""Masks at latent size."""

from __future__ import annotations

import torch.nn.functional as F  # noqa: N812 - the name the field uses
from torch import Tensor


def to_latent_mask(values: Tensor, height: int, width: int) -> Tensor:
    """Resize masks, with antialiasing.

    Args:
        values: ``[batch, height, width]`` in 0..1.

    Returns:
        ``[batch, 1, height, width]`` in 0..1 at the new size.
    """
    planes = values[:, None]
    return F.interpolate(planes, size=(height, width), mode="bilinear", antialias=True).clamp(0, 1)
