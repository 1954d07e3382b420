"""DPM-Solver++ for the SDE, singlestep."""

from __future__ import annotations

import math
from itertools import pairwise

from torch import Tensor

from nodes.sampling.ancestral import ancestral_step
from nodes.sampling.denoiser import Denoiser
from nodes.sampling.noise import NoiseSource
from nodes.sampling.path import VARIANCE_EXPLODING
from nodes.sampling.steps import StepCallback, no_callback, toward


def sample_dpmpp_sde(
    denoiser: Denoiser,
    x: Tensor,
    sigmas: Tensor,
    noise: NoiseSource,
    on_step: StepCallback = no_callback,
    eta: float = 1.0,
) -> Tensor:
    """The estimate halfway in log σ carries the whole step, and both halves take noise of one Brownian path.

    DPM-Solver++(2S) (Lu et al. 2022, Algorithm 1, r = 1/2) on the SDE, as Crowson published it.

    Args:
        x: in variance-exploding scaling.
        noise: of a Brownian path, so that the noise of the first half is part of that of the whole.
        eta: share of the noise.
    """
    for step, (sigma, sigma_next) in enumerate(pairwise(sigmas.tolist()), start=1):
        denoised = target = denoiser(x, sigma)
        if sigma_next > 0:
            middle = math.sqrt(sigma * sigma_next)
            half = ancestral_step(VARIANCE_EXPLODING, sigma, middle, eta)
            there = half.renoised(toward(denoised, x, half.down / sigma), noise(sigma, middle))
            target = denoiser(there, middle)
        whole = ancestral_step(VARIANCE_EXPLODING, sigma, sigma_next, eta)
        x = toward(target, x, whole.down / sigma)
        if sigma_next > 0:
            x = whole.renoised(x, noise(sigma, sigma_next))
        on_step(step, denoised)
    return x
