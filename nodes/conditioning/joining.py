"""How each family joins what its text encoders make."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812 - the name the field uses
from torch import Tensor

from nodes.text_encoders.encoder import Encoded

SD3_WIDTH = 4096
"""Width of T5-XXL, to which SD3 pads what its CLIP encoders make."""
POOLED_WIDTHS = {"l": 768, "g": 1280}

Results = Mapping[str, Encoded]
"""What each encoder made, by its name."""


class Joined(NamedTuple):
    """What a denoiser is given.

    Attributes:
        embeddings: ``[1, tokens, width]``.
        pooled: ``[1, width]``, for families that take one.
    """

    embeddings: Tensor
    pooled: Tensor | None = None


def join(family: str, results: Results) -> Joined:
    """Join what the encoders of a model of that family made."""
    return _JOINS.get(family, _alone)(results)


def _alone(results: Results) -> Joined:
    """Stable Diffusion 1 and 2: hidden states alone."""
    (result,) = results.values()
    return Joined(result.hidden)


def _pooled_alone(results: Results) -> Joined:
    (result,) = results.values()
    return Joined(result.hidden, result.pooled)


def _side_by_side(results: Results) -> Joined:
    """SDXL: hidden states of both encoders side by side, OpenCLIP's pooled (Podell et al. 2024, Sec. 2.1)."""
    return Joined(_widened(results), results["g"].pooled)


def _sd3(results: Results) -> Joined:
    """SD3: CLIP side by side, padded to T5's width, T5 after it; both pooled (Esser et al. 2024, Sec. 4)."""
    clips = {name: results[name] for name in ("l", "g") if name in results}
    last = [results["t5xxl"].hidden] if "t5xxl" in results else []
    width = last[0].shape[-1] if last else SD3_WIDTH
    parts = [*([_padded(_widened(clips), width)] if clips else []), *last]
    pooled = [_pooled_or_zeros(results, name) for name in POOLED_WIDTHS]
    return Joined(torch.cat(parts, dim=1), torch.cat(pooled, dim=-1))


def _flux(results: Results) -> Joined:
    """Flux: T5's hidden states, CLIP's pooled."""
    return Joined(results["t5xxl"].hidden, results["l"].pooled)


def _widened(results: Results) -> Tensor:
    """Hidden states side by side."""
    return torch.cat([result.hidden for result in results.values()], dim=-1)


def _padded(states: Tensor, width: int) -> Tensor:
    return F.pad(states, (0, max(0, width - states.shape[-1])))


def _pooled_or_zeros(results: Results, name: str) -> Tensor:
    pooled = results[name].pooled if name in results else None
    if pooled is not None:
        return pooled
    some = next(iter(results.values())).hidden
    return some.new_zeros(1, POOLED_WIDTHS[name])


_JOINS: dict[str, Callable[[Results], Joined]] = {
    "sdxl": _side_by_side,
    "sdxl_refiner": _pooled_alone,
    "sd3": _sd3,
    "flux": _flux,
}
