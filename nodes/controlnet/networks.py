"""ControlNets and T2I-Adapters, on the device, as what they add to a U-Net."""

from __future__ import annotations

from functools import cache
from typing import Any

from torch import Tensor

from nodes.sampling.condition import Added, ControlNetwork, Residuals


def controlnet(module: Any, hint: Tensor, strength: float) -> ControlNetwork:
    """diffusers' ``ControlNetModel``: a copy of the way down (Zhang et al. 2023, Sec. 3.1).

    Args:
        hint: its picture, ``[1 or batch, channels, height, width]`` in 0..1.
        strength: scale of its residuals.
    """

    def residuals(z: Tensor, timestep: Tensor, context: Tensor, added: Added | None) -> Residuals:
        skips, middle = module(
            z,
            timestep,
            encoder_hidden_states=context,
            controlnet_cond=_for_items(hint, len(z)).to(z.dtype),
            conditioning_scale=strength,
            added_cond_kwargs=added,
            return_dict=False,
        )
        return Residuals(tuple(skips), middle)

    return residuals


def t2i_adapter(module: Any, hint: Tensor, strength: float) -> ControlNetwork:
    """diffusers' ``T2IAdapter``; it sees the picture alone, so it is asked once (Mou et al. 2023, Eq. 1).

    Args:
        hint: its picture, ``[1 or batch, channels, height, width]`` in 0..1.
        strength: scale of its features.
    """

    @cache
    def features() -> tuple[Tensor, ...]:
        dtype = next(module.parameters()).dtype
        return tuple(strength * feature for feature in module(hint.to(dtype)))

    def residuals(z: Tensor, timestep: Tensor, context: Tensor, added: Added | None) -> Residuals:
        return Residuals(levels=tuple(_for_items(feature, len(z)).to(z.dtype) for feature in features()))

    return residuals


def _for_items(planes: Tensor, items: int) -> Tensor:
    return planes.repeat(items // len(planes), 1, 1, 1)
