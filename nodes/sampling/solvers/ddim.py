"""Denoising diffusion implicit models."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor

from nodes.sampling.denoiser import Denoiser
from nodes.sampling.steps import StepCallback, no_callback, slope


def sample_ddim(denoiser: Denoiser, x: Tensor, sigmas: Tensor, on_step: StepCallback = no_callback) -> Tensor:
    """Deterministic DDIM (Song et al. 2021, Eq. 12 with η = 0).

    Divided by √ᾱ, the equation predicts x₀ and ε and mixes them again at the next noise level. On a flow's
    path the same line reads x + (σ′ - σ) v.
    """
    for step, (sigma, sigma_next) in enumerate(pairwise(sigmas.tolist()), start=1):
        denoised = denoiser(x, sigma)
        x = x + (sigma_next - sigma) * slope(x, denoised, sigma)
        on_step(step, denoised)
    return x
