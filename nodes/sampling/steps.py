"""What a sampler tells its caller after each step."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

StepCallback = Callable[[int, Tensor], None]
"""Called with the number of steps done and the current estimate of x₀; may raise to stop."""


def no_callback(step: int, denoised: Tensor) -> None:
    """Tell nobody."""
