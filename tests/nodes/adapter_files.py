"""Tiny adapters in the layouts that people have, and as diffusers' own modules."""

from __future__ import annotations

import re
from typing import Any

from family_files import Tensors, made, unet


def t2i_adapter(kind: str, *, channels: int = 3) -> Any:
    """A T2I-Adapter of diffusers whose features fit the tiny ``sd1`` or ``sdxl`` U-Net, or ``wider_unet``.

    Args:
        kind: ``full_adapter``, ``light_adapter`` or ``full_adapter_xl``.
        channels: of its pictures.
    """
    from diffusers import T2IAdapter

    widths = {
        "full_adapter": [64, 64, 128],
        "light_adapter": [64, 128],
        "full_adapter_xl": [64, 64, 128, 128],
    }
    return made(
        T2IAdapter(
            in_channels=channels,
            channels=widths[kind],
            num_res_blocks=4 if kind == "light_adapter" else 2,
            downscale_factor=16 if kind == "full_adapter_xl" else 8,
            adapter_type=kind,
        )
    )


def wider_unet() -> Any:
    """The U-Net of tiny ``sd1`` with its last two levels equally wide, as light T2I-Adapters want them."""
    from diffusers import UNet2DConditionModel

    config = {**unet(linear=False, text=64).config, "block_out_channels": (64, 128, 128)}
    return made(UNet2DConditionModel.from_config(config))


def original_t2i_adapter(module: Any) -> Tensors:
    """A T2I-Adapter as its original code names it: full ones number all blocks in one row."""
    light = module.config.adapter_type == "light_adapter"

    def name(tensor: str) -> str:
        tensor = tensor.removeprefix("adapter.")
        if light:
            return tensor.replace(".resnets.", ".body.")
        tensor = re.sub(
            r"body\.(\d+)\.resnets\.(\d)\.", lambda m: f"body.{2 * int(m[1]) + int(m[2])}.", tensor
        )
        return re.sub(r"body\.(\d+)\.in_conv", lambda m: f"body.{2 * int(m[1])}.in_conv", tensor)

    return {name(old): tensor for old, tensor in module.state_dict().items()}
