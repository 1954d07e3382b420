"""DPM-Solver++(2M)."""

from __future__ import annotations

import math
from itertools import pairwise

from torch import Tensor

from nodes.sampling.denoiser import Denoiser
from nodes.sampling.steps import StepCallback, no_callback


def sample_dpmpp_2m(
    denoiser: Denoiser, x: Tensor, sigmas: Tensor, on_step: StepCallback = no_callback
) -> Tensor:
    """The second-order multistep solver for data prediction (Lu et al. 2022, Algorithm 2).

    With λ = -log σ and h the step in λ, e^(-h) is the ratio of the noise levels. The first step has no
    history and the step to σ = 0 is infinitely long, so both are of first order.
    """
    previous, previous_h = None, 0.0
    for step, (sigma, sigma_next) in enumerate(pairwise(sigmas.tolist()), start=1):
        denoised = denoiser(x, sigma)
        h = math.log(sigma / sigma_next) if sigma_next > 0 else math.inf
        target = denoised
        if previous is not None and sigma_next > 0:
            target = denoised + (denoised - previous) * (h / (2 * previous_h))
        x = (sigma_next / sigma) * x + (1 - sigma_next / sigma) * target
        previous, previous_h = denoised, h
        on_step(step, denoised)
    return x
