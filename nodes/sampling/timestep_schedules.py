"""Schedules that choose among the noise levels a model was trained at.

Each takes the trained noise and a number of steps and gives float64 sigmas, decreasing, 0 last:
``[steps + 1]`` where nothing else is said.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from nodes.sampling.flow_schedule import TIMESTEP_SCALE, FlowSchedule
from nodes.sampling.noise_schedule import NoiseSchedule, Schedule, Spacing, sigma_at, training_sigmas
from nodes.sampling.sigma_schedules import with_zero


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


def timesteps(schedule: Schedule, steps: int) -> Tensor:
    """The timesteps of a run in the model's own spacing (Lin et al. 2024, Table 2).

    Returns:
        float64 ``[steps]``, decreasing; fractional where the spacing is ``linspace``, as it always is for
        flow models.

    Raises:
        ValueError: there are more steps than timesteps.
    """
    _require_room(schedule, steps)
    if isinstance(schedule, FlowSchedule):
        return torch.linspace(*_ends(schedule), steps, dtype=torch.float64)
    return _SPACINGS[schedule.spacing](schedule, steps)


def normal(schedule: Schedule, steps: int) -> Tensor:
    """Evenly spaced in trained timesteps, in the model's own spacing."""
    return with_zero(sigma_at(schedule, timesteps(schedule, steps)))


def sgm_uniform(schedule: Schedule, steps: int) -> Tensor:
    """Evenly spaced in timesteps with the last, cleanest one left out, as Stability's ``sgm`` code does."""
    _require_room(schedule, steps)
    visited = torch.linspace(*_ends(schedule), steps + 1, dtype=torch.float64)[:-1]
    return with_zero(sigma_at(schedule, visited))


def simple(schedule: Schedule, steps: int) -> Tensor:
    """Every ⌊k T/steps⌋-th of the trained levels, the noisiest first."""
    _require_room(schedule, steps)
    trained = training_sigmas(schedule).flip(0)
    return with_zero(trained[(torch.arange(steps) * len(trained)).div(steps, rounding_mode="floor")])


def ddim_uniform(schedule: Schedule, steps: int) -> Tensor:
    """Every ⌊T/steps⌋-th timestep from 1 on (Song et al. 2021, Appendix D.2, "linear").

    Returns:
        At least ``[steps + 1]``; more where the steps do not divide the timesteps.
    """
    _require_room(schedule, steps)
    trained = training_sigmas(schedule)
    return with_zero(trained[1 :: len(trained) // steps].flip(0))


def beta(schedule: Schedule, steps: int, alpha: float = 0.6, beta: float = 0.6) -> Tensor:
    """Timesteps at even quantiles of a beta distribution (Lee et al. 2024, Sec. 3.2).

    Returns:
        At most ``[steps + 1]``: quantiles that fall on the same timestep count once.
    """
    from scipy import stats

    _require_room(schedule, steps)
    trained = training_sigmas(schedule)
    quantiles = 1 - torch.arange(steps, dtype=torch.float64) / steps
    times = torch.from_numpy(stats.beta.ppf(quantiles.numpy(), alpha, beta)) * (len(trained) - 1)
    return with_zero(trained[sorted(set(times.round().long().tolist()), reverse=True)])


def sd_turbo(schedule: Schedule, steps: int, denoise: float = 1.0) -> Tensor:
    """The first ``steps`` of the ten levels that adversarially distilled models know (Sauer et al. 2023).

    Args:
        steps: 1..10.
        denoise: below 1 it starts that much further down.
    """
    start = 10 - int(10 * denoise)
    known = torch.arange(10, 0, -1, dtype=torch.float64) * 100 - 1
    return with_zero(sigma_at(schedule, known[start : start + steps]))


def _ends(schedule: Schedule) -> tuple[float, float]:
    """The noisiest and the cleanest timestep."""
    if isinstance(schedule, FlowSchedule):
        return TIMESTEP_SCALE, TIMESTEP_SCALE * float(training_sigmas(schedule)[0])
    return schedule.num_train_timesteps - 1.0, schedule.stride - 1.0


def _require_room(schedule: Schedule, steps: int) -> None:
    levels = len(training_sigmas(schedule))
    if not 1 <= steps <= levels:
        raise ValueError(f"{steps} steps do not fit into {levels} trained timesteps")
