"""DPM-Solver-2 as a method in σ."""

from __future__ import annotations

import math
from itertools import pairwise

from torch import Tensor

from nodes.sampling.denoiser import Denoiser
from nodes.sampling.steps import StepCallback, no_callback, slope, toward


def sample_dpm_2(
    denoiser: Denoiser, x: Tensor, sigmas: Tensor, on_step: StepCallback = no_callback
) -> Tensor:
    """The slope halfway in log σ carries the whole step (Lu et al. 2022, Algorithm 1)."""
    for step, (sigma, sigma_next) in enumerate(pairwise(sigmas.tolist()), start=1):
        denoised = denoiser(x, sigma)
        x = midpoint_step(denoiser, x, denoised, sigma, sigma_next)
        on_step(step, denoised)
    return x


def midpoint_step(denoiser: Denoiser, x: Tensor, denoised: Tensor, sigma: float, sigma_next: float) -> Tensor:
    """From ``sigma`` to ``sigma_next`` by the slope between them; to 0 by Euler's step."""
    if sigma_next == 0:
        return denoised
    middle = math.sqrt(sigma * sigma_next)
    there = toward(denoised, x, middle / sigma)
    return x + (sigma_next - sigma) * slope(there, denoiser(there, middle), middle)
