"""Euler's method."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor

from nodes.sampling.denoiser import Denoiser
from nodes.sampling.steps import StepCallback, no_callback, toward


def sample_euler(
    denoiser: Denoiser, x: Tensor, sigmas: Tensor, on_step: StepCallback = no_callback
) -> Tensor:
    """Follow the probability-flow ODE dx/dσ = (x - D(x; σ))/σ by straight lines.

    Karras et al. 2022, Algorithm 1 without its correction step.
    """
    for step, (sigma, sigma_next) in enumerate(pairwise(sigmas.tolist()), start=1):
        denoised = denoiser(x, sigma)
        x = toward(denoised, x, sigma_next / sigma)
        on_step(step, denoised)
    return x
