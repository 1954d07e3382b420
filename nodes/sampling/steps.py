"""What every sampler's step is made of."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

StepCallback = Callable[[int, Tensor], None]
"""Called with the number of steps done and the current estimate of x₀; may raise to stop."""


def no_callback(step: int, denoised: Tensor) -> None:
    """Tell nobody."""


def slope(x: Tensor, denoised: Tensor, sigma: float) -> Tensor:
    """dx/dσ of the probability-flow ODE (Karras et al. 2022, Eq. 3), which is also the estimate of ε."""
    return (x - denoised) / sigma


def toward(denoised: Tensor, x: Tensor, ratio: float) -> Tensor:
    """Go from ``x`` straight towards ``denoised``, to where only ``ratio`` = σ′/σ of the noise is left.

    Euler's step in σ, and at once the exact solution for a constant estimate: DDIM (Song et al. 2021,
    Eq. 12 with η = 0) and DPM-Solver++ of first order (Lu et al. 2022, Eq. 3.7).
    """
    return denoised + ratio * (x - denoised)
