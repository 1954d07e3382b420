"""What pictures must be where a wrong one would pass for a right one."""

from __future__ import annotations

from torch import Tensor

from nodegraph.errors import InputError


def check_finite(pixels: Tensor, name: str) -> None:
    """Raise ``InputError`` for an input some pixels of which are NaN or infinite."""
    if not bool(pixels.isfinite().all()):
        raise InputError(name, "some pixels are not numbers (NaN or infinite), so what made them overflowed")
