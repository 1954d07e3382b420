"""How pictures and noise mix on the way a sampler goes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from torch import Tensor


@dataclass(frozen=True)
class Path:
    """x = α(σ) x₀ + σ ε, the scaling a model is sampled in.

    On every path with this form the probability-flow ODE is dx/dσ = (x - D(x; σ))/σ wherever α is constant
    or 1 - σ, so solvers of the ODE need not know which one they follow; what adds noise does.

    Attributes:
        kind: ``variance_exploding`` has α = 1 (Karras et al. 2022, Table 1), ``rectified_flow`` has
            α = 1 - σ (Liu et al. 2023).
    """

    kind: Literal["variance_exploding", "rectified_flow"]

    def alpha(self, sigma: float) -> float:
        """How much of the picture is left at noise level ``sigma``."""
        return 1.0 if self.kind == "variance_exploding" else 1.0 - sigma

    def noised(self, clean: Tensor, noise: Tensor, sigma: float) -> Tensor:
        """``clean`` with the noise of a level."""
        return self.alpha(sigma) * clean + sigma * noise

    def raising(self, low: float, high: float) -> tuple[float, float]:
        """The forward process from level ``low`` up to ``high``: what to scale x with, and the standard
        deviation of the noise to add then."""
        scale = self.alpha(high) / self.alpha(low)
        return scale, math.sqrt(max(high**2 - (scale * low) ** 2, 0.0))

    def ratio(self, sigma: float) -> float:
        """Noise per picture, σ/α: the same moment's noise level on the variance-exploding path."""
        alpha = self.alpha(sigma)
        return sigma / alpha if alpha > 0 else math.inf

    def at_ratio(self, ratio: float) -> float:
        """The inverse of ``ratio``."""
        return ratio if self.kind == "variance_exploding" else ratio / (1 + ratio)


VARIANCE_EXPLODING = Path("variance_exploding")
RECTIFIED_FLOW = Path("rectified_flow")
