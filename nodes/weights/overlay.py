"""A module with some weights changed, which shares all others with the module it is made from."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import TypeVar

from torch import Tensor, nn

M = TypeVar("M", bound=nn.Module)


def overlay(module: M, weights: Mapping[str, Tensor]) -> M:
    """A module of the same structure with other weights in some places.

    Args:
        module: stays as it is.
        weights: by the names of ``named_parameters``; of the shape that is there.

    Returns:
        A module of its own, whose other parameters and buffers are the very objects of ``module``.
    """
    shared = {id(tensor): tensor for tensor in (*module.parameters(), *module.buffers())}
    tokenizers = (getattr(part, "tokenizer", None) for part in module.modules())
    changed = copy.deepcopy(module, {**shared, **{id(item): item for item in tokenizers if item is not None}})
    for name, weight in weights.items():
        owner, _, last = name.rpartition(".")
        setattr(changed.get_submodule(owner), last, nn.Parameter(weight, requires_grad=False))
    return changed
