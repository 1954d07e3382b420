"""Recipes of networks with LoRAs applied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from nodegraph import File, FileLocator, ModelRecipe
from nodegraph.errors import FileProblem
from nodes.adapters.lora.deltas import change
from nodes.adapters.lora.file import Change, read_changes, unfit
from nodes.adapters.lora.keys import modules_by_flat_name
from nodes.adapters.lora.original_names import halves_swapped, parts_of
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
    """All changes one after the other, computed in float32 and rounded once to the dtype of the weights."""
    changed: dict[str, Tensor] = {}
    for lora in loras:
        _change(base, lora, files, changed)
    return {name: total.to(base.get_parameter(name).dtype) for name, total in changed.items()}


def _change(base: nn.Module, lora: Lora, files: FileLocator, changed: dict[str, Tensor]) -> None:
    """Change the weights that a LoRA is about, as those before it left them."""
    path = files.path(lora.file)
    network, prefix = _network(base, lora)
    modules = _weighted_modules(network)
    for flat, found in read_changes(path, lora.component).items():
        names = [prefix + name for name in _parameters(path, flat, modules)]
        weights = [changed[name] if name in changed else base.get_parameter(name).float() for name in names]
        try:
            added = _fused_change(flat, found, weights)
        except ValueError as error:
            module = names[0].removeprefix(prefix).removesuffix(".weight")
            raise FileProblem(f"LoRA {path.name!r} cannot change {module!r}: {error}") from error
        rows = [len(weight) for weight in weights]
        for name, weight, part in zip(names, weights, torch.split(added, rows), strict=True):
            changed[name] = weight + lora.strength * part


def _parameters(path: Path, flat: str, modules: Mapping[str, str]) -> list[str]:
    """The weights that a module of a LoRA changes: several where it was trained on fused projections."""
    targets = (flat,) if flat in modules else parts_of(flat)
    complaint = unfit(path, targets, modules)
    if complaint:
        raise FileProblem(complaint)
    return [f"{modules[target]}.weight" for target in targets]


def _fused_change(flat: str, found: Change, weights: Sequence[Tensor]) -> Tensor:
    """What is added to weights that lie one below the other."""
    whole = weights[0] if len(weights) == 1 else torch.cat([weight.flatten(1) for weight in weights])
    swapped = halves_swapped(flat, whole.shape)
    added = change(found.parts, _halves(whole) if swapped else whole, found.scaling)
    return _halves(added) if swapped else added


def _halves(rows: Tensor) -> Tensor:
    """The second half of the rows before the first."""
    return torch.cat(rows.chunk(2)[::-1])


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
