"""Schedules that know of a model only the noise levels it reaches.

Each takes a number of steps, the lowest and the highest level, and gives float64 ``[steps + 1]``:
decreasing from the highest level, 0 last.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

THRESHOLD = 0.025


def _descending(high: float, low: float, steps: int) -> Tensor:
    return torch.linspace(high, low, steps, dtype=torch.float64)


def with_zero(sigmas: Tensor) -> Tensor:
    """``sigmas`` and a last level without noise."""
    return torch.cat([sigmas, sigmas.new_zeros(1)])


def karras(steps: int, low: float, high: float, rho: float = 7.0) -> Tensor:
    """Evenly spaced in σ^(1/ρ) (Karras et al. 2022, Eq. 5)."""
    return with_zero(_descending(high ** (1 / rho), low ** (1 / rho), steps) ** rho)


def exponential(steps: int, low: float, high: float) -> Tensor:
    """Evenly spaced in log σ, which is uniform λ for DPM-Solver (Lu et al. 2022, Sec. 3.4)."""
    return with_zero(_descending(math.log(high), math.log(low), steps).exp())


def kl_optimal(steps: int, low: float, high: float) -> Tensor:
    """Evenly spaced in arctan σ: optimal for Gaussian data (Sabour et al. 2024, Theorem 3.1)."""
    return with_zero(_descending(math.atan(high), math.atan(low), steps).tan())


def linear_quadratic(steps: int, low: float, high: float, threshold: float = THRESHOLD) -> Tensor:
    """Half of the steps linear down to ``1 - threshold``, then a parabola that joins it without a kink.

    Polyak et al. 2024 (Movie Gen), Sec. 3.1.4, as Mochi's reference code has it; σ in units of ``high``.
    ``low`` plays no part.
    """
    if steps == 1:
        return torch.tensor([high, 0.0], dtype=torch.float64)
    linear = steps // 2
    quadratic = steps - linear
    slope = threshold / linear
    bend = (1 - threshold - slope * quadratic) / quadratic**2
    step = torch.arange(steps, dtype=torch.float64)
    beyond = (step - linear).clamp(min=0)
    return with_zero((1 - slope * step - bend * beyond**2) * high)
