"""The multimodal transformer of Stable Diffusion 3 (Esser et al. 2024, Sec. 4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from nodes.sampling.condition import Condition
from nodes.sampling.denoiser import Network
from nodes.sampling.networks.inputs import contexts, padded, pooled


def stable_diffusion_3(transformer: Any) -> Network:
    """diffusers' ``SD3Transformer2DModel``."""
    dtype = next(transformer.parameters()).dtype

    def predict(z: Tensor, timestep: Tensor, sigma: float, conditions: Sequence[Condition]) -> Tensor:
        items, (height, width) = len(z) // len(conditions), z.shape[-2:]
        output: Tensor = transformer(
            padded(z.to(dtype), transformer.config.patch_size),
            timestep=timestep.to(z.device).expand(len(z)),
            encoder_hidden_states=contexts(conditions, items).to(dtype),
            pooled_projections=pooled(conditions, items).to(dtype),
            return_dict=False,
        )[0]
        return output[..., :height, :width].float()

    return predict
