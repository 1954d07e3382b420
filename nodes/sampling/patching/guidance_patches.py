"""Guidance that does not burn the picture."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from nodes.sampling.guidance import Formula
from nodes.sampling.patches import Patch

QUANTILE_LIMIT = 2**24
"""``torch.quantile`` takes no more elements."""


@dataclass(frozen=True)
class RescaledGuidance(Patch):
    """Guidance with the contrast of the positive side (Lin et al. 2024, Eq. 14 to 16).

    Attributes:
        multiplier: φ of the paper; 0 leaves the guidance as it was.
    """

    multiplier: float

    def guidance(self, formula: Formula) -> Formula:
        """The formula so far, its v-prediction brought to the standard deviation of the positive one."""

        def rescaled(x: Tensor, sigma: float, toward: Tensor, away: Tensor, cfg: float) -> Tensor:
            positive = _velocity(x, toward, sigma)
            guided = _velocity(x, formula(x, sigma, toward, away, cfg), sigma)
            brought = guided * (_deviation(positive) / _deviation(guided))
            return _clean(x, self.multiplier * brought + (1 - self.multiplier) * guided, sigma)

        return rescaled


def _velocity(x: Tensor, clean: Tensor, sigma: float) -> Tensor:
    """The v-prediction that says ``clean`` (Salimans and Ho 2022, Appendix D)."""
    return (x / (sigma**2 + 1) - clean) * (math.sqrt(sigma**2 + 1) / sigma)


def _clean(x: Tensor, velocity: Tensor, sigma: float) -> Tensor:
    return x / (sigma**2 + 1) - velocity * (sigma / math.sqrt(sigma**2 + 1))


def _deviation(values: Tensor) -> Tensor:
    return values.std(dim=tuple(range(1, values.ndim)), keepdim=True)


@dataclass(frozen=True)
class PercentileThreshold(Patch):
    """Guidance whose estimate is clipped at a percentile of itself (Saharia et al. 2022, Sec. 2.3).

    Attributes:
        percentile: share of the values of a picture that stay as they are before it is scaled, 0..1.
        limit: magnitude that the data does not exceed: 1 for pixels. What lies within it is left alone, the
            rest clipped at the percentile and scaled to it.
    """

    percentile: float
    limit: float

    def guidance(self, formula: Formula) -> Formula:
        """The formula so far, clipped."""

        def thresholded(x: Tensor, sigma: float, toward: Tensor, away: Tensor, cfg: float) -> Tensor:
            guided = formula(x, sigma, toward, away, cfg)
            sizes = guided.abs().flatten(1)[:, : QUANTILE_LIMIT // len(x)]
            found = torch.quantile(sizes, self.percentile, dim=1).view(-1, *[1] * (x.ndim - 1))
            threshold = found.clamp(min=self.limit)
            return guided.clamp(-threshold, threshold) * (self.limit / threshold)

        return thresholded


@dataclass(frozen=True)
class DynamicThreshold(Patch):
    """Guidance clipped to the range that a lower scale would have (after Saharia et al. 2022, Sec. 2.3).

    Channel by channel and around its mean, what lies beyond a percentile is clipped and the rest scaled down
    to the range of the guidance at ``mimic_scale``. It works on x - D, as the extension of that name does.

    Attributes:
        mimic_scale: the scale whose range is kept.
        threshold_percentile: share of the values that lie within the clipping range, 0..1.
    """

    mimic_scale: float
    threshold_percentile: float

    def guidance(self, formula: Formula) -> Formula:
        """The formula so far, clipped."""

        def thresholded(x: Tensor, sigma: float, toward: Tensor, away: Tensor, cfg: float) -> Tensor:
            strong = x - formula(x, sigma, toward, away, cfg)
            mild = x - formula(x, sigma, toward, away, self.mimic_scale)
            return x - self._clipped(strong.flatten(2), mild.flatten(2)).view_as(x)

        return thresholded

    def _clipped(self, strong: Tensor, mild: Tensor) -> Tensor:
        """``[batch, channels, pixels]``, the first in the range of the second."""
        centre = strong.mean(dim=2, keepdim=True)
        spread = strong - centre
        allowed = (mild - mild.mean(dim=2, keepdim=True)).abs().amax(dim=2, keepdim=True)
        size = spread.abs()[..., : QUANTILE_LIMIT // (spread.shape[0] * spread.shape[1])]
        usual = torch.quantile(size, self.threshold_percentile, dim=2, keepdim=True)
        limit = torch.maximum(usual, allowed).clamp(min=torch.finfo(spread.dtype).tiny)
        return spread.clamp(-limit, limit) * (allowed / limit) + centre
