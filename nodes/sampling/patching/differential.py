"""Masks in shades of grey."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from nodes.sampling.noise_schedule import Schedule, timestep_at, training_sigmas
from nodes.sampling.patches import Patch


@dataclass(frozen=True)
class DifferentialDiffusion(Patch):
    """A grey value says when a place begins to change (Levin and Fried 2023, Algorithm 1).

    Attributes:
        strength: 0 keeps the mask as it is, 1 is the paper.
    """

    strength: float = 1.0

    def mask(self, mask: Tensor, sigma: float, first: float, schedule: Schedule) -> Tensor:
        """1 where the mask reaches the share of the run's timesteps that are still to come."""
        lowest = float(training_sigmas(schedule)[0])
        now, start, end = (
            timestep_at(schedule, max(level, lowest), nearest=False) for level in (sigma, first, lowest)
        )
        threshold = (now - end) / max(start - end, 1e-9)
        binary = (mask >= threshold).to(mask)
        return self.strength * binary + (1 - self.strength) * mask
