"""Resampling latents along great circles, so that vectors between two others are as long as they are."""

from __future__ import annotations

import torch
from torch import Tensor

NEARLY_PARALLEL = 1e-5
"""Cosines that differ from 1 or -1 by less name no plane to turn in."""


def bislerp(samples: Tensor, height: int, width: int) -> Tensor:
    """Spherical linear interpolation (Shoemake 1985) of the channel vectors, along rows and then columns.

    Args:
        samples: ``[batch, channels, rows, columns]``.

    Returns:
        ``[batch, channels, height, width]``, on the grid of bilinear interpolation.
    """
    rows = _along_last(samples.float(), width)
    return _along_last(rows.mT, height).mT.to(samples.dtype)


def _along_last(planes: Tensor, length: int) -> Tensor:
    have = planes.shape[-1]
    places = ((torch.arange(length, device=planes.device) + 0.5) * have / length - 0.5).clamp(0, have - 1)
    before = places.floor().long()
    after = (before + 1).clamp(max=have - 1)
    return slerp(planes[..., before], planes[..., after], places - before)


def slerp(one: Tensor, other: Tensor, share: Tensor) -> Tensor:
    """From ``one`` at share 0 to ``other`` at 1; vectors are dim 1, and their lengths change evenly.

    Vectors of one direction give the first, opposite ones are mixed along the line between them.
    """
    lengths = [vectors.norm(dim=1, keepdim=True) for vectors in (one, other)]
    units = [v / n.clamp(min=torch.finfo(v.dtype).tiny) for v, n in zip((one, other), lengths, strict=True)]
    cosine = (units[0] * units[1]).sum(dim=1, keepdim=True)
    angle = cosine.clamp(-1, 1).acos()
    sine = angle.sin().clamp(min=torch.finfo(angle.dtype).tiny)
    direction = ((1 - share) * angle).sin() / sine * units[0] + (share * angle).sin() / sine * units[1]
    turned = direction * torch.lerp(lengths[0], lengths[1], share.expand_as(lengths[0]))
    turned = torch.where(cosine > 1 - NEARLY_PARALLEL, one, turned)
    return torch.where(cosine < NEARLY_PARALLEL - 1, torch.lerp(one, other, share.expand_as(one)), turned)
