"""The parts of a sampling run, as they travel on wires: frozen values that hold no weights."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cached_property

import torch

from nodes.sampling.guidance import Guidance
from nodes.sampling.repaint import resampled
from nodes.sampling.samplers import SAMPLERS, Sampler, SamplerName
from nodes.types import Conditioning, Model


@dataclass(frozen=True, eq=False)
class Sigmas:
    """The noise levels of a run.

    Attributes:
        levels: float64 ``[steps + 1]``, decreasing; increasing for a run back to noise; on the CPU.
    """

    levels: torch.Tensor

    def __post_init__(self) -> None:
        if self.levels.ndim != 1 or self.levels.dtype != torch.float64:
            raise ValueError(f"Sigmas are float64 [steps + 1], not {list(self.levels.shape)}")

    @property
    def steps(self) -> int:
        """How many steps they make."""
        return max(len(self.levels) - 1, 0)


@dataclass(frozen=True)
class Noise:
    """The noise a run starts from, and what stochastic samplers add on the way.

    Attributes:
        seed: item i of a batch takes its noise from seed + i.
        at_start: whether the latents are noised; otherwise they have their noise already.
    """

    seed: int
    at_start: bool = True

    def silent(self) -> Noise:
        """The same without noise at the start."""
        return Noise(self.seed, at_start=False)


@dataclass(frozen=True)
class SamplerChoice:
    """A sampler by name.

    Attributes:
        name: the solver.
        resamplings: how often each stretch of the run is gone over (RePaint); 1 is once.
        jump_length: steps of such a stretch.
    """

    name: SamplerName
    resamplings: int = 1
    jump_length: int = 1

    @cached_property
    def sampler(self) -> Sampler:
        """The solver and its conventions."""
        sampler = SAMPLERS[self.name]
        if self.resamplings == 1:
            return sampler
        solve = resampled(sampler.solve, self.resamplings, self.jump_length)
        noise = "sequential" if sampler.noise == "none" else sampler.noise
        return dataclasses.replace(sampler, solve=solve, noise=noise)


@dataclass(frozen=True, eq=False)
class Guider:
    """A model and what it is told.

    Attributes:
        model: the model.
        sides: what it is told, one conditioning for each side of the guidance.
        guidance: what is made of the sides.
    """

    model: Model
    sides: tuple[Conditioning, ...]
    guidance: Guidance
