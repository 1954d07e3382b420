"""The raw networks of each model family behind one signature."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from nodes.controlnet.residuals import control_residuals
from nodes.sampling.condition import Condition
from nodes.sampling.denoiser import Network


def stable_diffusion(unet: Any) -> Network:
    """A text-conditioned U-Net (diffusers' ``UNet2DConditionModel``; Rombach et al. 2022, Sec. 3.3)."""
    dtype = next(unet.parameters()).dtype

    def predict(z: Tensor, timestep: Tensor, sigma: float, conditions: Sequence[Condition]) -> Tensor:
        items = len(z) // len(conditions)

        def gathered(name: str) -> Tensor | None:
            parts = [getattr(condition, name) for condition in conditions]
            return None if parts[0] is None else torch.cat([_for_items(p, items) for p in parts]).to(dtype)

        context, concat = gathered("context"), gathered("concat")
        assert context is not None
        z, timestep = z.to(dtype), timestep.to(z.device)
        down, mid = control_residuals(conditions[0].controls, z, timestep, context, sigma)
        output: Tensor = unet(
            z if concat is None else torch.cat([z, concat], dim=1),
            timestep,
            encoder_hidden_states=context,
            added_cond_kwargs=_size_and_pooled(gathered("pooled"), gathered("time_ids")),
            down_block_additional_residuals=down,
            mid_block_additional_residual=mid,
            return_dict=False,
        )[0]
        return output.float()

    return predict


def _for_items(tensor: Tensor, items: int) -> Tensor:
    return tensor.expand(items, *tensor.shape[1:])


def _size_and_pooled(pooled: Tensor | None, time_ids: Tensor | None) -> dict[str, Tensor] | None:
    """What SDXL takes beside the prompt (Podell et al. 2024, Sec. 2.2)."""
    if pooled is None or time_ids is None:
        return None
    return {"text_embeds": pooled, "time_ids": time_ids}


NETWORKS: dict[str, Callable[[Any], Network]] = {"sd": stable_diffusion}
