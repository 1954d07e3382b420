"""DPM-Solver++(2S) with fresh noise at every step."""

from __future__ import annotations

import math
from itertools import pairwise

from torch import Tensor

from nodes.sampling.ancestral import ancestral_step
from nodes.sampling.denoiser import Denoiser
from nodes.sampling.noise import NoiseSource
from nodes.sampling.path import VARIANCE_EXPLODING, Path
from nodes.sampling.steps import StepCallback, no_callback, toward


def sample_dpmpp_2s_ancestral(
    denoiser: Denoiser,
    x: Tensor,
    sigmas: Tensor,
    noise: NoiseSource,
    path: Path = VARIANCE_EXPLODING,
    on_step: StepCallback = no_callback,
    eta: float = 1.0,
) -> Tensor:
    """The second-order singlestep solver for data prediction (Lu et al. 2022, Algorithm 1, r = 1/2).

    It goes to below the next noise level; noise makes up for it.

    Args:
        eta: share of the noise; 0 is the solver of the paper.
    """
    for step, (sigma, sigma_next) in enumerate(pairwise(sigmas.tolist()), start=1):
        denoised = target = denoiser(x, sigma)
        part = ancestral_step(path, sigma, sigma_next, eta)
        if part.down > 0:
            middle = math.sqrt(sigma * part.down)
            target = denoiser(toward(denoised, x, middle / sigma), middle)
        x = toward(target, x, part.down / sigma)
        if sigma_next > 0:
            x = part.renoised(x, noise(sigma, sigma_next))
        on_step(step, denoised)
    return x
