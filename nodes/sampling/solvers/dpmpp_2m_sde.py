"""SDE-DPM-Solver++(2M)."""

from __future__ import annotations

import math
from itertools import pairwise

from torch import Tensor

from nodes.sampling.denoiser import Denoiser
from nodes.sampling.noise import NoiseSource
from nodes.sampling.steps import StepCallback, no_callback, toward


def sample_dpmpp_2m_sde(
    denoiser: Denoiser,
    x: Tensor,
    sigmas: Tensor,
    noise: NoiseSource,
    on_step: StepCallback = no_callback,
    eta: float = 1.0,
) -> Tensor:
    """The second-order multistep solver on the SDE (Lu et al. 2022, Eq. 3.13 with the midpoint rule).

    With λ = -log σ and h the step in λ, the signal decays by e^(-h(1+η)) and the noise is what is missing.

    Args:
        x: in variance-exploding scaling.
        eta: share of the noise; 1 is the SDE of the paper, 0 its DPM-Solver++(2M).
    """
    previous, previous_h = None, 0.0
    for step, (sigma, sigma_next) in enumerate(pairwise(sigmas.tolist()), start=1):
        denoised = target = denoiser(x, sigma)
        if sigma_next > 0:
            h = math.log(sigma / sigma_next)
            if previous is not None:
                target = denoised + (denoised - previous) * (h / (2 * previous_h))
            x = toward(target, x, math.exp(-h * (1 + eta)))
            x = x + sigma_next * math.sqrt(-math.expm1(-2 * eta * h)) * noise(sigma, sigma_next)
            previous, previous_h = denoised, h
        else:
            x = denoised
        on_step(step, denoised)
    return x
