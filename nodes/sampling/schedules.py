"""Which noise levels a sampler visits: pure functions from a number of steps to sigmas."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

from nodes.sampling.noise_schedule import NoiseSchedule, Spacing, sigma_at, training_sigmas

ROUNDING = 1e-6

SchedulerName = Literal["normal", "karras"]


def _linspace(schedule: NoiseSchedule, steps: int) -> Tensor:
    return torch.linspace(schedule.num_train_timesteps - 1, 0, steps, dtype=torch.float64)


def _leading(schedule: NoiseSchedule, steps: int) -> Tensor:
    stride = schedule.num_train_timesteps // steps
    ascending = torch.arange(steps, dtype=torch.float64) * stride + schedule.steps_offset
    return ascending.flip(0).clamp(max=schedule.num_train_timesteps - 1)


def _trailing(schedule: NoiseSchedule, steps: int) -> Tensor:
    total = schedule.num_train_timesteps
    return (total - torch.arange(steps, dtype=torch.float64) * (total / steps)).round() - 1


_SPACINGS: dict[Spacing, Callable[[NoiseSchedule, int], Tensor]] = {
    "linspace": _linspace,
    "leading": _leading,
    "trailing": _trailing,
}


def timesteps(schedule: NoiseSchedule, steps: int) -> Tensor:
    """The timesteps of a run in the model's own spacing (Lin et al. 2024, Table 2).

    Returns:
        float64 ``[steps]``, decreasing; fractional where the spacing is ``linspace``.

    Raises:
        ValueError: there are more steps than timesteps.
    """
    if not 1 <= steps <= schedule.num_train_timesteps:
        raise ValueError(f"{steps} steps do not fit into {schedule.num_train_timesteps} trained timesteps")
    return _SPACINGS[schedule.spacing](schedule, steps)


def normal(schedule: NoiseSchedule, steps: int) -> Tensor:
    """Noise levels evenly spaced in trained timesteps.

    Returns:
        float64 ``[steps + 1]``, decreasing, 0 last.
    """
    return _with_zero(sigma_at(schedule, timesteps(schedule, steps)))


def karras(schedule: NoiseSchedule, steps: int, rho: float = 7.0) -> Tensor:
    """Noise levels evenly spaced in σ^(1/ρ), over the trained range (Karras et al. 2022, Eq. 5).

    Returns:
        float64 ``[steps + 1]``, decreasing, 0 last.
    """
    trained = training_sigmas(schedule)
    low, high = float(trained[0]) ** (1 / rho), float(trained[-1]) ** (1 / rho)
    return _with_zero(torch.linspace(high, low, steps, dtype=torch.float64) ** rho)


SCHEDULES: dict[SchedulerName, Callable[[NoiseSchedule, int], Tensor]] = {
    "normal": normal,
    "karras": karras,
}


def sigmas_for(schedule: NoiseSchedule, scheduler: SchedulerName, steps: int, denoise: float = 1.0) -> Tensor:
    """The noise levels of a run that starts part of the way.

    With ``denoise`` below 1 the run is the last ``steps`` of one with ``steps / denoise`` steps, so that
    fewer noise is added and the step length stays what it was asked to be.

    Args:
        denoise: above 0, at most 1.

    Returns:
        float64 ``[steps + 1]``, decreasing, 0 last.
    """
    return SCHEDULES[scheduler](schedule, total_steps(steps, denoise))[-(steps + 1) :]


def total_steps(steps: int, denoise: float) -> int:
    """How many steps the whole run has, of which the last ``steps`` are taken."""
    return int(steps / denoise)


def end_at_trained(sigmas: Tensor, schedule: NoiseSchedule) -> Tensor:
    """End at the lowest trained noise level instead of 0, where the model declares no ᾱ = 1 to end at."""
    lowest = float(training_sigmas(schedule)[0])
    if schedule.set_alpha_to_one or float(sigmas[-2]) <= lowest * (1 + ROUNDING):
        return sigmas
    return torch.cat([sigmas[:-1], sigmas.new_tensor([lowest])])


def _with_zero(sigmas: Tensor) -> Tensor:
    return torch.cat([sigmas, sigmas.new_zeros(1)])
