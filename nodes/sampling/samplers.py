"""The samplers by name, each with the conventions of its own literature."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal, Protocol

from torch import Tensor

from nodes.sampling.denoiser import Denoiser
from nodes.sampling.flow_schedule import FlowSchedule
from nodes.sampling.noise import NoiseSource
from nodes.sampling.noise_schedule import Schedule, sigma_at_percent, training_sigmas
from nodes.sampling.path import Path
from nodes.sampling.schedules import ROUNDING, end_at_trained
from nodes.sampling.solvers.ddim import sample_ddim
from nodes.sampling.solvers.ddpm import sample_ddpm
from nodes.sampling.solvers.dpm_2 import sample_dpm_2
from nodes.sampling.solvers.dpm_2_ancestral import sample_dpm_2_ancestral
from nodes.sampling.solvers.dpm_adaptive import sample_dpm_adaptive
from nodes.sampling.solvers.dpm_fast import sample_dpm_fast
from nodes.sampling.solvers.dpmpp_2m import sample_dpmpp_2m
from nodes.sampling.solvers.dpmpp_2m_sde import sample_dpmpp_2m_sde
from nodes.sampling.solvers.dpmpp_2s_ancestral import sample_dpmpp_2s_ancestral
from nodes.sampling.solvers.dpmpp_3m_sde import sample_dpmpp_3m_sde
from nodes.sampling.solvers.dpmpp_sde import sample_dpmpp_sde
from nodes.sampling.solvers.euler import sample_euler
from nodes.sampling.solvers.euler_ancestral import sample_euler_ancestral
from nodes.sampling.solvers.heun import sample_heun
from nodes.sampling.solvers.lcm import sample_lcm
from nodes.sampling.solvers.lms import sample_lms
from nodes.sampling.solvers.uni_pc import sample_uni_pc
from nodes.sampling.steps import StepCallback

SamplerName = Literal[
    "euler",
    "euler_ancestral",
    "heun",
    "dpm_2",
    "dpm_2_ancestral",
    "lms",
    "dpm_fast",
    "dpm_adaptive",
    "dpmpp_2s_ancestral",
    "dpmpp_sde",
    "dpmpp_2m",
    "dpmpp_2m_sde",
    "dpmpp_3m_sde",
    "ddpm",
    "lcm",
    "ddim",
    "uni_pc",
    "uni_pc_bh2",
]

NoiseKind = Literal["none", "sequential", "brownian"]

FIRST_PERCENT = 1e-4
"""Share of a flow's levels that an SDE solver skips: at σ = 1 nothing of the picture is left to scale by."""


class Solve(Protocol):
    """What every solver looks like to those who run it."""

    def __call__(
        self,
        denoiser: Denoiser,
        x: Tensor,
        sigmas: Tensor,
        noise: NoiseSource,
        path: Path,
        on_step: StepCallback,
        /,
    ) -> Tensor:
        """Take ``x`` from noise level ``sigmas[0]`` to ``sigmas[-1]`` along ``path``."""


def ode(solver: Callable[[Denoiser, Tensor, Tensor, StepCallback], Tensor]) -> Solve:
    """A solver of dx/dσ = (x - D)/σ, which has this form on every path and takes no noise."""
    return lambda denoiser, x, sigmas, noise, path, on_step: solver(denoiser, x, sigmas, on_step)


def variance_exploding(
    solver: Callable[[Denoiser, Tensor, Tensor, NoiseSource, StepCallback], Tensor],
) -> Solve:
    """A solver that knows α = 1 only; on another path it works on x/α with noise levels σ/α."""

    def solve(
        denoiser: Denoiser, x: Tensor, sigmas: Tensor, noise: NoiseSource, path: Path, on_step: StepCallback
    ) -> Tensor:
        def scaled(scaled_x: Tensor, ratio: float) -> Tensor:
            sigma = path.at_ratio(ratio)
            return denoiser(path.alpha(sigma) * scaled_x, sigma)

        ratios = sigmas.new_tensor([path.ratio(sigma) for sigma in sigmas.tolist()])
        start, end = path.alpha(float(sigmas[0])), path.alpha(float(sigmas[-1]))
        found = solver(
            scaled, x / start, ratios, lambda a, b: noise(path.at_ratio(a), path.at_ratio(b)), on_step
        )
        return end * found

    return solve


@dataclass(frozen=True)
class Sampler:
    """A solver and the conventions it was defined with.

    Solvers from variance-preserving diffusion (DDIM, DPM-Solver) start from z ~ N(0, 1) and know only the
    trained timesteps; Euler's method as Karras et al. give it starts from x ~ N(0, σ²) and lets time be
    continuous. The two starts differ by 0.2 % at σ = 14.6, which is up to one 8-bit step in a picture.

    Attributes:
        solve: the solver.
        noise: what noise it adds on the way.
        variance_preserving: whether it follows the first of these conventions.
        ends_at_trained: whether it stops at the lowest trained noise level where the model declares no
            ᾱ = 1 to end at.
        skips_last_but_one: whether it takes one step more and leaves out the lowest level above 0, where its
            midpoints would be crowded.
        needs_picture: whether it cannot start where nothing of the picture is left.
        falls_only: whether it cannot follow rising noise levels, from a picture to its noise.
    """

    solve: Solve
    noise: NoiseKind = "none"
    variance_preserving: bool = True
    ends_at_trained: bool = False
    skips_last_but_one: bool = False
    needs_picture: bool = False
    falls_only: bool = False

    def start_scale(self, sigma: float, schedule: Schedule) -> float:
        """Standard deviation of the noise at the first noise level ``sigma`` of a run from pure noise.

        A run that starts below the highest trained level always counts the data's unit variance in.
        """
        if isinstance(schedule, FlowSchedule):
            return sigma
        highest = float(training_sigmas(schedule)[-1])
        if not self.variance_preserving and sigma >= highest * (1 - ROUNDING):
            return sigma
        return math.sqrt(sigma**2 + 1)

    def levels(self, sigmas: Tensor, schedule: Schedule) -> Tensor:
        """The noise levels with the start and the end this sampler calls for."""
        if self.needs_picture and isinstance(schedule, FlowSchedule) and float(sigmas[0]) >= 1.0:
            sigmas = sigmas.clamp(max=sigma_at_percent(schedule, FIRST_PERCENT))
        return end_at_trained(sigmas, schedule) if self.ends_at_trained else sigmas


_ancestral = partial(Sampler, noise="sequential", variance_preserving=False, falls_only=True)
_sde = partial(Sampler, noise="brownian", needs_picture=True, falls_only=True)

SAMPLERS: dict[SamplerName, Sampler] = {
    "euler": Sampler(ode(sample_euler), variance_preserving=False),
    "euler_ancestral": _ancestral(sample_euler_ancestral),
    "heun": Sampler(ode(sample_heun), variance_preserving=False),
    "dpm_2": Sampler(ode(sample_dpm_2), variance_preserving=False, skips_last_but_one=True),
    "dpm_2_ancestral": _ancestral(sample_dpm_2_ancestral, skips_last_but_one=True),
    "lms": Sampler(ode(sample_lms), variance_preserving=False),
    "dpm_fast": Sampler(ode(sample_dpm_fast), variance_preserving=False),
    "dpm_adaptive": Sampler(ode(sample_dpm_adaptive), variance_preserving=False, falls_only=True),
    "dpmpp_2s_ancestral": _ancestral(sample_dpmpp_2s_ancestral),
    "dpmpp_sde": _sde(variance_exploding(sample_dpmpp_sde), variance_preserving=False),
    "dpmpp_2m": Sampler(ode(sample_dpmpp_2m)),
    "dpmpp_2m_sde": _sde(variance_exploding(sample_dpmpp_2m_sde)),
    "dpmpp_3m_sde": _sde(variance_exploding(sample_dpmpp_3m_sde)),
    "ddpm": Sampler(variance_exploding(sample_ddpm), noise="sequential", needs_picture=True, falls_only=True),
    "lcm": Sampler(sample_lcm, noise="sequential", falls_only=True),
    "ddim": Sampler(ode(sample_ddim), ends_at_trained=True),
    "uni_pc": Sampler(ode(sample_uni_pc), skips_last_but_one=True),
    "uni_pc_bh2": Sampler(ode(partial(sample_uni_pc, variant="bh2")), skips_last_but_one=True),
}
