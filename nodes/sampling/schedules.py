"""Which noise levels a sampler visits: pure functions from a number of steps to sigmas."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

from nodes.sampling.flow_schedule import FlowSchedule
from nodes.sampling.noise_schedule import Schedule, training_sigmas
from nodes.sampling.sigma_schedules import exponential, karras, kl_optimal, linear_quadratic
from nodes.sampling.timestep_schedules import beta, ddim_uniform, normal, sgm_uniform, simple

ROUNDING = 1e-6

SchedulerName = Literal[
    "normal",
    "karras",
    "exponential",
    "sgm_uniform",
    "simple",
    "ddim_uniform",
    "beta",
    "linear_quadratic",
    "kl_optimal",
]


def trained_range(schedule: Schedule) -> tuple[float, float]:
    """The lowest and the highest noise level a model was trained at."""
    trained = training_sigmas(schedule)
    return float(trained[0]), float(trained[-1])


def _over_trained_range(function: Callable[[int, float, float], Tensor]) -> Callable[[Schedule, int], Tensor]:
    return lambda schedule, steps: function(steps, *trained_range(schedule))


SCHEDULES: dict[SchedulerName, Callable[[Schedule, int], Tensor]] = {
    "normal": normal,
    "karras": _over_trained_range(karras),
    "exponential": _over_trained_range(exponential),
    "sgm_uniform": sgm_uniform,
    "simple": simple,
    "ddim_uniform": ddim_uniform,
    "beta": beta,
    "linear_quadratic": _over_trained_range(linear_quadratic),
    "kl_optimal": _over_trained_range(kl_optimal),
}


def sigmas_for(
    schedule: Schedule,
    scheduler: SchedulerName,
    steps: int,
    denoise: float = 1.0,
    *,
    skip_last_but_one: bool = False,
) -> Tensor:
    """The noise levels of a run that starts part of the way.

    With ``denoise`` below 1 the run is the last ``steps`` of one with ``steps / denoise`` steps, so that
    fewer noise is added and the step length stays what it was asked to be.

    Args:
        denoise: above 0, at most 1.
        skip_last_but_one: make one level more and leave out the lowest above 0.

    Returns:
        float64, decreasing, 0 last: ``[steps + 1]``, save where the schedule says otherwise.
    """
    total = total_steps(steps, denoise)
    if skip_last_but_one:
        longer = SCHEDULES[scheduler](schedule, total + 1)
        sigmas = torch.cat([longer[:-2], longer[-1:]])
    else:
        sigmas = SCHEDULES[scheduler](schedule, total)
    return sigmas if denoise == 1.0 else sigmas[-(steps + 1) :]


def total_steps(steps: int, denoise: float) -> int:
    """How many steps the whole run has, of which the last ``steps`` are taken."""
    return int(steps / denoise)


def end_at_trained(sigmas: Tensor, schedule: Schedule) -> Tensor:
    """End at the lowest trained noise level instead of 0, where the model declares no ᾱ = 1 to end at."""
    if isinstance(schedule, FlowSchedule) or schedule.set_alpha_to_one:
        return sigmas
    lowest, _ = trained_range(schedule)
    if float(sigmas[-1]) > 0 or float(sigmas[-2]) <= lowest * (1 + ROUNDING):
        return sigmas
    return torch.cat([sigmas[:-1], sigmas.new_tensor([lowest])])
