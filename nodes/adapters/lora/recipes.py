"""Recipes of networks with LoRAs applied."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from nodegraph import File, FileLocator, ModelRecipe
from nodegraph.errors import FileProblem
from nodes.adapters.lora.deltas import delta
from nodes.adapters.lora.file import read_alpha, read_changes, unfit
from nodes.adapters.lora.keys import modules_by_flat_name
from nodes.text_encoders.encoder import TextEncoders
from nodes.weights.overlay import overlay

ENCODER_PLACES = {
    "text_encoder": ("l", "h"),
    "text_encoder_2": ("g",),
    "text_encoder_3": ("t5xxl",),
}
"""Names of the text encoders that each component of a file may be."""


@dataclass(frozen=True)
class Lora:
    """A LoRA at work.

    Attributes:
        file: its file.
        component: which part of the file: ``denoiser``, ``text_encoder``, …
        strength: how much it changes; 1 is as trained, 0 is nothing.
    """

    file: File
    component: str
    strength: float


@dataclass(frozen=True)
class WithLoras:
    """A network whose weights LoRAs have changed; those it does not touch are shared with the original.

    Attributes:
        base: the recipe of the original.
        loras: in the order in which they were applied.
    """

    base: ModelRecipe[Any]
    loras: tuple[Lora, ...]

    def derive(self, base: Any, files: FileLocator, dtype: torch.dtype) -> Any:
        """The changed network, on the device of the original."""
        return overlay(base, _changed_weights(base, self.loras, files))

    def build(self, files: FileLocator, dtype: torch.dtype) -> Any:
        """The changed network, of an original of its own."""
        return self.derive(self.base.build(files, dtype), files, dtype)


def with_lora(weights: ModelRecipe[Any], loras: tuple[Lora, ...]) -> ModelRecipe[Any]:
    """A network with LoRAs applied after those that it has already; strength 0 leaves it as it is."""
    active = tuple(lora for lora in loras if lora.strength != 0)
    if not active:
        return weights
    if isinstance(weights, WithLoras):
        return WithLoras(weights.base, (*weights.loras, *active))
    return WithLoras(weights, active)


def _changed_weights(base: nn.Module, loras: tuple[Lora, ...], files: FileLocator) -> dict[str, Tensor]:
    """The sum of all changes, computed in float32 and rounded once to the dtype of the weights."""
    sums: dict[str, Tensor] = {}
    for lora in loras:
        for name, change in _changes(base, lora, files):
            weight = base.get_parameter(name)
            sums[name] = sums[name] if name in sums else weight.float()
            sums[name] = sums[name] + lora.strength * change.to(weight.device)
    return {name: total.to(base.get_parameter(name).dtype) for name, total in sums.items()}


def _changes(base: nn.Module, lora: Lora, files: FileLocator) -> Iterator[tuple[str, Tensor]]:
    path = files.path(lora.file)
    network, prefix = _network(base, lora)
    changes, alpha = read_changes(path, lora.component), read_alpha(path, lora.component)
    modules = _weighted_modules(network)
    complaint = unfit(path, changes, modules)
    if complaint:
        raise FileProblem(complaint)
    for flat, parts in changes.items():
        name = f"{modules[flat]}.weight"
        try:
            yield prefix + name, delta(parts, network.get_parameter(name).shape, alpha)
        except ValueError as error:
            raise FileProblem(f"LoRA {path.name!r} cannot change {modules[flat]!r}: {error}") from error


def _network(base: nn.Module, lora: Lora) -> tuple[nn.Module, str]:
    """The network that the file's component names, and what stands before the names of its parameters."""
    if not isinstance(base, TextEncoders):
        return base, ""
    names = base.names()
    wanted = ENCODER_PLACES.get(lora.component, ())
    name = next((name for name in wanted if name in names), None)
    if name is None and len(names) == 1:
        name = names[0]
    if name is None:
        raise FileProblem(f"LoRA {lora.file.name!r} changes {lora.component}, which the model has not")
    return base[name].transformer, f"encoders.{name}.transformer."


def _weighted_modules(network: nn.Module) -> Mapping[str, str]:
    names = (name for name, _ in network.named_parameters() if name.endswith(".weight"))
    modules = modules_by_flat_name(name.removesuffix(".weight") for name in names)
    # Old files say to_out for what has been to_out.0 since there is dropout after it.
    short = {flat.removesuffix("_0"): name for flat, name in modules.items() if flat.endswith("_to_out_0")}
    return {**short, **modules}
