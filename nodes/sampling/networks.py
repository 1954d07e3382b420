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
        context = torch.cat([condition.context.expand(items, -1, -1) for condition in conditions])
        z, context, timestep = z.to(dtype), context.to(dtype), timestep.to(z.device)
        down, mid = control_residuals(conditions[0].controls, z, timestep, context, sigma)
        output: Tensor = unet(
            z,
            timestep,
            encoder_hidden_states=context,
            down_block_additional_residuals=down,
            mid_block_additional_residual=mid,
            return_dict=False,
        )[0]
        return output.float()

    return predict


NETWORKS: dict[str, Callable[[Any], Network]] = {"sd": stable_diffusion}
