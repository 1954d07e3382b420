"""Pictures as prompts."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any, Literal

import torch
from pydantic import Field
from torch import Tensor

from nodegraph import InFolder, NodeContext, node
from nodegraph.errors import InputError
from nodegraph.files import Folders
from nodegraph.specs import Mismatch, Spec, require_same
from nodes.adapters.ip_adapter.file import load_ip_adapter
from nodes.adapters.ip_adapter.image_prompt import ImagePrompt
from nodes.adapters.ip_adapter.weighting import BLOCKS, WeightType
from nodes.clip_vision.encoding import encode_pictures
from nodes.types import ClipVision, ClipVisionOutput, Image, IPAdapter, Mask, Model

IP_ADAPTERS = "ipadapter"
Weight = Annotated[float, Field(ge=-1.0, le=5.0)]
Percent = Annotated[float, Field(ge=0.0, le=1.0)]
U_NETS = ("sd", "sdxl")


def infer_ip_adapter(ipadapter_file: Spec, files: Folders) -> dict[str, Any]:
    """What the header of the chosen IP-Adapter says."""
    if not isinstance(ipadapter_file.value, str):
        return {}
    file = files.resolve(IP_ADAPTERS, ipadapter_file.value)
    found = load_ip_adapter(file, files.path(file))
    family = {} if found.family is None else {"family": found.family}
    return {**family, "text_width": found.text_width, _feature(found): found.feature_width}


def _feature(adapter: IPAdapter) -> str:
    """Which of the widths of a vision encoder its own has to equal."""
    return "hidden_width" if adapter.reads_hidden else "embed_width"


@node(category="ipadapter/loaders", display_name="IPAdapter Model Loader", infer=infer_ip_adapter)
def IPAdapterModelLoader(
    ctx: NodeContext, ipadapter_file: Annotated[str, InFolder(IP_ADAPTERS)]
) -> IPAdapter:
    """Load an IP-Adapter; its weights are loaded where something computes with them.

    Args:
        ipadapter_file: a safetensors file in the ipadapter folder: plain, plus, or full face.
    """
    file = ctx.resolve(IP_ADAPTERS, ipadapter_file)
    return load_ip_adapter(file, ctx.path(file))


def infer_prompted(model: Spec, ipadapter: Spec, told: Spec, name: str) -> dict[str, Any]:
    """The same model; it, the IP-Adapter and what sees the pictures must be made for each other.

    Args:
        told: of what sees the pictures, or of what it said.
        name: the input that this came in at.
    """
    family = model.get("family")
    if family is not None and not family.startswith(U_NETS):
        raise Mismatch(f"IP-Adapters are for U-Nets; the model is of family {family}", "model", "ipadapter")
    for fact in ("family", "text_width"):
        require_same(fact, model=model, ipadapter=ipadapter)
    for fact in ("embed_width", "hidden_width"):
        require_same(fact, ipadapter=ipadapter, **{name: told})
    return dict(model.facts)


def _for_sdxl_alone(weight_type: Any, family: str | None) -> str:
    """What is wrong with a way of weighing the layers, or nothing."""
    if weight_type not in BLOCKS or family in ("sdxl", None):
        return ""
    return (
        f"{weight_type!r} names a block of SDXL's U-Net; for family {family} take another, such as 'linear'"
    )


def _check_weight_type(model: Spec, weight_type: Spec) -> None:
    value = weight_type.value if isinstance(weight_type.value, str) else None
    if complaint := _for_sdxl_alone(value, model.get("family")):
        raise Mismatch(complaint, "weight_type", "model", given=str(value), expected="linear")


def infer_from_image(model: Spec, ipadapter: Spec, clip_vision: Spec, weight_type: Spec) -> dict[str, Any]:
    """See ``infer_prompted``."""
    _check_weight_type(model, weight_type)
    return infer_prompted(model, ipadapter, clip_vision, "clip_vision")


@node(category="ipadapter", display_name="IPAdapter Advanced", device=True, infer=infer_from_image)
def IPAdapterAdvanced(
    ctx: NodeContext,
    model: Model,
    ipadapter: IPAdapter,
    image: Image,
    clip_vision: ClipVision,
    image_negative: Image | None = None,
    attn_mask: Mask | None = None,
    weight: Weight = 1.0,
    weight_type: WeightType = "linear",
    combine_embeds: Literal["concat"] = "concat",
    start_at: Percent = 0.0,
    end_at: Percent = 1.0,
    embeds_scaling: Literal["V only"] = "V only",
) -> Model:
    """Let a model look at pictures as it reads a prompt; several may follow one another.

    Args:
        model: the denoising model, of Stable Diffusion 1, 2 or XL.
        ipadapter: the IP-Adapter.
        image: the pictures; several count together.
        clip_vision: the encoder that the IP-Adapter was trained with.
        image_negative: what the negative side is shown; by default nothing.
        attn_mask: where in what the network sees the pictures count.
        weight: how much they count; 1 is as trained.
        weight_type: alike in all layers (linear), less from layer to layer (ease in) or more (ease out), less
            on one side of the U-Net; or, in SDXL, in the one block that carries style or composition.
        combine_embeds: several pictures stand side by side.
        start_at: share of the trained noise schedule done when they begin to count.
        end_at: share of it done when they cease to count.
        embeds_scaling: the weight scales what is found, not what is looked for.
    """
    said = encode_pictures(ctx, clip_vision, image)
    negative = None if image_negative is None else encode_pictures(ctx, clip_vision, image_negative)
    absent = _absent("image_negative", ipadapter, said, negative)
    return _prompted(model, ipadapter, said, absent, attn_mask, weight, weight_type, start_at, end_at)


def infer_from_embeds(model: Spec, ipadapter: Spec, pos_embed: Spec, weight_type: Spec) -> dict[str, Any]:
    """See ``infer_prompted``."""
    _check_weight_type(model, weight_type)
    return infer_prompted(model, ipadapter, pos_embed, "pos_embed")


@node(category="ipadapter/embeds", display_name="IPAdapter Embeds", infer=infer_from_embeds)
def IPAdapterEmbeds(
    model: Model,
    ipadapter: IPAdapter,
    pos_embed: ClipVisionOutput,
    neg_embed: ClipVisionOutput | None = None,
    attn_mask: Mask | None = None,
    weight: Weight = 1.0,
    weight_type: WeightType = "linear",
    start_at: Percent = 0.0,
    end_at: Percent = 1.0,
    embeds_scaling: Literal["V only"] = "V only",
) -> Model:
    """The same with pictures that are encoded already, by CLIPVisionEncode.

    Args:
        model: the denoising model, of Stable Diffusion 1, 2 or XL.
        ipadapter: the IP-Adapter.
        pos_embed: what CLIP says of the pictures; several count together.
        neg_embed: what the negative side is told; by default nothing.
        attn_mask: where in what the network sees the pictures count.
        weight: how much they count; 1 is as trained.
        weight_type: alike in all layers (linear), less from layer to layer (ease in) or more (ease out), less
            on one side of the U-Net; or, in SDXL, in the one block that carries style or composition.
        start_at: share of the trained noise schedule done when they begin to count.
        end_at: share of it done when they cease to count.
        embeds_scaling: the weight scales what is found, not what is looked for.
    """
    absent = _absent("neg_embed", ipadapter, pos_embed, neg_embed)
    return _prompted(model, ipadapter, pos_embed, absent, attn_mask, weight, weight_type, start_at, end_at)


def _prompted(
    model: Model,
    adapter: IPAdapter,
    said: ClipVisionOutput,
    absent: Tensor,
    mask: Mask | None,
    weight: float,
    weight_type: WeightType,
    start: float,
    end: float,
) -> Model:
    _check(model, adapter, said)
    if complaint := _for_sdxl_alone(weight_type, model.family):
        raise InputError("weight_type", complaint)
    if start > end:
        raise InputError("start_at", f"{start} is after end_at {end}")
    if weight == 0.0:
        return model
    where = None if mask is None else mask.values[:, None]
    told = _features(adapter, said)
    prompt = ImagePrompt(adapter, told, absent, weight, start, end, where, weight_type)
    return dataclasses.replace(model, patches=(*model.patches, prompt))


def _features(adapter: IPAdapter, said: ClipVisionOutput) -> Tensor:
    """What the adapter is told of pictures."""
    return said.penultimate_hidden_states if adapter.reads_hidden else said.image_embeds


def _absent(
    name: str, adapter: IPAdapter, said: ClipVisionOutput, negative: ClipVisionOutput | None
) -> Tensor:
    """What the adapter is told on the negative side: as many pictures as on the positive one, or none."""
    present = _features(adapter, said)
    if negative is not None:
        absent = _features(adapter, negative)
    else:
        absent = said.blank_hidden_states if adapter.reads_hidden else torch.zeros_like(present)
    if len(absent) not in (1, len(present)):
        raise InputError(name, f"{len(absent)} pictures against {len(present)}; give 1 or {len(present)}")
    return absent.expand_as(present).contiguous()


def _check(model: Model, adapter: IPAdapter, said: ClipVisionOutput) -> None:
    family = model.family if adapter.family is None else adapter.family
    given, wanted = (model.family, model.text_width), (family, adapter.text_width)
    if given != wanted or not model.family.startswith(U_NETS):
        told = f"family {model.family} with text width {model.text_width}"
        raise InputError("ipadapter", f"for family {wanted[0]} with {wanted[1]}; the model is {told}")
    width = _features(adapter, said).shape[-1]
    if width != adapter.feature_width:
        raise InputError(
            "ipadapter", f"it wants pictures as vectors of {adapter.feature_width}; the encoder gives {width}"
        )
