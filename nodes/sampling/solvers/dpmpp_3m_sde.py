"""SDE-DPM-Solver++(3M)."""

from __future__ import annotations

import math
from itertools import pairwise

from torch import Tensor

from nodes.sampling.denoiser import Denoiser
from nodes.sampling.noise import NoiseSource
from nodes.sampling.steps import StepCallback, no_callback, toward

History = list[tuple[Tensor, float]]
"""Earlier estimates, each with the step in λ that followed it; the latest first."""


def sample_dpmpp_3m_sde(
    denoiser: Denoiser,
    x: Tensor,
    sigmas: Tensor,
    noise: NoiseSource,
    on_step: StepCallback = no_callback,
    eta: float = 1.0,
) -> Tensor:
    """The third-order multistep solver on the SDE, as Crowson published it.

    The estimate is continued by a parabola in λ = -log σ through the last three and integrated exactly
    against the decay e^(-(1+η)λ) (Lu et al. 2022, Eq. 3.13; Hochbruck and Ostermann 2010, Sec. 2). The
    expansion gives the curvature twice the weight that the published solver gives it, and with it order 3;
    this keeps to what was published and everybody uses, which is of order 2.

    Args:
        x: in variance-exploding scaling.
        eta: share of the noise; 0 solves the ODE.
    """
    history: History = []
    for step, (sigma, sigma_next) in enumerate(pairwise(sigmas.tolist()), start=1):
        denoised = denoiser(x, sigma)
        if sigma_next > 0:
            h = math.log(sigma / sigma_next)
            x = toward(denoised, x, math.exp(-h * (1 + eta))) + _bend(denoised, history, h, h * (1 + eta))
            x = x + sigma_next * math.sqrt(-math.expm1(-2 * eta * h)) * noise(sigma, sigma_next)
            history = [(denoised, h), *history[:1]]
        else:
            x = denoised
        on_step(step, denoised)
    return x


def _bend(denoised: Tensor, history: History, h: float, decay: float) -> Tensor | float:
    """What the change of the estimate adds to a step of length ``h`` over which x decays by e^-``decay``."""
    if not history:
        return 0.0
    phi_2 = math.expm1(-decay) / decay + 1
    (first, first_h), *older = history
    change = (denoised - first) * (h / first_h)
    if not older:
        return phi_2 * change
    second, second_h = older[0]
    earlier = (first - second) * (h / second_h)
    curvature = (change - earlier) * (h / (first_h + second_h))
    return phi_2 * (change + curvature * (first_h / h)) - (phi_2 / decay - 0.5) * curvature
