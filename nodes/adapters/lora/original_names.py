"""Modules of MM-DiT and FLUX as their original code names them, which trainers of LoRAs keep to."""

from __future__ import annotations

import re
from collections.abc import Mapping

_QKV = ("attn_to_q", "attn_to_k", "attn_to_v")
_ADDED = ("attn_add_q_proj", "attn_add_k_proj", "attn_add_v_proj")

_FLUX_DOUBLE: Mapping[str, tuple[str, ...]] = {
    "img_attn_qkv": _QKV,
    "txt_attn_qkv": _ADDED,
    "img_attn_proj": ("attn_to_out_0",),
    "txt_attn_proj": ("attn_to_add_out",),
    "img_mlp_0": ("ff_net_0_proj",),
    "img_mlp_2": ("ff_net_2",),
    "txt_mlp_0": ("ff_context_net_0_proj",),
    "txt_mlp_2": ("ff_context_net_2",),
    "img_mod_lin": ("norm1_linear",),
    "txt_mod_lin": ("norm1_context_linear",),
}
_FLUX_SINGLE: Mapping[str, tuple[str, ...]] = {
    "linear1": (*_QKV, "proj_mlp"),
    "linear2": ("proj_out",),
    "modulation_lin": ("norm_linear",),
}
_MMDIT: Mapping[str, tuple[str, ...]] = {
    "x_block_attn_qkv": _QKV,
    "x_block_attn2_qkv": ("attn2_to_q", "attn2_to_k", "attn2_to_v"),
    "context_block_attn_qkv": _ADDED,
    "x_block_attn_proj": ("attn_to_out_0",),
    "x_block_attn2_proj": ("attn2_to_out_0",),
    "context_block_attn_proj": ("attn_to_add_out",),
    "x_block_mlp_fc1": ("ff_net_0_proj",),
    "x_block_mlp_fc2": ("ff_net_2",),
    "context_block_mlp_fc1": ("ff_context_net_0_proj",),
    "context_block_mlp_fc2": ("ff_context_net_2",),
    "x_block_adaLN_modulation_1": ("norm1_linear",),
    "context_block_adaLN_modulation_1": ("norm1_context_linear",),
}
_BLOCKS: Mapping[str, tuple[str, Mapping[str, tuple[str, ...]]]] = {
    "double_blocks": ("transformer_blocks", _FLUX_DOUBLE),
    "single_blocks": ("single_transformer_blocks", _FLUX_SINGLE),
    "joint_blocks": ("transformer_blocks", _MMDIT),
}
_WHOLE: Mapping[str, str] = {
    "img_in": "x_embedder",
    "txt_in": "context_embedder",
    "time_in_in_layer": "time_text_embed_timestep_embedder_linear_1",
    "time_in_out_layer": "time_text_embed_timestep_embedder_linear_2",
    "vector_in_in_layer": "time_text_embed_text_embedder_linear_1",
    "vector_in_out_layer": "time_text_embed_text_embedder_linear_2",
    "guidance_in_in_layer": "time_text_embed_guidance_embedder_linear_1",
    "guidance_in_out_layer": "time_text_embed_guidance_embedder_linear_2",
    "final_layer_linear": "proj_out",
    "final_layer_adaLN_modulation_1": "norm_out_linear",
    "x_embedder_proj": "pos_embed_proj",
    "t_embedder_mlp_0": "time_text_embed_timestep_embedder_linear_1",
    "t_embedder_mlp_2": "time_text_embed_timestep_embedder_linear_2",
    "y_embedder_mlp_0": "time_text_embed_text_embedder_linear_1",
    "y_embedder_mlp_2": "time_text_embed_text_embedder_linear_2",
}
_NAME = re.compile(r"(?P<kind>double_blocks|single_blocks|joint_blocks)_(?P<index>\d{1,4})_(?P<rest>.+)")
_FUSED = re.compile(r"(?P<before>.+_)(?P<fused>attn_to_qkv|attn_to_added_qkv)")


def parts_of(flat: str) -> tuple[str, ...]:
    """The modules of diffusers, one below the other, that a module of a LoRA is; itself where it is no other.

    Args:
        flat: its name with underscores for dots, and so are those that come back.
    """
    if flat in _WHOLE:
        return (_WHOLE[flat],)
    match = _NAME.fullmatch(flat)
    if match is not None:
        blocks, parts = _BLOCKS[match["kind"]]
        return tuple(
            f"{blocks}_{match['index']}_{part}" for part in parts.get(match["rest"], (match["rest"],))
        )
    fused = _FUSED.fullmatch(flat)
    if fused is not None:
        whole = _QKV if fused["fused"] == "attn_to_qkv" else _ADDED
        return tuple(fused["before"] + part for part in whole)
    return (flat,)


def halves_swapped(flat: str, shape: tuple[int, ...]) -> bool:
    """Whether diffusers keeps scale and shift of such a module the other way round: those of a last layer."""
    return flat.endswith("adaLN_modulation_1") and shape[0] == 2 * shape[1]
