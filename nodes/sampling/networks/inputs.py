"""What several conditions tell a network, as one batch."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from nodes.sampling.condition import Condition


def contexts(conditions: Sequence[Condition], items: int) -> Tensor:
    """Text embeddings ``[conditions · items, tokens, width]``."""
    return torch.cat([condition.context.expand(items, -1, -1) for condition in conditions])


def pooled(conditions: Sequence[Condition], items: int) -> Tensor:
    """Pooled vectors ``[conditions · items, width]``.

    Raises:
        ValueError: a condition has none.
    """
    vectors = [condition.pooled for condition in conditions]
    if any(vector is None for vector in vectors):
        raise ValueError("the prompt has no pooled vector, which this model needs")
    return torch.cat([vector.expand(items, -1) for vector in vectors if vector is not None])


def with_concat(z: Tensor, conditions: Sequence[Condition], items: int) -> Tensor:
    """Latents with what the network takes beside them, as further channels."""
    beside = [condition.concat for condition in conditions if condition.concat is not None]
    if not beside:
        return z
    return torch.cat([z, torch.cat([part.expand(items, -1, -1, -1) for part in beside]).to(z)], dim=1)


def padded(z: Tensor, multiple: int) -> Tensor:
    """Latents with their sides brought to a multiple by going on from the opposite edge."""
    height, width = z.shape[-2:]
    right, bottom = -width % multiple, -height % multiple
    return functional.pad(z, (0, right, 0, bottom), mode="circular") if right or bottom else z
