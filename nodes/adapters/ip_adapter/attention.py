"""Cross-attention that looks at pictures beside the text."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - the name the field uses
from torch import Tensor


@dataclass
class Asked:
    """What the network is being asked right now, of one picture prompt.

    Attributes:
        rows: for each item of the batch, 0 for the picture or 1 for its absence; ``None`` where the prompt
            does not count.
        size: of the latents, height and width.
    """

    rows: Tensor | None = None
    size: tuple[int, int] = (1, 1)


@dataclass(frozen=True, eq=False)
class PicturePrompt:
    """A picture in one cross-attention.

    Attributes:
        keys: of the picture and of its absence, ``[2, tokens, width]``.
        values: likewise.
        weight: how much it counts.
        mask: where it counts, ``[1 or batch, 1, height, width]``; ``None`` is everywhere.
        asked: what the network is being asked.
    """

    keys: Tensor
    values: Tensor
    weight: float
    mask: Tensor | None
    asked: Asked

    def attended(self, query: Tensor, heads: int) -> Tensor | None:
        """What queries ``[batch, heads, places, channels]`` find in the picture (Ye et al. 2023, Eq. 5).

        Returns:
            ``[batch, places, width]``, weighted; ``None`` where the prompt does not count now.
        """
        rows = self.asked.rows
        if rows is None:
            return None
        keys, values = (by_heads(part[rows].to(query.dtype), heads) for part in (self.keys, self.values))
        found = self.weight * merged(F.scaled_dot_product_attention(query, keys, values))
        return found if self.mask is None else found * self._mask(len(query), query.shape[2]).to(found)

    def _mask(self, batch: int, places: int) -> Tensor:
        assert self.mask is not None
        mask = F.interpolate(self.mask, size=grid(self.asked.size, places), mode="bilinear")
        flat = mask.flatten(1)[..., None]
        return flat.repeat(batch // len(flat), 1, 1)


class PictureAttention:
    """A processor of diffusers' attention: text first, and what pictures add.

    Args:
        prompts: the pictures.
    """

    def __init__(self, prompts: Sequence[PicturePrompt]) -> None:
        self.prompts = tuple(prompts)

    def __call__(
        self, attn: Any, hidden_states: Tensor, encoder_hidden_states: Tensor, *_: Any, **__: Any
    ) -> Tensor:
        """``[batch, places, width]`` to the same."""
        query = by_heads(attn.to_q(hidden_states), attn.heads)
        key, value = (by_heads(layer(encoder_hidden_states), attn.heads) for layer in (attn.to_k, attn.to_v))
        found = merged(F.scaled_dot_product_attention(query, key, value))
        for prompt in self.prompts:
            added = prompt.attended(query, attn.heads)
            found = found if added is None else found + added
        output: Tensor = attn.to_out[1](attn.to_out[0](found))
        return output


def by_heads(states: Tensor, heads: int) -> Tensor:
    """``[batch, places, width]`` as ``[batch, heads, places, channels]``."""
    return states.reshape(*states.shape[:2], heads, -1).transpose(1, 2)


def merged(states: Tensor) -> Tensor:
    """The inverse of ``by_heads``."""
    return states.transpose(1, 2).flatten(2)


def grid(size: tuple[int, int], places: int) -> tuple[int, int]:
    """Rows and columns of a layer that sees latents of a size, halved some times, as so many places."""
    rows, columns = size
    while rows * columns > places:
        rows, columns = math.ceil(rows / 2), math.ceil(columns / 2)
    return rows, columns


def rows_of(negatives: Sequence[bool], items: int, device: torch.device) -> Tensor:
    """Which row each item of a batch takes, ``items`` for each condition."""
    return torch.tensor([int(negative) for negative in negatives], device=device).repeat_interleave(items)
