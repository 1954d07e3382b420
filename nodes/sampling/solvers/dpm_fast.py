"""DPM-Solver-fast."""

from __future__ import annotations

import math
from itertools import accumulate, pairwise

import torch
from torch import Tensor

from nodes.sampling.denoiser import Denoiser
from nodes.sampling.dpm_solver import DPMSolverStep
from nodes.sampling.steps import StepCallback, no_callback


def sample_dpm_fast(
    denoiser: Denoiser, x: Tensor, sigmas: Tensor, on_step: StepCallback = no_callback
) -> Tensor:
    """As many third-order steps as a given number of estimates allows (Lu et al. 2022, Sec. 3.4, D.3).

    Only the number of ``sigmas``, their first and their last above 0 count: the steps are evenly spaced in
    log σ, and the run ends at that last level.
    """
    start, end = float(sigmas[0]), float(sigmas[sigmas > 0][-1])
    orders = step_orders(len(sigmas) - 1)
    levels = torch.linspace(math.log(start), math.log(end), len(orders) + 1, dtype=torch.float64).exp()
    steps = zip(orders, accumulate(orders), pairwise(levels.tolist()), strict=True)
    for order, done, (sigma, sigma_next) in steps:
        step = DPMSolverStep(denoiser, x, sigma, sigma_next)
        x = step.take(order)
        on_step(done, step.denoised)
    return x


def step_orders(estimates: int) -> list[int]:
    """Orders of the steps, which sum to ``estimates``."""
    thirds, rest = divmod(estimates, 3)
    return [3] * thirds + [rest] if rest else [3] * (thirds - 1) + [2, 1]
