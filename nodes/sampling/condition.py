"""What a denoiser is told about the picture it is to find."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, eq=False)
class Control:
    """A ControlNet at work, compared by identity.

    Attributes:
        network: the ControlNet, on the device.
        hint: its picture, ``[1 or batch, channels, height, width]`` in 0..1, on the device.
        strength: scale of its residuals.
        sigma_start: it works at noise levels from here …
        sigma_end: … down to here.
    """

    network: Callable[..., tuple[Sequence[Tensor], Tensor]]
    hint: Tensor
    strength: float
    sigma_start: float
    sigma_end: float


@dataclass(frozen=True, eq=False)
class Condition:
    """One prompt, ready for the network.

    Attributes:
        context: text embeddings ``[1, tokens, width]``, on the device.
        controls: ControlNets that take part.
        pooled: one vector for the whole prompt, ``[1, width]``, for families that take one.
        size: what SDXL is told, in pixels: height, width, crop from the top, crop from the left, height and
            width to make, and the aesthetic score that the refiner is told; by default the size that is made.
        guidance: the guidance scale that a distilled model is told.
    """

    context: Tensor
    controls: tuple[Control, ...] = ()
    pooled: Tensor | None = None
    size: tuple[float, ...] | None = None
    guidance: float | None = None

    def shares_batch(self, other: Condition) -> bool:
        """Whether one forward can serve both."""
        return self.context.shape == other.context.shape and self.controls == other.controls


def batches(conditions: Sequence[Condition]) -> list[list[int]]:
    """Indices of the conditions, grouped by what one forward can serve."""
    groups: list[list[int]] = []
    for index, condition in enumerate(conditions):
        group = next((g for g in groups if conditions[g[0]].shares_batch(condition)), None)
        if group is None:
            groups.append([index])
        else:
            group.append(index)
    return groups
