"""Tiny adapters in the layouts that people have, and as diffusers' own modules."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import torch
from family_files import Tensors, made, unet
from noise_fit import fit_to_noise
from torch import Tensor


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
    module = made(UNet2DConditionModel.from_config(config))
    fit_to_noise(module)
    return module


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


def clip_vision(width: int = 64, projection: int = 48, *, layers: int = 3, act: str = "quick_gelu") -> Any:
    """A CLIP vision encoder of pictures of 32 x 32 pixels."""
    from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

    config = CLIPVisionConfig(
        hidden_size=width,
        intermediate_size=2 * width,
        projection_dim=projection,
        num_hidden_layers=layers,
        num_attention_heads=max(1, width // 64),
        image_size=32,
        patch_size=8,
        hidden_act=act,
    )
    return made(CLIPVisionModelWithProjection(config))


def open_clip_vision(module: Any) -> Tensors:
    """The tensors of a CLIP vision encoder as OpenCLIP stores them."""
    named = dict(module.state_dict())
    tensors = {"visual.proj": named.pop("visual_projection.weight").T.contiguous()}
    for layer in range(module.config.num_hidden_layers):
        attention = f"vision_model.encoder.layers.{layer}.self_attn."
        for part in ("weight", "bias"):
            parts = [named.pop(f"{attention}{letter}_proj.{part}") for letter in "qkv"]
            tensors[f"visual.transformer.resblocks.{layer}.attn.in_proj_{part}"] = torch.cat(parts)
    rules = {
        "vision_model.": "visual.",
        "embeddings.class_embedding": "class_embedding",
        "embeddings.position_embedding.weight": "positional_embedding",
        "embeddings.patch_embedding": "conv1",
        "pre_layrnorm": "ln_pre",
        "post_layernorm": "ln_post",
        "encoder.layers": "transformer.resblocks",
        "layer_norm": "ln_",
        "self_attn": "attn",
        "fc1": "c_fc",
        "fc2": "c_proj",
    }
    for name, tensor in named.items():
        for pattern, replacement in rules.items():
            name = name.replace(pattern, replacement)
        tensors[name] = tensor
    return {name: tensor for name, tensor in tensors.items() if not name.endswith("position_ids")}


def ip_adapter(network: Any, kind: str, *, seed: int = 0, vision: Any = None) -> dict[str, Tensors]:
    """Both halves of an IP-Adapter for a U-Net, under the names of its original code.

    Args:
        network: the U-Net.
        kind: ``plain``, ``plus`` or ``full``.
        seed: of its weights.
        vision: the encoder of its pictures; by default ``clip_vision()``.
    """
    from nodes.adapters.ip_adapter.image_prompt import cross_attentions

    config, text = (vision or clip_vision()).config, network.config.cross_attention_dim
    generator = torch.Generator().manual_seed(seed)

    def weights(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator) * 0.1

    layers = {
        f"{2 * index + 1}.to_{part}_ip.weight": weights(layer.to_q.out_features, text)
        for index, layer in enumerate(cross_attentions(network))
        for part in "kv"
    }
    projections = {
        "plain": lambda: _plain(weights, config.projection_dim, text),
        "full": lambda: _full(weights, config.hidden_size, text),
        "plus": lambda: _plus(weights, config.hidden_size, text),
    }
    return {"image_proj": projections[kind](), "ip_adapter": layers}


def ip_adapter_file(halves: dict[str, Tensors]) -> Tensors:
    """The same as a safetensors file has it."""
    return {f"{half}.{name}": t for half, tensors in halves.items() for name, t in tensors.items()}


Weights = Callable[..., Tensor]


def _norm(weights: Weights, name: str, width: int) -> Tensors:
    return {f"{name}.weight": 1 + weights(width), f"{name}.bias": weights(width)}


def _plain(weights: Weights, features: int, text: int) -> Tensors:
    linear = {"proj.weight": weights(4 * text, features), "proj.bias": weights(4 * text)}
    return {**linear, **_norm(weights, "norm", text)}


def _full(weights: Weights, features: int, text: int) -> Tensors:
    return {
        "proj.0.weight": weights(features, features),
        "proj.0.bias": weights(features),
        "proj.2.weight": weights(text, features),
        "proj.2.bias": weights(text),
        **_norm(weights, "proj.3", text),
    }


def _plus(weights: Weights, features: int, text: int, inner: int = 64, queries: int = 5) -> Tensors:
    tensors = {
        "latents": weights(1, queries, inner),
        "proj_in.weight": weights(inner, features),
        "proj_in.bias": weights(inner),
        "proj_out.weight": weights(text, inner),
        "proj_out.bias": weights(text),
        **_norm(weights, "norm_out", text),
    }
    for layer in range(4):
        block = f"layers.{layer}"
        tensors |= _norm(weights, f"{block}.0.norm1", inner) | _norm(weights, f"{block}.0.norm2", inner)
        tensors |= _norm(weights, f"{block}.1.0", inner)
        tensors[f"{block}.0.to_q.weight"] = weights(inner, inner)
        tensors[f"{block}.0.to_kv.weight"] = weights(2 * inner, inner)
        tensors[f"{block}.0.to_out.weight"] = weights(inner, inner)
        tensors[f"{block}.1.1.weight"] = weights(4 * inner, inner)
        tensors[f"{block}.1.3.weight"] = weights(inner, 4 * inner)
    return tensors
