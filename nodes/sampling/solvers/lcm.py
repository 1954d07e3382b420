"""Multistep consistency sampling."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor

from nodes.sampling.denoiser import Denoiser
from nodes.sampling.noise import NoiseSource
from nodes.sampling.path import VARIANCE_EXPLODING, Path
from nodes.sampling.steps import StepCallback, no_callback


def sample_lcm(
    denoiser: Denoiser,
    x: Tensor,
    sigmas: Tensor,
    noise: NoiseSource,
    path: Path = VARIANCE_EXPLODING,
    on_step: StepCallback = no_callback,
) -> Tensor:
    """Jump to the estimate, then noise it to the next level (Song et al. 2023, Algorithm 1)."""
    for step, (sigma, sigma_next) in enumerate(pairwise(sigmas.tolist()), start=1):
        x = denoised = denoiser(x, sigma)
        if sigma_next > 0:
            x = path.noised(denoised, noise(sigma, sigma_next), sigma_next)
        on_step(step, denoised)
    return x
