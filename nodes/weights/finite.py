"""Weights that are numbers: files of trainings that diverged hold some that are not."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

ADVICE = (
    "it was trained until it diverged, or its type is too small for it; another version of the file would do"
)
PROBED = 64
"""How many numbers of each tensor of a network are looked at: a training that diverged leaves none finite. It
costs less than a hundredth of the time that loading a checkpoint takes; to look at all would cost a tenth."""


def check_finite(name: str, weights: Tensor) -> None:
    """Complain of NaN and infinity, which would make all that is computed with them the same.

    Args:
        name: of the weights in their file, for the complaint.
        weights: of any type; only floating-point numbers can be otherwise.

    Raises:
        ValueError: some are not finite; the message says how many, and what would do.
    """
    if all_finite(weights):
        return
    numbers, kind = weights.float(), str(weights.dtype).removeprefix("torch.")
    nans, infinite = int(numbers.isnan().sum()), int(numbers.isinf().sum())
    told = f"holds {nans} NaN and {infinite} infinite of {numbers.numel()} numbers of {kind}"
    raise ValueError(f"{name!r} {told}: {ADVICE}")


def begin_finite(weights: Iterable[Tensor]) -> bool:
    """Whether the first ``PROBED`` numbers of each are finite.

    Args:
        weights: contiguous, those of floating-point numbers of one type.
    """
    starts = [tensor.view(-1)[:PROBED] for tensor in weights if tensor.is_floating_point()]
    return not starts or all_finite(torch.cat(starts))


def all_finite(weights: Tensor) -> bool:
    """Whether no number is NaN or infinite: neither leaves a sum finite, which takes one look at each.

    Finite numbers may have an infinite sum too, so that then each is asked.
    """
    if not weights.is_floating_point():
        return True
    numbers = weights.float() if weights.dtype.itemsize == 1 else weights  # torch adds no 8-bit ones
    return bool(numbers.sum().isfinite()) or bool(numbers.isfinite().all())
