"""The samplers by name, each with the conventions of its own literature."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, Protocol

from torch import Tensor

from nodes.sampling.ddim import sample_ddim
from nodes.sampling.denoiser import Denoiser
from nodes.sampling.dpmpp_2m import sample_dpmpp_2m
from nodes.sampling.euler import sample_euler
from nodes.sampling.flow_schedule import FlowSchedule
from nodes.sampling.noise_schedule import Schedule, training_sigmas
from nodes.sampling.schedules import ROUNDING, end_at_trained
from nodes.sampling.steps import StepCallback

SamplerName = Literal["euler", "ddim", "dpmpp_2m"]


class SampleFunction(Protocol):
    """A solver of the diffusion ODE in variance-exploding scaling."""

    def __call__(
        self, denoiser: Denoiser, x: Tensor, sigmas: Tensor, on_step: StepCallback = ..., /
    ) -> Tensor:
        """Take ``x`` from noise level ``sigmas[0]`` to ``sigmas[-1]``."""


@dataclass(frozen=True)
class Sampler:
    """A solver and the conventions it was defined with.

    Solvers from variance-preserving diffusion (DDIM, DPM-Solver) start from z ~ N(0, 1) and know only the
    trained timesteps; Euler's method as Karras et al. give it starts from x ~ N(0, σ²) and lets time be
    continuous. The two starts differ by 0.2 % at σ = 14.6, which is up to one 8-bit step in a picture.

    Attributes:
        sample: the solver.
        variance_preserving: whether it follows the first of these conventions.
        ends_at_trained: whether it stops at the lowest trained noise level where the model declares no
            ᾱ = 1 to end at.
    """

    sample: SampleFunction
    variance_preserving: bool = True
    ends_at_trained: bool = False

    def start_scale(self, sigma: float, schedule: Schedule) -> float:
        """Standard deviation of x at the first noise level ``sigma`` of a run from pure noise.

        A run that starts below the highest trained level always counts the data's unit variance in.
        """
        if isinstance(schedule, FlowSchedule):
            return sigma
        highest = float(training_sigmas(schedule)[-1])
        if not self.variance_preserving and sigma >= highest * (1 - ROUNDING):
            return sigma
        return math.sqrt(sigma**2 + 1)

    def ending(self, sigmas: Tensor, schedule: Schedule) -> Tensor:
        """The noise levels with the end this sampler calls for."""
        return end_at_trained(sigmas, schedule) if self.ends_at_trained else sigmas


SAMPLERS: dict[SamplerName, Sampler] = {
    "euler": Sampler(sample_euler, variance_preserving=False),
    "ddim": Sampler(sample_ddim, ends_at_trained=True),
    "dpmpp_2m": Sampler(sample_dpmpp_2m),
}
