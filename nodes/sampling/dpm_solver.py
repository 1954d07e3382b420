"""The steps of DPM-Solver (Lu et al. 2022, NeurIPS), which dpm_fast and dpm_adaptive put together.

With λ = -log σ and h the step in λ; ε is the estimate of the noise.
"""

from __future__ import annotations

import math

from torch import Tensor

from nodes.sampling.denoiser import Denoiser
from nodes.sampling.steps import slope


class DPMSolverStep:
    """One step; what the orders have in common is estimated once.

    Args:
        denoiser: the denoiser.
        x: at noise level ``sigma``.
        sigma: where the step starts.
        sigma_next: where it ends, above 0.
    """

    def __init__(self, denoiser: Denoiser, x: Tensor, sigma: float, sigma_next: float) -> None:
        self._denoiser = denoiser
        self._x = x
        self._sigma = sigma
        self._h = math.log(sigma / sigma_next)
        self.denoised = denoiser(x, sigma)
        self._epsilon = slope(x, self.denoised, sigma)
        self._changes: dict[float, Tensor] = {}

    def take(self, order: int) -> Tensor:
        """x at the end of a step of order 1, 2 (Algorithm 1) or 3 (Algorithm 2), as the paper has them."""
        if order == 1:
            return self._straight(1.0)
        return self.second_order(0.5) if order == 2 else self.third_order()

    def second_order(self, part: float) -> Tensor:
        """The step that looks at the noise once more, ``part`` of the way in λ."""
        change = self._change(part, self._straight(part))
        return self._straight(1.0) - self._level(1.0) * math.expm1(self._h) / (2 * part) * change

    def third_order(self) -> Tensor:
        """The step that looks at the noise after one and two thirds."""
        first, second = 1 / 3, 2 / 3
        between = self._straight(second) - self._bent(second) * (second / first) * self._change(
            first, self._straight(first)
        )
        return self._straight(1.0) - self._bent(1.0) / second * self._change(second, between)

    def _level(self, part: float) -> float:
        return self._sigma * math.exp(-part * self._h)

    def _straight(self, part: float) -> Tensor:
        """x after ``part`` of the step if ε stays as it is."""
        return self._x + (self._level(part) - self._sigma) * self._epsilon

    def _bent(self, part: float) -> float:
        """Weight of a change of ε that grows linearly in λ."""
        length = part * self._h
        return self._level(part) * (math.expm1(length) / length - 1)

    def _change(self, part: float, x: Tensor) -> Tensor:
        """How ε differs at ``x``, ``part`` of the way."""
        if part not in self._changes:
            sigma = self._level(part)
            self._changes[part] = slope(x, self._denoiser(x, sigma), sigma) - self._epsilon
        return self._changes[part]
