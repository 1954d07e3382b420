"""Turning a conditional denoiser into the one a sampler follows."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from nodes.sampling.condition import Condition
from nodes.sampling.denoiser import ConditionalDenoiser, Denoiser


def guided(
    denoiser: ConditionalDenoiser,
    positive: Sequence[Condition],
    negative: Sequence[Condition],
    cfg: float,
) -> Denoiser:
    """Classifier-free guidance (Ho and Salimans 2022, Eq. 6): D = D₋ + cfg (D₊ - D₋).

    At ``cfg`` 1 the negative side cancels out and is not computed. Several conditions on one side count
    in equal parts.
    """
    if cfg == 1.0:
        return lambda x, sigma: _mean(denoiser(x, sigma, positive))

    def denoise(x: Tensor, sigma: float) -> Tensor:
        estimates = denoiser(x, sigma, [*negative, *positive])
        away, toward = _mean(estimates[: len(negative)]), _mean(estimates[len(negative) :])
        return away + cfg * (toward - away)

    return denoise


def _mean(estimates: Sequence[Tensor]) -> Tensor:
    return estimates[0] if len(estimates) == 1 else torch.stack(tuple(estimates)).mean(dim=0)
