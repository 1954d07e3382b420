"""The transformer of FLUX.1 (Black Forest Labs 2024)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from nodes.sampling.condition import Condition
from nodes.sampling.denoiser import Network
from nodes.sampling.flow_schedule import TIMESTEP_SCALE
from nodes.sampling.networks.inputs import contexts, padded, pooled

PATCH = 2
GUIDANCE = 3.5
"""The guidance scale that dev is told where the prompt says none."""


def flux(transformer: Any) -> Network:
    """diffusers' ``FluxTransformer2DModel``, which counts time from 0 to 1."""
    dtype = next(transformer.parameters()).dtype

    def predict(z: Tensor, timestep: Tensor, sigma: float, conditions: Sequence[Condition]) -> Tensor:
        items, (height, width) = len(z) // len(conditions), z.shape[-2:]
        whole, context = padded(z, PATCH), contexts(conditions, items)
        rows, columns = (side // PATCH for side in whole.shape[-2:])
        guidance = [GUIDANCE if c.guidance is None else c.guidance for c in conditions for _ in range(items)]
        tokens: Tensor = transformer(
            hidden_states=to_tokens(whole).to(dtype),
            timestep=(timestep / TIMESTEP_SCALE).to(z).expand(len(z)).to(dtype),
            guidance=torch.tensor(guidance).to(z) if transformer.config.guidance_embeds else None,
            pooled_projections=pooled(conditions, items).to(dtype),
            encoder_hidden_states=context.to(dtype),
            txt_ids=torch.zeros(context.shape[1], 3, device=z.device),
            img_ids=positions(rows, columns, z.device),
            return_dict=False,
        )[0]
        return to_latents(tokens.float(), rows, columns)[..., :height, :width]

    return predict


def to_tokens(z: Tensor) -> Tensor:
    """``[batch, channels, height, width]`` as one token a patch, ``[batch, patches, channels · 4]``."""
    batch, channels, height, width = z.shape
    patches = z.reshape(batch, channels, height // PATCH, PATCH, width // PATCH, PATCH)
    return patches.permute(0, 2, 4, 1, 3, 5).reshape(batch, -1, channels * PATCH**2)


def to_latents(tokens: Tensor, rows: int, columns: int) -> Tensor:
    """The inverse of ``to_tokens``."""
    patches = tokens.reshape(len(tokens), rows, columns, -1, PATCH, PATCH).permute(0, 3, 1, 4, 2, 5)
    return patches.reshape(len(tokens), -1, rows * PATCH, columns * PATCH)


def positions(rows: int, columns: int, device: torch.device) -> Tensor:
    """Where every token stands, ``[rows · columns, 3]``: 0, row, column."""
    row, column = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
    return torch.stack([torch.zeros_like(row), row, column], dim=-1).reshape(-1, 3).float().to(device)
