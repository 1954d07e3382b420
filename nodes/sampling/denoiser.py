"""One denoiser signature over every way a network may be parametrised.

A ``Denoiser`` is D(x; σ) of Karras et al. 2022: it takes a batch ``x = α(σ) x₀ + σ ε`` (float32
``[batch, channels, height, width]``) and its noise level, and returns its estimate of ``x₀``. Diffusion
models are sampled with α = 1, flow models with α = 1 - σ (``nodes.sampling.path``).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Literal, Protocol

import torch
from torch import Tensor

from nodes.sampling.condition import Condition, batches
from nodes.sampling.noise_schedule import Schedule, path_of, timestep_at
from nodes.sampling.path import RECTIFIED_FLOW, Path

Denoiser = Callable[[Tensor, float], Tensor]
DiffusionPrediction = Literal["epsilon", "v_prediction", "sample"]
Prediction = DiffusionPrediction | Literal["flow"]


class Network(Protocol):
    """A raw network in the scale it was trained in: variance-preserving, or the flow's own."""

    def __call__(
        self, z: Tensor, timestep: Tensor, sigma: float, conditions: Sequence[Condition], /
    ) -> Tensor:
        """The network's prediction for ``z``, which holds one batch per condition, one after the other."""


def _clean_from_epsilon(x: Tensor, epsilon: Tensor, sigma: float) -> Tensor:
    return x - sigma * epsilon


def _clean_from_v(x: Tensor, v: Tensor, sigma: float) -> Tensor:
    """v = √ᾱ ε - √(1-ᾱ) x₀ (Salimans and Ho 2022, Appendix D), solved for x₀."""
    return x / (sigma**2 + 1) - v * (sigma / math.sqrt(sigma**2 + 1))


def _clean_from_sample(x: Tensor, clean: Tensor, sigma: float) -> Tensor:
    return clean


def _clean_from_velocity(x: Tensor, velocity: Tensor, sigma: float) -> Tensor:
    """v = ε - x₀ on the path x = (1-σ) x₀ + σ ε (Liu et al. 2023, Eq. 1), solved for x₀."""
    return x - sigma * velocity


_CLEAN: dict[Prediction, Callable[[Tensor, Tensor, float], Tensor]] = {
    "epsilon": _clean_from_epsilon,
    "v_prediction": _clean_from_v,
    "sample": _clean_from_sample,
    "flow": _clean_from_velocity,
}


def network_scale(path: Path, sigma: float) -> float:
    """What brings x to the scale of the network: variance one where α² + σ² is not that already."""
    return 1.0 if path == RECTIFIED_FLOW else 1 / math.sqrt(sigma**2 + 1)


class ConditionalDenoiser:
    """A denoiser for several conditions at once, over a raw network.

    Args:
        network: the raw network.
        schedule: the noise it was trained with.
        prediction: what it predicts.
        nearest_timestep: ask it only about timesteps it was trained at.
    """

    def __init__(
        self, network: Network, schedule: Schedule, prediction: Prediction, *, nearest_timestep: bool
    ) -> None:
        self._network = network
        self._schedule = schedule
        self._clean = _CLEAN[prediction]
        self._nearest_timestep = nearest_timestep

    def __call__(self, x: Tensor, sigma: float, conditions: Sequence[Condition]) -> list[Tensor]:
        """The estimate of x₀ under each condition, of the size of its box; what fits shares one forward."""
        timestep = timestep_at(self._schedule, sigma, nearest=self._nearest_timestep)
        told = torch.full((), timestep, device=x.device)  # made there: a copy would wait for the card
        z = x * network_scale(path_of(self._schedule), sigma)
        estimates: dict[int, Tensor] = {}
        for members in batches(conditions):
            batch = [conditions[index] for index in members]
            shown = torch.cat([condition.crop(z) for condition in batch])
            output = self._network(shown, told, sigma, batch)
            for index, part in zip(members, output.chunk(len(batch)), strict=True):
                estimates[index] = self._clean(conditions[index].crop(x), part, sigma)
        return [estimates[index] for index in range(len(conditions))]
