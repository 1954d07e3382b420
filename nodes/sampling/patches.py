"""What a model carries along that changes how it is sampled: frozen data, never weights."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from torch import Tensor

from nodes.sampling.guidance import Formula
from nodes.sampling.noise_schedule import Schedule


class Patch:
    """One change; a frozen dataclass that overrides what it changes."""

    def on_network(self, network: Any) -> AbstractContextManager[None]:
        """Changes a leased network for as long as the run lasts, and leaves it as it was."""
        return nullcontext()

    def guidance(self, formula: Formula) -> Formula:
        """The guidance between two sides, given the one so far."""
        return formula

    def mask(self, mask: Tensor, sigma: float, first: float, schedule: Schedule) -> Tensor:
        """The mask to denoise within at noise level ``sigma`` of a run that began at ``first``."""
        return mask
