"""Which pixel of a picture stands at a position outside of it."""

from __future__ import annotations

import torch


def edge_indices(length: int, before: int, after: int) -> torch.Tensor:
    """Indices ``[before + length + after]`` that repeat the first and the last pixel."""
    return torch.arange(-before, length + after).clamp(0, length - 1)


def reflect_indices(length: int, before: int, after: int) -> torch.Tensor:
    """Indices ``[before + length + after]`` that mirror at the edge pixels, any number of times."""
    period = max(1, 2 * (length - 1))
    position = torch.arange(-before, length + after) % period
    return torch.minimum(position, period - position) if length > 1 else torch.zeros_like(position)
