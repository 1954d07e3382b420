"""DPM-Solver-23 with adaptive steps."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from nodes.sampling.denoiser import Denoiser
from nodes.sampling.dpm_solver import DPMSolverStep
from nodes.sampling.steps import StepCallback, no_callback

ORDER = 3
FIRST_STEP = 0.05
ENOUGH = 1e-5
ACCEPTED = 0.81
"""The least factor of the next step's length at which a step counts."""


def sample_dpm_adaptive(
    denoiser: Denoiser,
    x: Tensor,
    sigmas: Tensor,
    on_step: StepCallback = no_callback,
    rtol: float = 0.05,
    atol: float = 0.0078,
) -> Tensor:
    """Steps as long as orders 2 and 3 agree (Lu et al. 2022, Sec. 3.4 and Appendix C, Algorithm 4).

    Only the first of ``sigmas`` and the last above 0 count, and their number for the progress. How a step's
    length follows from its error is the field's: multiplied by 1 + arctan(error^(-1/3) - 1).

    Args:
        rtol: tolerance relative to x.
        atol: least tolerance; the default is one 8-bit step.

    Raises:
        ArithmeticError: an estimate is not a number.
    """
    start, end, total = float(sigmas[0]), float(sigmas[sigmas > 0][-1]), len(sigmas) - 1
    time, last, length, previous = -math.log(start), -math.log(end), FIRST_STEP, x
    while time < last - ENOUGH:
        after = min(last, time + length)
        step = DPMSolverStep(denoiser, x, math.exp(-time), math.exp(-after))
        low, high = step.second_order(1 / 3), step.third_order()
        factor = _length_factor(_error(low, high, previous, rtol, atol))
        length *= factor
        if factor >= ACCEPTED:
            time, x, previous = after, high, low
            on_step(round(total * (1 - (last - time) / math.log(start / end))), step.denoised)
    return x


def _error(low: Tensor, high: Tensor, previous: Tensor, rtol: float, atol: float) -> float:
    """Root mean square of the disagreement in units of the tolerance."""
    tolerance = (rtol * torch.maximum(low.abs(), previous.abs())).clamp(min=atol)
    error = float(((low - high) / tolerance).square().mean().sqrt())
    if not math.isfinite(error):
        raise ArithmeticError("the denoiser's estimate is not a number, so no step is short enough")
    return error


def _length_factor(error: float) -> float:
    return 1 + math.atan((error + 1e-8) ** (-1 / ORDER) - 1)
