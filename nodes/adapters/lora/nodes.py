"""Applying LoRAs to models and their text encoders."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any, NamedTuple

from pydantic import Field

from nodegraph import File, InFolder, NodeContext, node
from nodegraph.errors import InputError
from nodegraph.files import Folders
from nodegraph.specs import Mismatch, Spec, require_same
from nodes.adapters.lora.file import LoraFacts, read_facts
from nodes.adapters.lora.keys import DENOISER
from nodes.adapters.lora.recipes import Lora, with_lora
from nodes.types import Clip, Model

LORAS = "loras"
Strength = Annotated[float, Field(ge=-100.0, le=100.0)]
LoraName = Annotated[str, InFolder(LORAS)]


class LoraApplied(NamedTuple):
    """A model and its text encoder, both changed."""

    model: Model
    clip: Clip


def infer_lora(model: Spec, clip: Spec, lora_name: Spec, files: Folders) -> dict[str, Any]:
    """The facts stay what they are; model, text encoder and LoRA must be made for each other."""
    require_same("family", model=model, clip=clip)
    _check(model, lora_name, files)
    return {"model": dict(model.facts), "clip": dict(clip.facts)}


def infer_lora_model(model: Spec, lora_name: Spec, files: Folders) -> dict[str, Any]:
    """The facts stay what they are; model and LoRA must be made for each other."""
    _check(model, lora_name, files)
    return dict(model.facts)


def _check(model: Spec, lora_name: Spec, files: Folders) -> None:
    if not isinstance(lora_name.value, str):
        return
    facts = read_facts(files.path(files.resolve(LORAS, lora_name.value)))
    family, width = model.get("family"), model.get("text_width")
    made_for = facts.conflict(family, width)
    if made_for is not None:
        given = f"family {family} with text width {width}"
        raise Mismatch(
            f"LoRA {lora_name.value!r} is for {made_for}; the model is of {given}",
            "lora_name",
            "model",
            given=made_for,
            expected=given,
        )


@node(category="loaders", display_name="Load LoRA", infer=infer_lora)
def LoraLoader(
    ctx: NodeContext,
    model: Model,
    clip: Clip,
    lora_name: LoraName,
    strength_model: Strength = 1.0,
    strength_clip: Strength = 1.0,
) -> LoraApplied:
    """Change a model and its text encoder by a LoRA; several may follow one another.

    Weights that are loaded stay loaded: another strength reads the LoRA anew, never the checkpoint.

    Args:
        model: the denoising model.
        clip: its text encoder.
        lora_name: a safetensors file in the loras folder, as kohya, diffusers or PEFT write it.
        strength_model: how much it changes the model; 1 is as trained.
        strength_clip: how much it changes the text encoder.
    """
    file = ctx.resolve(LORAS, lora_name)
    facts = _fitting(ctx, file, model)
    encoders = sorted(facts.components - {DENOISER})
    loras = tuple(Lora(file, component, strength_clip) for component in encoders)
    changed = dataclasses.replace(clip, weights=with_lora(clip.weights, loras))
    return LoraApplied(_changed(model, file, facts, strength_model), changed)


@node(category="loaders", display_name="Load LoRA (Model Only)", infer=infer_lora_model)
def LoraLoaderModelOnly(
    ctx: NodeContext, model: Model, lora_name: LoraName, strength_model: Strength = 1.0
) -> Model:
    """Change a model by a LoRA and leave the text encoder as it is.

    Args:
        model: the denoising model.
        lora_name: a safetensors file in the loras folder, as kohya, diffusers or PEFT write it.
        strength_model: how much it changes the model; 1 is as trained.
    """
    file = ctx.resolve(LORAS, lora_name)
    return _changed(model, file, _fitting(ctx, file, model), strength_model)


def _fitting(ctx: NodeContext, file: File, model: Model) -> LoraFacts:
    facts = read_facts(ctx.path(file))
    made_for = facts.conflict(model.family, model.text_width)
    if made_for is not None:
        given = f"family {model.family} with text width {model.text_width}"
        raise InputError("lora_name", f"LoRA {file.name!r} is for {made_for}; the model is of {given}")
    return facts


def _changed(model: Model, file: File, facts: LoraFacts, strength: float) -> Model:
    if DENOISER not in facts.components:
        return model
    return dataclasses.replace(model, weights=with_lora(model.weights, (Lora(file, DENOISER, strength),)))
