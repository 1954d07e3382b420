"""What a denoiser is told about the picture it is to find."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from torch import Tensor


class Residuals(NamedTuple):
    """What is added to the features of a U-Net, part by part; ``None`` where nothing is.

    Attributes:
        skips: one for each skip connection.
        middle: that of the middle block.
        levels: one for each level of the way down, added where its last attention ends; where there is one
            more, it is the middle block's.
    """

    skips: tuple[Tensor, ...] | None = None
    middle: Tensor | None = None
    levels: tuple[Tensor, ...] | None = None


Added = dict[str, Tensor]
"""What networks of Stable Diffusion XL are told besides, as diffusers names it: pooled vectors and sizes."""
ControlNetwork = Callable[[Tensor, Tensor, Tensor, Added | None], Residuals]
"""Residuals for a U-Net's input ``[n · batch, channels, height, width]``, the timestep, text embeddings
``[n · batch, tokens, width]``, and what is told besides."""


@dataclass(frozen=True, eq=False)
class Control:
    """A ControlNet or T2I-Adapter at work, compared by identity.

    Attributes:
        network: what it adds, its picture and strength included.
        sigma_start: it works at noise levels from here …
        sigma_end: … down to here.
    """

    network: ControlNetwork
    sigma_start: float
    sigma_end: float


class Box(NamedTuple):
    """A rectangle of the latents, in latent pixels."""

    height: int
    width: int
    top: int
    left: int

    def crop(self, planes: Tensor) -> Tensor:
        """What lies in it, of ``[..., height, width]``."""
        return planes[..., self.top : self.top + self.height, self.left : self.left + self.width]

    def inside(self, other: Box) -> bool:
        """Whether it lies within another."""
        return (
            self.top >= other.top
            and self.left >= other.left
            and self.top + self.height <= other.top + other.height
            and self.left + self.width <= other.left + other.width
        )


@dataclass(frozen=True, eq=False)
class Condition:
    """One prompt, ready for the network.

    Attributes:
        context: text embeddings ``[1, tokens, width]``, on the device.
        controls: ControlNets and T2I-Adapters that take part.
        pooled: the prompt's pooled vector ``[1, width]``, for networks that take one.
        size: what SDXL is told, in pixels: height, width, crop from the top, crop from the left, height and
            width to make, and the aesthetic score that the refiner is told; by default the size that is made.
        guidance: the guidance scale that a distilled network is told.
        concat: latents the network takes beside the noisy ones, ``[1 or batch, channels, height, width]``.
        box: the only part of the latents that the network sees and answers for.
        weight: how much the estimate counts beside others, ``[1 or batch, 1, height, width]`` of the box;
            ``None`` is 1 throughout.
        sigma_start: it counts at noise levels from here …
        sigma_end: … down to here.
        negative: whether it is of the side that guidance goes away from.
    """

    context: Tensor
    controls: tuple[Control, ...] = ()
    pooled: Tensor | None = None
    size: tuple[float, ...] | None = None
    guidance: float | None = None
    concat: Tensor | None = None
    box: Box | None = None
    weight: Tensor | None = None
    sigma_start: float = math.inf
    sigma_end: float = 0.0
    negative: bool = False

    def counts_at(self, sigma: float) -> bool:
        """Whether it takes part at a noise level."""
        return self.sigma_end <= sigma <= self.sigma_start

    def crop(self, planes: Tensor) -> Tensor:
        """The part of ``[..., height, width]`` that it is about."""
        return planes if self.box is None else self.box.crop(planes)

    def shares_batch(self, other: Condition) -> bool:
        """Whether one forward can serve both."""
        return self._form() == other._form() and self.controls == other.controls

    def _form(self) -> tuple[object, ...]:
        tensors = (self.context, self.pooled, self.concat)
        shapes = (None if tensor is None else tensor.shape for tensor in tensors)
        return (*shapes, None if self.box is None else self.box[:2])


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
