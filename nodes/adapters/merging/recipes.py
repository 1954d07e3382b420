"""Recipes of networks whose weights are a mean of two networks' weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from nodegraph import FileLocator, ModelRecipe
from nodegraph.errors import FileProblem
from nodes.weights.overlay import overlay

MIDDLE, OUT = ("mid_block.",), ("up_blocks.", "conv_norm_out.", "conv_out.")


@dataclass(frozen=True)
class Ratios:
    """Share of the first network's weights, by the part of a U-Net.

    Attributes:
        input: of the way down, and of what is neither of the others.
        middle: of the middle block.
        out: of the way up.
    """

    input: float
    middle: float
    out: float

    def of(self, name: str) -> float:
        """The share for a parameter."""
        if name.startswith(MIDDLE):
            return self.middle
        return self.out if name.startswith(OUT) else self.input


@dataclass(frozen=True)
class Merged:
    """A network between two others.

    Attributes:
        base: the recipe of the first.
        other: the recipe of the second, of the same architecture.
        ratios: share of the first; the second has the rest.
    """

    base: ModelRecipe[Any]
    other: ModelRecipe[Any]
    ratios: Ratios

    def derive(self, base: Any, files: FileLocator, dtype: torch.dtype) -> Any:
        """The merged network, on the device of the first; computed in float32."""
        others = dict(self.other.build(files, dtype).named_parameters())
        own = dict(base.named_parameters())
        _check(own, others)
        shares = {name: self.ratios.of(name) for name in own}
        merged = {name: _lerp(others[name], own[name], shares[name]) for name in own if shares[name] != 1.0}
        return overlay(base, merged)

    def build(self, files: FileLocator, dtype: torch.dtype) -> Any:
        """The merged network, of a first one of its own."""
        return self.derive(self.base.build(files, dtype), files, dtype)


def _lerp(start: torch.Tensor, end: torch.Tensor, share: float) -> torch.Tensor:
    return torch.lerp(start.to(end.device).float(), end.float(), share).to(end.dtype)


def _check(own: Mapping[str, torch.Tensor], others: Mapping[str, torch.Tensor]) -> None:
    for name in sorted(own.keys() | others.keys()):
        first, second = (list(these[name].shape) if name in these else None for these in (own, others))
        if first != second:
            raise FileProblem(
                f"models of different architecture cannot be merged: {name!r} is {first} in the first and "
                f"{second} in the second"
            )
