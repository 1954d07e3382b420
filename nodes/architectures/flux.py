"""The rectified-flow transformer of FLUX.1 (Black Forest Labs 2024; its blocks: Esser et al. 2024)."""

from __future__ import annotations

import re
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from nodes.architectures.architecture import Settings
from nodes.weights.header import Header
from nodes.weights.libraries import library_class

PATCH = 2
"""Latent pixels along the side of one token."""

RENAMED = {
    "time_in.in_layer": "time_text_embed.timestep_embedder.linear_1",
    "time_in.out_layer": "time_text_embed.timestep_embedder.linear_2",
    "vector_in.in_layer": "time_text_embed.text_embedder.linear_1",
    "vector_in.out_layer": "time_text_embed.text_embedder.linear_2",
    "guidance_in.in_layer": "time_text_embed.guidance_embedder.linear_1",
    "guidance_in.out_layer": "time_text_embed.guidance_embedder.linear_2",
    "img_in": "x_embedder",
    "txt_in": "context_embedder",
    "final_layer.linear": "proj_out",
    "final_layer.adaLN_modulation.1": "norm_out.linear",
    "double_blocks.#.img_mod.lin": "transformer_blocks.#.norm1.linear",
    "double_blocks.#.txt_mod.lin": "transformer_blocks.#.norm1_context.linear",
    "double_blocks.#.img_attn.norm.query_norm": "transformer_blocks.#.attn.norm_q",
    "double_blocks.#.img_attn.norm.key_norm": "transformer_blocks.#.attn.norm_k",
    "double_blocks.#.txt_attn.norm.query_norm": "transformer_blocks.#.attn.norm_added_q",
    "double_blocks.#.txt_attn.norm.key_norm": "transformer_blocks.#.attn.norm_added_k",
    "double_blocks.#.img_attn.proj": "transformer_blocks.#.attn.to_out.0",
    "double_blocks.#.txt_attn.proj": "transformer_blocks.#.attn.to_add_out",
    "double_blocks.#.img_mlp.0": "transformer_blocks.#.ff.net.0.proj",
    "double_blocks.#.img_mlp.2": "transformer_blocks.#.ff.net.2",
    "double_blocks.#.txt_mlp.0": "transformer_blocks.#.ff_context.net.0.proj",
    "double_blocks.#.txt_mlp.2": "transformer_blocks.#.ff_context.net.2",
    "single_blocks.#.modulation.lin": "single_transformer_blocks.#.norm.linear",
    "single_blocks.#.norm.query_norm": "single_transformer_blocks.#.attn.norm_q",
    "single_blocks.#.norm.key_norm": "single_transformer_blocks.#.attn.norm_k",
    "single_blocks.#.linear2": "single_transformer_blocks.#.proj_out",
}
"""diffusers' names of layers by Black Forest Labs'; ``#`` is the number of the block."""

SPLIT = {
    "double_blocks.#.img_attn.qkv": "transformer_blocks.#.attn.to_q to_k to_v",
    "double_blocks.#.txt_attn.qkv": "transformer_blocks.#.attn.add_q_proj add_k_proj add_v_proj",
    "single_blocks.#.linear1": "single_transformer_blocks.#. attn.to_q attn.to_k attn.to_v proj_mlp",
}
"""Layers that diffusers keeps apart; the last part takes what the others, each one width, leave."""

_NUMBER = re.compile(r"(?<=blocks\.)\d+")


class FluxTransformer:
    """diffusers' ``FluxTransformer2DModel`` under the names of Black Forest Labs.

    diffusers' own converter knows one width only and copies every tensor; here parts are views.
    """

    description = "transformer of FLUX.1"

    def detect(self, header: Header) -> bool:
        """Whether it has the blocks of one."""
        return header.has(
            "double_blocks.0.img_attn.qkv.weight", "single_blocks.0.linear1.weight", "img_in.weight"
        )

    def settings(self, header: Header) -> Settings:
        """The settings of ``FluxTransformer2DModel``.

        Raises:
            UnknownFileError: a tensor is missing or has the wrong number of dimensions.
        """
        width, channels = header.shape("img_in.weight", 2)
        head = header.shape("double_blocks.0.img_attn.norm.query_norm.scale", 1)[0]
        return {
            "in_channels": channels,
            "out_channels": header.shape("final_layer.linear.weight", 2)[0],
            "num_layers": header.number("double_blocks.{}.img_attn.qkv.weight"),
            "num_single_layers": header.number("single_blocks.{}.linear1.weight"),
            "attention_head_dim": head,
            "num_attention_heads": max(1, width // head),
            "joint_attention_dim": header.shape("txt_in.weight", 2)[1],
            "pooled_projection_dim": header.shape("vector_in.in_layer.weight", 2)[1],
            "guidance_embeds": header.has("guidance_in.in_layer.weight"),
            "axes_dims_rope": rope_axes(head),
        }

    def make(self, settings: Settings) -> nn.Module:
        """The network with these settings."""
        module: nn.Module = library_class("diffusers", "FluxTransformer2DModel").from_config(dict(settings))
        return module

    def convert(self, tensors: dict[str, Tensor], settings: Settings) -> dict[str, Tensor]:
        """The tensors under diffusers' names."""
        return dict(pair for name, tensor in tensors.items() for pair in _converted(name, tensor))


def rope_axes(head: int) -> list[int]:
    """How the channels of a head are shared among the axes of the rotary embedding: 16, 56 and 56 of 128."""
    side = head * 7 // 16 // 2 * 2
    return [head - 2 * side, side, side]


def _converted(name: str, tensor: Tensor) -> Iterator[tuple[str, Tensor]]:
    layer, _, kind = name.rpartition(".")
    kind = "weight" if kind == "scale" else kind
    number = _NUMBER.search(layer)
    pattern = _NUMBER.sub("#", layer)
    block = number[0] if number else ""
    if pattern in SPLIT:
        yield from _split(SPLIT[pattern].replace("#", block), kind, tensor)
    elif pattern == "final_layer.adaLN_modulation.1":
        shift, scale = tensor.chunk(2)  # diffusers has them the other way round
        yield f"{RENAMED[pattern]}.{kind}", torch.cat([scale, shift])
    elif pattern in RENAMED:
        yield f"{RENAMED[pattern].replace('#', block)}.{kind}", tensor
    else:
        yield name, tensor


def _split(names: str, kind: str, tensor: Tensor) -> Iterator[tuple[str, Tensor]]:
    first, *others = names.split(" ")
    root, _, head = first.rpartition(".")
    parts = [part for part in (head, *others) if part]
    width = len(tensor) // 3 if len(parts) == 3 else len(tensor) // 7  # the last of four is four wide
    sizes = [width] * (len(parts) - 1)
    for part, piece in zip(parts, torch.split(tensor, [*sizes, len(tensor) - sum(sizes)]), strict=True):
        yield f"{root}.{part}.{kind}", piece
