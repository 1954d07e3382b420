"""Turning a conditional denoiser into the one a sampler follows."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from nodes.sampling.condition import Condition
from nodes.sampling.denoiser import ConditionalDenoiser, Denoiser
from nodes.sampling.regions import weighted_mean, with_matching_areas


def guided(
    denoiser: ConditionalDenoiser,
    positive: Sequence[Condition],
    negative: Sequence[Condition],
    cfg: float,
) -> Denoiser:
    """Classifier-free guidance (Ho and Salimans 2022, Eq. 6): D = D₋ + cfg (D₊ - D₋).

    At ``cfg`` 1 the negative side cancels out and is not computed. Several conditions on one side count
    where, when and as much as each says.
    """
    if cfg == 1.0:
        return lambda x, sigma: side_estimates(denoiser, [positive], x, sigma)[0]
    sides = with_matching_areas([negative, positive])

    def denoise(x: Tensor, sigma: float) -> Tensor:
        away, toward = side_estimates(denoiser, sides, x, sigma)
        return away + cfg * (toward - away)

    return denoise


def side_estimates(
    denoiser: ConditionalDenoiser, sides: Sequence[Sequence[Condition]], x: Tensor, sigma: float
) -> list[Tensor]:
    """The estimate of x₀ of each side, from as few forwards as can be."""
    active = [[condition for condition in side if condition.counts_at(sigma)] for side in sides]
    estimates = iter(denoiser(x, sigma, [condition for side in active for condition in side]))
    return [weighted_mean(x, side, [next(estimates) for _ in side]) for side in active]
