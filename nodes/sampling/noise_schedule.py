"""The noise levels a model was trained at.

Diffusion networks are trained in variance-preserving scaling, z = √ᾱ x₀ + √(1-ᾱ) ε (Ho et al. 2020, Eq. 4);
samplers work in variance-exploding scaling, x = z/√ᾱ = x₀ + σ ε with σ = √((1-ᾱ)/ᾱ) (Karras et al. 2022,
Table 1). Flow networks are sampled in the scaling they are trained in: see ``flow_schedule``. The functions
below serve both.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Literal

import torch
from torch import Tensor

from nodes.sampling.flow_schedule import TIMESTEP_SCALE, FlowSchedule, flow_sigmas, shifted
from nodes.sampling.path import RECTIFIED_FLOW, VARIANCE_EXPLODING, Path

BetaSchedule = Literal["linear", "scaled_linear", "squaredcos_cap_v2"]
Spacing = Literal["linspace", "leading", "trailing"]

MAX_BETA = 0.999
ZERO_SNR_ALPHA_BAR = 2.0**-24
"""Stands for ᾱ = 0, whose σ would be infinite."""


@dataclass(frozen=True)
class NoiseSchedule:
    """How noise grew during training, as the scheduler configuration of a model declares it.

    Attributes:
        beta_schedule: how β goes from ``beta_start`` to ``beta_end``.
        beta_start: β of the first timestep.
        beta_end: β of the last timestep.
        num_train_timesteps: number of timesteps.
        trained_betas: every β, where they follow no formula.
        rescale_zero_snr: whether the last timestep is pure noise (Lin et al. 2024).
        spacing: which timesteps a run of few steps visits (Lin et al. 2024, Table 2).
        steps_offset: added to the timesteps of ``leading`` spacing.
        distilled_timesteps: how many of the timesteps, evenly spread and the last among them, are known to a
            distilled model; ``None`` means all.
        set_alpha_to_one: whether DDIM ends at ᾱ = 1; otherwise at the first timestep's ᾱ.
    """

    beta_schedule: BetaSchedule = "linear"
    beta_start: float = 0.0001
    beta_end: float = 0.02
    num_train_timesteps: int = 1000
    trained_betas: tuple[float, ...] | None = None
    rescale_zero_snr: bool = False
    spacing: Spacing = "linspace"
    steps_offset: int = 0
    set_alpha_to_one: bool = True
    distilled_timesteps: int | None = None

    @property
    def stride(self) -> int:
        """Timesteps from one that is known to the next."""
        return self.num_train_timesteps // (self.distilled_timesteps or self.num_train_timesteps)


Schedule = NoiseSchedule | FlowSchedule
"""The noise a model was trained with."""


def path_of(schedule: Schedule) -> Path:
    """The scaling models of that schedule are sampled in."""
    return RECTIFIED_FLOW if isinstance(schedule, FlowSchedule) else VARIANCE_EXPLODING


def _linear(schedule: NoiseSchedule) -> Tensor:
    return torch.linspace(
        schedule.beta_start, schedule.beta_end, schedule.num_train_timesteps, dtype=torch.float64
    )


def _scaled_linear(schedule: NoiseSchedule) -> Tensor:
    """Linear in √β (Rombach et al. 2022)."""
    start, end = math.sqrt(schedule.beta_start), math.sqrt(schedule.beta_end)
    return torch.linspace(start, end, schedule.num_train_timesteps, dtype=torch.float64) ** 2


def _squared_cosine(schedule: NoiseSchedule) -> Tensor:
    """ᾱ as a squared cosine (Nichol and Dhariwal 2021, Eq. 17)."""
    time = torch.linspace(0, 1, schedule.num_train_timesteps + 1, dtype=torch.float64)
    alpha_bar = torch.cos((time + 0.008) / 1.008 * math.pi / 2) ** 2
    return (1 - alpha_bar[1:] / alpha_bar[:-1]).clamp(max=MAX_BETA)


_BETAS: dict[BetaSchedule, Callable[[NoiseSchedule], Tensor]] = {
    "linear": _linear,
    "scaled_linear": _scaled_linear,
    "squaredcos_cap_v2": _squared_cosine,
}


def betas(schedule: NoiseSchedule) -> Tensor:
    """β of every timestep, float64 ``[timesteps]``."""
    if schedule.trained_betas is not None:
        return torch.tensor(schedule.trained_betas, dtype=torch.float64)
    return _BETAS[schedule.beta_schedule](schedule)


def with_zero_terminal_snr(alpha_bar: Tensor) -> Tensor:
    """Shift and scale √ᾱ so that the last timestep carries no signal (Lin et al. 2024, Algorithm 1)."""
    root = alpha_bar.sqrt()
    root = (root - root[-1]) * root[0] / (root[0] - root[-1])
    return (root**2).clamp(min=ZERO_SNR_ALPHA_BAR)


@cache
def training_sigmas(schedule: Schedule) -> Tensor:
    """σ of every timestep, float64 ``[timesteps]``, increasing. Shared: do not modify."""
    if isinstance(schedule, FlowSchedule):
        return flow_sigmas(schedule)
    alpha_bar = torch.cumprod(1 - betas(schedule), dim=0)
    if schedule.rescale_zero_snr:
        alpha_bar = with_zero_terminal_snr(alpha_bar)
    return ((1 - alpha_bar) / alpha_bar).sqrt()[schedule.stride - 1 :: schedule.stride]


def sigma_at(schedule: Schedule, timesteps: Tensor) -> Tensor:
    """σ at ``timesteps`` (float64, may be fractional).

    Diffusion models count them from 0 and are interpolated linearly in log σ; for flow models they are
    0..1000 before the shift.
    """
    if isinstance(schedule, FlowSchedule):
        return shifted(schedule, timesteps / TIMESTEP_SCALE)
    log_sigmas = training_sigmas(schedule).log()
    index = ((timesteps + 1) / schedule.stride - 1).clamp(0, len(log_sigmas) - 1)
    low = index.floor().long()
    high = (low + 1).clamp(max=len(log_sigmas) - 1)
    return torch.lerp(log_sigmas[low], log_sigmas[high], index - low).exp()


def timestep_at(schedule: Schedule, sigma: float, *, nearest: bool) -> float:
    """The timestep a network is told at noise level ``sigma``.

    For diffusion models it is the inverse of ``sigma_at``; for flow models it is 1000 σ, after the shift.

    Args:
        sigma: above 0; levels outside the trained range give the first or the last timestep.
        nearest: round to a timestep the network was trained at, if only these are known to it.
    """
    if isinstance(schedule, FlowSchedule):
        return TIMESTEP_SCALE * sigma
    log_sigmas = training_sigmas(schedule).log()
    log_sigma = torch.tensor(math.log(sigma), dtype=torch.float64)
    high = int(torch.searchsorted(log_sigmas, log_sigma).clamp(1, len(log_sigmas) - 1))
    fraction = (log_sigma - log_sigmas[high - 1]) / (log_sigmas[high] - log_sigmas[high - 1])
    index = high - 1 + float(fraction.clamp(0, 1))
    return ((round(index) if nearest else index) + 1) * schedule.stride - 1.0


def sigma_at_percent(schedule: Schedule, percent: float) -> float:
    """σ where ``percent`` (0..1) of the trained timesteps are done: infinite at 0, zero at 1."""
    if percent <= 0:
        return math.inf
    if percent >= 1:
        return 0.0
    last = TIMESTEP_SCALE if isinstance(schedule, FlowSchedule) else schedule.num_train_timesteps - 1
    return float(sigma_at(schedule, torch.tensor((1 - percent) * last, dtype=torch.float64)))
