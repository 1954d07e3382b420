"""What a low-rank change adds to a weight."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

Parts = Mapping[str, Tensor]
"""The tensors of one change, by the names of ``nodes.adapters.lora.keys``."""


@dataclass(frozen=True)
class Scaling:
    """What a change is multiplied with, where it holds no α of its own.

    Attributes:
        alpha: α; ``None`` is for changes that are stored scaled.
        rank: r, of changes whose tensors do not show it.
        by_root: whether it is α/√r instead of α/r, which keeps changes of high rank from vanishing
            (Kalajdzievski 2023).
    """

    alpha: float | None = None
    rank: float | None = None
    by_root: bool = False

    def factor(self, rank: int | None) -> float:
        """The number, for a change whose tensors show that rank.

        Raises:
            ValueError: it would be infinite.
        """
        return _ratio(self.alpha, rank or self.rank, by_root=self.by_root)


UNSCALED = Scaling()


def _ratio(alpha: float | None, rank: float | None, *, by_root: bool = False) -> float:
    if alpha is None or not rank:
        return 1.0
    if not math.isfinite(alpha):
        raise ValueError(f"its alpha is {alpha}, which is no number")
    return alpha / (math.sqrt(rank) if by_root else rank)


def delta(parts: Parts, shape: torch.Size, scaling: Scaling = UNSCALED) -> Tensor:
    """What is added to a weight at strength 1.

    Args:
        parts: the tensors of the change.
        shape: of the weight, ``[out, in, ...]``.
        scaling: what it is multiplied with where the parts hold no α.

    Returns:
        float32, of that shape.

    Raises:
        ValueError: the parts make no change of that shape, or one of an unknown kind.
    """
    make = _kind(parts)
    outline, _ = _made(make, {name: tensor.to("meta") for name, tensor in parts.items()})
    if outline.numel() != shape.numel():  # told before small factors become a large product
        raise ValueError(f"it changes a weight of {list(outline.shape)}, the model's is {list(shape)}")
    floats = {name: tensor.float() for name, tensor in parts.items()}
    change, rank = _made(make, floats)
    return change.reshape(shape) * _scale(floats, rank, scaling)


def change(parts: Parts, weight: Tensor, scaling: Scaling = UNSCALED) -> Tensor:
    """What is added to a weight at strength 1: ``delta``, or what gives it the magnitudes that a DoRA sets.

    With W' = W + ΔW, a DoRA gives m W'/‖W'‖ (Liu et al. 2024, Eq. 5), the norm that of each output, or in old
    files of each input.

    Args:
        parts: the tensors of the change.
        weight: what is changed, ``[out, in, ...]``.
        scaling: see ``delta``.

    Returns:
        float32, of its shape.

    Raises:
        ValueError: as ``delta``, or the magnitudes are not as many as outputs or inputs.
    """
    whole = weight.float()
    added = delta(parts, weight.shape, scaling).to(whole.device)
    magnitudes = parts.get("magnitude", parts.get("dora_scale"))
    if magnitudes is None:
        return added
    axis = _axis(parts, whole.shape)
    directed, others = whole + added, [dim for dim in range(whole.ndim) if dim != axis]
    shape = [-1 if dim == axis else 1 for dim in range(whole.ndim)]
    norms = torch.linalg.vector_norm(directed, dim=others, keepdim=True)
    scale = magnitudes.float().to(whole.device).reshape(shape) / norms
    changed: Tensor = directed * scale - whole
    return changed


def _axis(parts: Parts, shape: torch.Size) -> int:
    """The dimension of the weight that a DoRA's magnitudes are along."""
    old = parts.get("dora_scale")
    magnitudes = parts["magnitude"] if old is None else old
    if magnitudes.numel() == shape[0] and (old is None or old.shape[0] == shape[0]):
        return 0
    if old is not None and len(shape) > 1 and magnitudes.numel() == shape[1]:
        return 1
    raise ValueError(f"it sets {magnitudes.numel()} magnitudes of a weight of {list(shape)}")


def _made(make: Callable[[Parts], tuple[Tensor, int | None]], parts: Parts) -> tuple[Tensor, int | None]:
    """What the parts make, and their rank."""
    try:
        return make(parts)
    except KeyError as missing:
        raise ValueError(f"its part {missing} is missing") from missing
    except (RuntimeError, IndexError, TypeError) as error:  # TypeError: no length, being a single number
        raise ValueError(f"its parts do not fit together: {error}") from error


def _kind(parts: Parts) -> Callable[[Parts], tuple[Tensor, int | None]]:
    if any(name.startswith("hada_") for name in parts):
        return _loha
    return _lokr if any(name.startswith("lokr_") for name in parts) else _lora


def _scale(parts: Parts, rank: int | None, scaling: Scaling) -> float:
    """The scale of the parts' own α, or that of the settings."""
    if "alpha" not in parts:
        return scaling.factor(rank)
    if parts["alpha"].numel() != 1:
        raise ValueError(f"its alpha is {list(parts['alpha'].shape)}, one number is wanted")
    return _ratio(float(parts["alpha"]), rank)


def _product(up: Tensor, down: Tensor) -> Tensor:
    """``up`` after ``down``; a convolution keeps its kernel where it is in ``down``."""
    return (up.flatten(1) @ down.flatten(1)).reshape(len(up), *down.shape[1:])


def _through_core(core: Tensor, up: Tensor, down: Tensor) -> Tensor:
    """A Tucker decomposition (Yeh et al. 2024, Sec. 4.4): a small kernel between two projections."""
    return torch.einsum("ij...,oi,jc->oc...", core, up.flatten(1), down.flatten(1))


def _lora(parts: Parts) -> tuple[Tensor, int | None]:
    """W = B A (Hu et al. 2022, Eq. 3)."""
    up, down = parts["up"], parts["down"]
    if "mid" in parts:
        return _through_core(parts["mid"], up, down), len(down)
    return _product(up, down), len(down)


def _loha(parts: Parts) -> tuple[Tensor, int | None]:
    """W = (B₁ A₁) ⊙ (B₂ A₂) (Hyeon-Woo et al. 2022, Eq. 2)."""
    rank = len(parts["hada_w1_b"])
    halves = []
    for half in ("1", "2"):
        left, right = parts[f"hada_w{half}_a"], parts[f"hada_w{half}_b"]
        core = parts.get(f"hada_t{half}")
        # With a core the left factor is stored transposed.
        halves.append(left @ right if core is None else _through_core(core, left.transpose(-2, -1), right))
    return halves[0] * halves[1], rank


def _lokr(parts: Parts) -> tuple[Tensor, int | None]:
    """W = W₁ ⊗ W₂, each whole or factored (Yeh et al. 2024, Eq. 6)."""
    first, first_rank = _factor(parts, "lokr_w1")
    second, second_rank = _factor(parts, "lokr_w2")
    first = first.reshape(*first.shape, *[1] * (second.ndim - first.ndim))
    return torch.kron(first, second.contiguous()), second_rank or first_rank


def _factor(parts: Parts, name: str) -> tuple[Tensor, int | None]:
    if name in parts:
        return parts[name], None
    left, right, core = parts[f"{name}_a"], parts[f"{name}_b"], parts.get("lokr_t2")
    if core is not None and name == "lokr_w2":
        return _through_core(core, left.transpose(-2, -1), right), len(right)
    return _product(left, right), len(right)
