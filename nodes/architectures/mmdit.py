"""The multimodal transformer of Stable Diffusion 3 (Esser et al. 2024, Sec. 4)."""

from __future__ import annotations

import math

from torch import Tensor, nn

from nodes.architectures.architecture import Settings
from nodes.weights.header import Header, UnknownFileError
from nodes.weights.libraries import library_class

HEAD_WIDTH = 64


class MMDiT:
    """diffusers' ``SD3Transformer2DModel`` under the names of Stability AI."""

    description = "MM-DiT of Stable Diffusion 3"

    def detect(self, header: Header) -> bool:
        """Whether it has the blocks of one."""
        return header.has("joint_blocks.0.x_block.attn.qkv.weight", "x_embedder.proj.weight", "pos_embed")

    def settings(self, header: Header) -> Settings:
        """The settings of ``SD3Transformer2DModel``.

        Raises:
            UnknownFileError: the shapes contradict one another, or a tensor is missing.
        """
        width, channels, patch, _ = header.shape("x_embedder.proj.weight", 4)
        layers = header.number("joint_blocks.{}.x_block.attn.qkv.weight")
        dual = [
            index for index in range(layers) if header.has(f"joint_blocks.{index}.x_block.attn2.qkv.weight")
        ]
        text, caption = (
            header.shape("context_embedder.weight", 2)[1],
            header.shape("context_embedder.weight", 2)[0],
        )
        return {
            "in_channels": channels,
            "out_channels": header.shape("final_layer.linear.weight", 2)[0] // patch**2,
            "patch_size": patch,
            "num_layers": layers,
            "attention_head_dim": min(HEAD_WIDTH, width),
            "num_attention_heads": max(1, width // HEAD_WIDTH),
            "joint_attention_dim": text,
            "caption_projection_dim": caption,
            "pooled_projection_dim": header.shape("y_embedder.mlp.0.weight", 2)[1],
            "pos_embed_max_size": _side(header.shape("pos_embed", 3)[1]),
            "dual_attention_layers": dual,
            "qk_norm": "rms_norm" if header.has("joint_blocks.0.x_block.attn.ln_q.weight") else None,
        }

    def make(self, settings: Settings) -> nn.Module:
        """The network with these settings."""
        module: nn.Module = library_class("diffusers", "SD3Transformer2DModel").from_config(dict(settings))
        return module

    def convert(self, tensors: dict[str, Tensor], settings: Settings) -> dict[str, Tensor]:
        """The tensors under diffusers' names."""
        name = "convert_sd3_transformer_checkpoint_to_diffusers"
        converted: dict[str, Tensor] = library_class("diffusers.loaders.single_file_utils", name)(tensors)
        return converted


def _side(positions: int) -> int:
    side = math.isqrt(positions)
    if side * side != positions:
        raise UnknownFileError(f"tensor 'pos_embed' has {positions} positions, which are no square")
    return side
