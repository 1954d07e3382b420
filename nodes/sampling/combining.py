"""How the estimates for several prompts of one side of the guidance become one."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import torch
from torch import Tensor

from nodes.sampling.condition import Condition

NOWHERE = 1e-37
"""Keeps what no prompt counts for from being divided by zero; the estimate there is zero."""


def weighted_mean(x: Tensor, conditions: Sequence[Condition], estimates: Sequence[Tensor]) -> Tensor:
    """The mean of several estimates, each where it counts and as much as it counts there.

    Args:
        x: the noisy latents, for their shape.
        conditions: what each estimate was made under.
        estimates: each of the size of its condition's box.
    """
    if all(condition.box is None and condition.weight is None for condition in conditions) and conditions:
        return estimates[0] if len(estimates) == 1 else torch.stack(tuple(estimates)).mean(dim=0)
    total, count = torch.zeros_like(x), torch.full_like(x, NOWHERE)
    for condition, estimate in zip(conditions, estimates, strict=True):
        weight = torch.ones_like(estimate) if condition.weight is None else condition.weight
        condition.crop(total).add_(weight * estimate)
        condition.crop(count).add_(weight)
    return total / count


def with_matching_areas(sides: Sequence[Sequence[Condition]]) -> list[list[Condition]]:
    """Let each area of one side have its counterpart on the others, so that guidance compares like with like.

    The counterpart is told what the smallest condition around the area is told.
    """
    matched = [list(side) for side in sides]
    for own in matched:
        for other in matched:
            if other is not own:
                for condition in tuple(own):
                    other.extend(_counterpart(condition, other))
    return matched


def _counterpart(condition: Condition, others: Sequence[Condition]) -> list[Condition]:
    box = condition.box
    if box is None:
        return []
    around = [other for other in others if other.box is None or box.inside(other.box)]
    if not around or any(other.box == box for other in around):
        return []
    smallest = min(around, key=_size)
    told = ("context", "pooled", "size", "guidance", "concat", "negative")
    return [dataclasses.replace(condition, **{name: getattr(smallest, name) for name in told})]


def _size(condition: Condition) -> float:
    return math.inf if condition.box is None else condition.box.height * condition.box.width
