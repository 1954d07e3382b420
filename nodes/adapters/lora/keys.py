"""The names that trainers give the tensors of a LoRA: kohya's, diffusers' and PEFT's."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

DENOISER = "denoiser"
ENCODERS = ("text_encoder", "text_encoder_2", "text_encoder_3")

_PREFIXES: tuple[tuple[str, str], ...] = (
    ("lora_unet_", DENOISER),
    ("lora_transformer_", DENOISER),
    ("lora_te1_", ENCODERS[0]),
    ("lora_te2_", ENCODERS[1]),
    ("lora_te3_", ENCODERS[2]),
    ("lora_te_", ENCODERS[0]),
    ("text_encoder.", ENCODERS[0]),
    ("text_encoder_2.", ENCODERS[1]),
    ("text_encoder_3.", ENCODERS[2]),
    ("unet.", DENOISER),
    ("transformer.", DENOISER),
    ("diffusion_model.", DENOISER),
)
_PEFT_PREFIX = "base_model.model."
_PARTS = {
    "lora_down.weight": "down",
    "lora_up.weight": "up",
    "lora_mid.weight": "mid",
    "lora_A.weight": "down",
    "lora_B.weight": "up",
    "lora_A.default.weight": "down",
    "lora_B.default.weight": "up",
    "lora.down.weight": "down",
    "lora.up.weight": "up",
    "lora_linear_layer.down.weight": "down",
    "lora_linear_layer.up.weight": "up",
    "alpha": "alpha",
    "dora_scale": "dora_scale",
    "lora_magnitude_vector": "magnitude",
    "lora_magnitude_vector.weight": "magnitude",
    "lora_magnitude_vector.default.weight": "magnitude",
    **{f"hada_{part}": f"hada_{part}" for part in ("w1_a", "w1_b", "w2_a", "w2_b", "t1", "t2")},
    **{f"lokr_{part}": f"lokr_{part}" for part in ("w1", "w1_a", "w1_b", "w2", "w2_a", "w2_b", "t2")},
}
_SUFFIX = re.compile(r"(?P<module>.+?)[._](?P<part>" + "|".join(map(re.escape, _PARTS)) + ")")


class Name(NamedTuple):
    """What the name of a tensor says.

    Attributes:
        component: ``denoiser``, or one of ``ENCODERS``.
        module: the module it changes, with underscores for all dots.
        part: which tensor of the change it is: ``down``, ``up``, ``alpha``, …
        stored: the module as it is written.
    """

    component: str
    module: str
    part: str
    stored: str


def read_name(name: str) -> Name | None:
    """What the name of a tensor says; ``None`` where it is not one of a LoRA."""
    bare = name.removeprefix(_PEFT_PREFIX)
    prefix, component = next(((p, c) for p, c in _PREFIXES if bare.startswith(p)), ("", ""))
    match = _SUFFIX.fullmatch(bare.removeprefix(prefix).removeprefix(_PEFT_PREFIX))
    if match is None:
        return None
    flat = flattened(match["module"])
    return Name(component or _guess(flat), flat, _PARTS[match["part"]], match["module"])


def flattened(module: str) -> str:
    """A module's name with underscores for dots, without the parts that come and go."""
    flat = module.replace(".", "_").replace("_processor_", "_").removeprefix("text_model_")
    return _diffusers_name(flat)


def _guess(flat: str) -> str:
    """Which component a module without a prefix is of."""
    return ENCODERS[0] if flat.startswith(("encoder_layers_", "embeddings_")) else DENOISER


_MARKS: tuple[tuple[tuple[str, ...], frozenset[str]], ...] = (
    (("down_blocks_", "up_blocks_", "mid_block_"), frozenset({"sd", "sdxl", "sdxl_refiner"})),
    (("single_transformer_blocks_", "single_blocks_", "double_blocks_"), frozenset({"flux"})),
    (("joint_blocks_",), frozenset({"sd3"})),
    (("transformer_blocks_",), frozenset({"sd3", "flux"})),
)


def families_of(modules: Iterable[str]) -> frozenset[str] | None:
    """The families whose denoisers have modules of these flattened names; ``None`` where none shows."""
    names = tuple(modules)
    for starts, families in _MARKS:
        if any(name.startswith(starts) for name in names):
            return families
    return None


def modules_by_flat_name(names: Iterable[str]) -> Mapping[str, str]:
    """Module names by what ``flattened`` makes of them."""
    return {flattened(name): name for name in names}


_LDM = re.compile(
    r"(?P<side>input_blocks|middle_block|output_blocks)_(?P<place>\d{1,4}(?:_\d{1,4})?)_(?P<rest>.+)"
)
_LDM_PARTS = (
    ("in_layers_2", "conv1"),
    ("out_layers_3", "conv2"),
    ("emb_layers_1", "time_emb_proj"),
    ("skip_connection", "conv_shortcut"),
)
_LDM_WHOLE = {
    "input_blocks_0_0": "conv_in",
    "out_2": "conv_out",
    "time_embed_0": "time_embedding_linear_1",
    "time_embed_2": "time_embedding_linear_2",
    "label_emb_0_0": "add_embedding_linear_1",
    "label_emb_0_2": "add_embedding_linear_2",
}
_STAGE = 3
"""Modules of one resolution on the way down or up: two blocks and what changes the size."""
_DOWN, _UP, _MIDDLE = "input_blocks", "output_blocks", "middle_block"
_MIDDLE_BLOCKS = ("resnets_0", "attentions_0", "resnets_1")


def _diffusers_name(flat: str) -> str:
    """diffusers' name for a module of a U-Net that is named as in the original code, as in SDXL LoRAs."""
    if flat in _LDM_WHOLE:
        return _LDM_WHOLE[flat]
    match = _LDM.fullmatch(flat)
    if match is None:
        return flat
    block, rest = _block(match["side"], match["place"], match["rest"])
    for original, current in _LDM_PARTS:
        rest = rest.replace(original, current) if "resnets" in block else rest
    return f"{block}_{rest}"


def _block(side: str, place: str, rest: str) -> tuple[str, str]:
    first, _, second = place.partition("_")
    if side == _MIDDLE:
        return f"mid_block_{_MIDDLE_BLOCKS[min(int(first), 2)]}", f"{second}_{rest}" if second else rest
    index, inner = int(first) - (side == _DOWN), int(second or 0)
    stage, layer = divmod(index, _STAGE)
    direction = "down" if side == _DOWN else "up"
    if side == _DOWN and rest == "op":
        return f"down_blocks_{stage}_downsamplers_0", "conv"
    if side == _UP and rest == "conv":
        return f"up_blocks_{stage}_upsamplers_0", "conv"
    kind = "attentions" if inner else "resnets"
    return f"{direction}_blocks_{stage}_{kind}_{layer}", rest
