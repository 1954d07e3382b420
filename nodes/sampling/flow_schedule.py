"""The noise levels of rectified-flow models.

They are trained on the straight path x = (1-t) x₀ + t ε (Liu et al. 2023, Eq. 1) to predict its velocity
v = ε - x₀, and are sampled in that scaling: the noise level σ is t itself, from 1 (noise) to 0 (picture).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

TIMESTEP_SCALE = 1000.0
"""A flow network is told ``1000 σ``."""


@dataclass(frozen=True)
class FlowSchedule:
    """How a flow model spreads its noise levels.

    Attributes:
        shift: moves levels towards noise: σ = s t / (1 + (s - 1) t) (Esser et al. 2024, Eq. 23). 1 leaves
            them evenly spread; Stable Diffusion 3 is sampled with 3, Flux with ``flux_shift``.
        num_train_timesteps: how many levels count as trained; schedules pick among them.
    """

    shift: float = 1.0
    num_train_timesteps: int = 1000


def shifted(schedule: FlowSchedule, time: Tensor) -> Tensor:
    """σ at evenly spread ``time`` (0..1)."""
    return schedule.shift * time / (1 + (schedule.shift - 1) * time)


def flow_sigmas(schedule: FlowSchedule) -> Tensor:
    """σ of every trained level, float64 ``[num_train_timesteps]``, increasing to 1."""
    total = schedule.num_train_timesteps
    return shifted(schedule, torch.arange(1, total + 1, dtype=torch.float64) / total)


def flux_shift(width: int, height: int, base: float = 0.5, maximum: float = 1.15) -> float:
    """Flux's shift for a picture of that size in pixels: e^μ.

    μ grows linearly with the number of 16 x 16 pixel patches, from ``base`` at 256 of them to ``maximum``
    at 4096 (Black Forest Labs' reference code, which takes e^μ / (e^μ + 1/t - 1)).
    """
    few, many = 256, 4096
    patches = width * height / 16**2
    return math.exp(base + (maximum - base) * (patches - few) / (many - few))
