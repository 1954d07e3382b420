"""The noise a run starts from, and the noise that stochastic samplers add."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor

NoiseSource = Callable[[float, float], Tensor]
"""Standard normal noise for a step between two noise levels, of the shape of x."""


def item_noise(shape: torch.Size, generators: Iterable[torch.Generator]) -> Tensor:
    """Standard normal noise of ``shape``, each item from a CPU generator of its own.

    Item by item, so that a picture does not depend on the batch it is made in; the noise of a single item
    is that of ``torch.manual_seed(seed); torch.randn(shape)``.
    """
    return torch.cat([torch.randn(1, *shape[1:], generator=generator) for generator in generators])


def sequential_noise(x: Tensor, generators: Sequence[torch.Generator]) -> NoiseSource:
    """Noise drawn one step after the other, whatever the levels.

    Args:
        x: what it is added to, ``[batch, …]``.
        generators: one CPU generator for each item.
    """
    return lambda sigma, sigma_next: item_noise(x.shape, generators).to(x)


TIME_DIGITS = 6
"""torchsde rounds the ends of a path to its tolerance, 1e-6, and complains of times beyond them."""


class BrownianNoise:
    """Increments of one Brownian path in σ, divided by their standard deviation.

    What belongs to an interval is the same however often and in whatever order it is asked for, and the
    noise of two halves makes up that of the whole.

    Args:
        x: what it is added to, ``[batch, …]``.
        lowest: the lowest noise level above 0 …
        highest: … and the highest that will be asked for.
        seeds: one for each item.
    """

    def __init__(self, x: Tensor, lowest: float, highest: float, seeds: Sequence[int]) -> None:
        from torchsde import BrownianTree

        low, high = _single(lowest), _single(highest)
        self._like, self._range = x, (round(low, TIME_DIGITS), round(high, TIME_DIGITS))
        start = torch.zeros(x.shape[1:])
        self._paths = [BrownianTree(low, start, high, entropy=seed) for seed in seeds]

    def __call__(self, sigma: float, sigma_next: float) -> Tensor:
        """The noise of a step down from ``sigma``: what the path changes by on the way."""
        high, low = (
            min(max(_single(level), self._range[0]), self._range[1]) for level in (sigma, sigma_next)
        )
        increment = torch.stack([path(low, high) for path in self._paths])
        return (-increment / math.sqrt(high - low)).to(self._like)


def _single(level: float) -> float:
    """In single precision, in which the field asks for noise."""
    return float(torch.tensor(level, dtype=torch.float32))
