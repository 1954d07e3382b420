"""Denoising diffusion probabilistic models."""

from __future__ import annotations

import math
from itertools import pairwise

from torch import Tensor

from nodes.sampling.denoiser import Denoiser
from nodes.sampling.noise import NoiseSource
from nodes.sampling.steps import StepCallback, no_callback, toward


def sample_ddpm(
    denoiser: Denoiser,
    x: Tensor,
    sigmas: Tensor,
    noise: NoiseSource,
    on_step: StepCallback = no_callback,
) -> Tensor:
    """Draw from the posterior q(x′ | x, x₀) of the estimate (Ho et al. 2020, Eq. 6 and 7).

    In x = z/√ᾱ its mean lies at σ′²/σ² of the way from x₀ to x, and its variance is σ′² (1 - σ′²/σ²).

    Args:
        x: in variance-exploding scaling.
    """
    for step, (sigma, sigma_next) in enumerate(pairwise(sigmas.tolist()), start=1):
        denoised = denoiser(x, sigma)
        ratio = sigma_next / sigma
        x = toward(denoised, x, ratio**2)
        if sigma_next > 0:
            x = x + sigma_next * math.sqrt(1 - ratio**2) * noise(sigma, sigma_next)
        on_step(step, denoised)
    return x
