"""Perturbed-attention guidance."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from nodes.sampling.condition import Condition
from nodes.sampling.denoiser import Network
from nodes.sampling.patches import Patch

SELF_ATTENTION = "attn1"


@dataclass(frozen=True)
class PerturbedAttention(Patch):
    """Away from what the network sees when the middle block's self-attention is an identity matrix.

    Ahn et al. 2024, Eq. 12: D + scale (D₊ - D̂₊). It takes one more forward a step.

    Attributes:
        scale: how far.
    """

    scale: float


class IdentityAttention:
    """A processor of diffusers' attention whose attention map is the identity: values pass as they are."""

    def __call__(
        self, attn: Any, hidden_states: Tensor, *arguments: Any, temb: Tensor | None = None, **options: Any
    ) -> Tensor:
        """``[batch, tokens, width]`` to the same."""
        values: Tensor = attn.to_out[1](attn.to_out[0](attn.to_v(hidden_states)))
        return values


def perturbed(unet: Any, network: Network) -> Network:
    """``network``, which is over ``unet``, as it predicts with the attention perturbed."""

    def predict(z: Tensor, timestep: Tensor, sigma: float, conditions: Sequence[Condition]) -> Tensor:
        with _identity_attention(unet):
            return network(z, timestep, sigma, conditions)

    return predict


@contextmanager
def _identity_attention(unet: Any) -> Iterator[None]:
    layers = [layer for name, layer in unet.mid_block.named_modules() if name.endswith(SELF_ATTENTION)]
    processors = [layer.processor for layer in layers]
    try:
        for layer in layers:
            layer.processor = IdentityAttention()
        yield
    finally:
        for layer, processor in zip(layers, processors, strict=True):
            layer.processor = processor
