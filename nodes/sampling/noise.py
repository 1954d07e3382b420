"""The noise a run starts from, and the noise that stochastic samplers add."""

from __future__ import annotations

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

        start = torch.zeros(x.shape[1:])
        self._like, self._range = x, (lowest, highest)
        ends = torch.tensor(lowest), torch.tensor(highest)
        self._paths = [BrownianTree(ends[0], start, ends[1], entropy=seed) for seed in seeds]

    def __call__(self, sigma: float, sigma_next: float) -> Tensor:
        """The noise of a step down from ``sigma``: what the path changes by on the way."""
        low, high = (min(max(level, self._range[0]), self._range[1]) for level in (sigma_next, sigma))
        times = torch.tensor(low), torch.tensor(high)
        increment = torch.stack([path(*times) for path in self._paths])
        return (-increment / (times[1] - times[0]).sqrt()).to(self._like)
