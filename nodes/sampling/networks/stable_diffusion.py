"""The U-Net of Stable Diffusion 1, 2 and XL."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from nodes.controlnet.residuals import control_residuals
from nodes.sampling.condition import Added, Condition
from nodes.sampling.denoiser import Network
from nodes.sampling.networks.inputs import contexts, pooled, with_concat
from nodes.sampling.picture_size import size_numbers
from nodes.sampling.regions import PIXELS

REFINER_SIZES = 5
"""How many numbers the refiner of Stable Diffusion XL is told; base is told six."""


def stable_diffusion(unet: Any) -> Network:
    """A text-conditioned U-Net (diffusers' ``UNet2DConditionModel``; Rombach et al. 2022, Sec. 3.3)."""
    dtype = next(unet.parameters()).dtype

    def predict(z: Tensor, timestep: Tensor, sigma: float, conditions: Sequence[Condition]) -> Tensor:
        return _predict(unet, z.to(dtype), timestep, sigma, conditions, None)

    return predict


def stable_diffusion_xl(unet: Any) -> Network:
    """The same, told a pooled vector and sizes besides (Podell et al. 2023, Sec. 2.2)."""
    dtype = next(unet.parameters()).dtype
    numbers = unet.add_embedding.linear_1.in_features

    def predict(z: Tensor, timestep: Tensor, sigma: float, conditions: Sequence[Condition]) -> Tensor:
        items = len(z) // len(conditions)
        text = pooled(conditions, items).to(dtype)
        count = (numbers - text.shape[-1]) // unet.config.addition_time_embed_dim
        rows = [_sizes(condition, z, count) for condition in conditions for _ in range(items)]
        sizes = torch.tensor(rows, dtype=dtype).to(z.device, non_blocking=True)
        added = {"text_embeds": text, "time_ids": sizes}
        return _predict(unet, z.to(dtype), timestep, sigma, conditions, added)

    return predict


def _predict(
    unet: Any,
    z: Tensor,
    timestep: Tensor,
    sigma: float,
    conditions: Sequence[Condition],
    added: Added | None,
) -> Tensor:
    items = len(z) // len(conditions)
    context = contexts(conditions, items).to(z.dtype)
    timestep = timestep.to(z.device)
    added_by = control_residuals(conditions[0].controls, z, timestep, context, sigma, added)
    output: Tensor = unet(
        with_concat(z, conditions, items),
        timestep,
        timestep_cond=_guidance_embedding(unet, conditions, items, z),
        encoder_hidden_states=context,
        added_cond_kwargs=added,
        down_block_additional_residuals=added_by.skips,
        mid_block_additional_residual=added_by.middle,
        down_intrablock_additional_residuals=None if added_by.levels is None else list(added_by.levels),
        return_dict=False,
    )[0]
    return output.float()


GUIDANCE = 8.5
"""The guidance scale that a latent consistency model is told where the prompt says none."""


def _guidance_embedding(unet: Any, conditions: Sequence[Condition], items: int, z: Tensor) -> Tensor | None:
    """The guidance scale as a distilled U-Net is told it (Luo et al. 2023, Sec. 4.2); others are not."""
    width: int | None = unet.config.time_cond_proj_dim
    if width is None:
        return None
    scales = [GUIDANCE if c.guidance is None else c.guidance for c in conditions for _ in range(items)]
    half = width // 2
    frequencies = torch.exp(torch.arange(half) * -(math.log(10000) / (half - 1)))
    angles = 1000 * (torch.tensor(scales) - 1)[:, None] * frequencies
    return torch.cat([angles.sin(), angles.cos()], dim=1).to(z)


def _sizes(condition: Condition, z: Tensor, count: int) -> list[float]:
    """Height, width, crop from the top and left; then the target's height and width, or how beautiful."""
    height, width = (side * PIXELS for side in z.shape[-2:])
    size = condition.size or size_numbers(None, height, width)
    return [*size[:4], size[6]] if count == REFINER_SIZES else list(size[:6])
