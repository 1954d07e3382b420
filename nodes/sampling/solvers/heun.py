"""Heun's method."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor

from nodes.sampling.denoiser import Denoiser
from nodes.sampling.steps import StepCallback, no_callback, slope, toward


def sample_heun(denoiser: Denoiser, x: Tensor, sigmas: Tensor, on_step: StepCallback = no_callback) -> Tensor:
    """Second order by the mean of the slopes at both ends (Karras et al. 2022, Algorithm 1).

    Two estimates a step; the step to σ = 0, where the slope is not defined, takes one.
    """
    for step, (sigma, sigma_next) in enumerate(pairwise(sigmas.tolist()), start=1):
        denoised = denoiser(x, sigma)
        end = toward(denoised, x, sigma_next / sigma)
        if sigma_next > 0:
            there = slope(end, denoiser(end, sigma_next), sigma_next)
            end = x + (sigma_next - sigma) * (slope(x, denoised, sigma) + there) / 2
        x = end
        on_step(step, denoised)
    return x
