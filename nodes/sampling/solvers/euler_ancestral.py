"""Euler's method with fresh noise at every step."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor

from nodes.sampling.ancestral import ancestral_step
from nodes.sampling.denoiser import Denoiser
from nodes.sampling.noise import NoiseSource
from nodes.sampling.path import VARIANCE_EXPLODING, Path
from nodes.sampling.steps import StepCallback, no_callback, toward


def sample_euler_ancestral(
    denoiser: Denoiser,
    x: Tensor,
    sigmas: Tensor,
    noise: NoiseSource,
    path: Path = VARIANCE_EXPLODING,
    on_step: StepCallback = no_callback,
    eta: float = 1.0,
) -> Tensor:
    """A straight line to below the next noise level, then noise up to it.

    Args:
        eta: share of the noise; 0 is Euler's method, 1 the DDPM posterior.
    """
    for step, (sigma, sigma_next) in enumerate(pairwise(sigmas.tolist()), start=1):
        denoised = denoiser(x, sigma)
        part = ancestral_step(path, sigma, sigma_next, eta)
        x = toward(denoised, x, part.down / sigma)
        if sigma_next > 0:
            x = part.renoised(x, noise(sigma, sigma_next))
        on_step(step, denoised)
    return x
