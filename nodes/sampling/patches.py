"""What a model carries along that changes how it is sampled: frozen data, never weights."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple

from torch import Tensor

from nodes.sampling.denoiser import Network
from nodes.sampling.guidance import Formula
from nodes.sampling.noise_schedule import Schedule


class Run(NamedTuple):
    """What a patch may use while a run lasts.

    Attributes:
        module: the network that is sampled, on the device.
        schedule: the noise it was trained with.
        lease: holds what another recipe makes on the device.
    """

    module: Any
    schedule: Schedule
    lease: Callable[[Any], AbstractContextManager[Any]]


class Patch:
    """One change; a frozen dataclass that overrides what it changes."""

    def on_network(self, network: Any) -> AbstractContextManager[None]:
        """Changes a leased network for as long as the run lasts, and leaves it as it was."""
        return nullcontext()

    def predicting(self, network: Network, run: Run) -> AbstractContextManager[Network]:
        """What to ask instead of the network for as long as the run lasts."""
        return nullcontext(network)

    def guidance(self, formula: Formula) -> Formula:
        """The guidance between two sides, given the one so far."""
        return formula

    def mask(self, mask: Tensor, sigma: float, first: float, schedule: Schedule) -> Tensor:
        """The mask to denoise within at noise level ``sigma`` of a run that began at ``first``."""
        return mask
