"""Combining prompts, and saying where and when they count."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any, Literal

import torch
import torch.nn.functional as F  # noqa: N812 - the name the field uses
from pydantic import Field

from nodegraph import node
from nodegraph.errors import InputError
from nodegraph.specs import Spec, require_same
from nodes.types import Area, Conditioning, Mask, Prompt, PromptMask

CATEGORY = "conditioning"
Pixels = Annotated[int, Field(ge=64, le=16384, multiple_of=8)]
Place = Annotated[int, Field(ge=0, le=16384, multiple_of=8)]
Share = Annotated[float, Field(ge=0.0, le=1.0)]
Extent = Annotated[float, Field(gt=0.0, le=1.0)]
Strength = Annotated[float, Field(ge=0.0, le=10.0)]
TO, FROM = "conditioning_to", "conditioning_from"


def infer_combined(conditioning_1: Spec, conditioning_2: Spec) -> dict[str, Any]:
    """Prompts for one model are combined."""
    return _joined(conditioning_1=conditioning_1, conditioning_2=conditioning_2)


def infer_merged(conditioning_to: Spec, conditioning_from: Spec) -> dict[str, Any]:
    """Prompts for one model are merged."""
    return _joined(conditioning_to=conditioning_to, conditioning_from=conditioning_from)


def infer_same(conditioning: Spec) -> dict[str, Any]:
    """The facts stay what they are."""
    return dict(conditioning.facts)


def _joined(**specs: Spec) -> dict[str, Any]:
    for fact in ("family", "text_width"):
        require_same(fact, **specs)
    return {name: value for spec in specs.values() for name, value in spec.facts.items()}


def _check_same(name: str, one: Conditioning, other: Conditioning) -> None:
    given, wanted = (other.family, other.text_width), (one.family, one.text_width)
    if given != wanted:
        raise InputError(
            name,
            f"made for family {given[0]} with text width {given[1]}; the other is for {wanted[0]} with "
            f"{wanted[1]}",
        )


def _changed(conditioning: Conditioning, **changes: Any) -> Conditioning:
    prompts = tuple(dataclasses.replace(prompt, **changes) for prompt in conditioning.prompts)
    return dataclasses.replace(conditioning, prompts=prompts)


@node(category=CATEGORY, display_name="Conditioning (Combine)", infer=infer_combined)
def ConditioningCombine(conditioning_1: Conditioning, conditioning_2: Conditioning) -> Conditioning:
    """Follow several prompts at once: the mean of what each would give.

    Args:
        conditioning_1: prompts.
        conditioning_2: more prompts, for the same model.
    """
    _check_same("conditioning_2", conditioning_1, conditioning_2)
    return Conditioning((*conditioning_1.prompts, *conditioning_2.prompts), conditioning_1.family)


@node(category=CATEGORY, display_name="Conditioning (Concat)", infer=infer_merged)
def ConditioningConcat(conditioning_to: Conditioning, conditioning_from: Conditioning) -> Conditioning:
    """Make one longer prompt: the words of the second after those of the first.

    Args:
        conditioning_to: prompts, each of which is made longer.
        conditioning_from: what is put after each; of several prompts the first.
    """
    _check_same(FROM, conditioning_to, conditioning_from)
    tail = conditioning_from.prompts[0].embeddings
    prompts = (
        dataclasses.replace(prompt, embeddings=torch.cat([prompt.embeddings, tail], dim=1))
        for prompt in conditioning_to.prompts
    )
    return dataclasses.replace(conditioning_to, prompts=tuple(prompts))


@node(category=CATEGORY, display_name="Conditioning (Average)", infer=infer_merged)
def ConditioningAverage(
    conditioning_to: Conditioning, conditioning_from: Conditioning, conditioning_to_strength: Share = 1.0
) -> Conditioning:
    """Mix the embeddings of two prompts.

    Args:
        conditioning_to: prompts, each of which is mixed.
        conditioning_from: what is mixed in; of several prompts the first. Cut or filled up with zeros to the
            length of the other.
        conditioning_to_strength: share of the first; the second has the rest.
    """
    _check_same(FROM, conditioning_to, conditioning_from)
    other, share = conditioning_from.prompts[0], conditioning_to_strength
    prompts = (_mixed(prompt, other, share) for prompt in conditioning_to.prompts)
    return dataclasses.replace(conditioning_to, prompts=tuple(prompts))


def _mixed(prompt: Prompt, other: Prompt, share: float) -> Prompt:
    length = prompt.embeddings.shape[1]
    tail = other.embeddings[:, :length]
    tail = F.pad(tail, (0, 0, 0, length - tail.shape[1]))
    pooled = prompt.pooled if prompt.pooled is not None else other.pooled
    if pooled is not None and other.pooled is not None:
        pooled = share * pooled + (1 - share) * other.pooled
    mixed = share * prompt.embeddings + (1 - share) * tail
    return dataclasses.replace(prompt, embeddings=mixed, pooled=pooled)


@node(category=CATEGORY, display_name="Conditioning (Set Area)", infer=infer_same)
def ConditioningSetArea(
    conditioning: Conditioning,
    width: Pixels = 64,
    height: Pixels = 64,
    x: Place = 0,
    y: Place = 0,
    strength: Strength = 1.0,
) -> Conditioning:
    """Let prompts count in one rectangle only; the model sees nothing else of the picture for them.

    Args:
        conditioning: the prompts.
        width: of the rectangle, in pixels.
        height: of the rectangle, in pixels.
        x: pixels left of it.
        y: pixels above it.
        strength: how much they count beside other prompts there.
    """
    return _changed(conditioning, area=Area(height, width, y, x), strength=strength)


@node(category=CATEGORY, display_name="Conditioning (Set Area with Percentage)", infer=infer_same)
def ConditioningSetAreaPercentage(
    conditioning: Conditioning,
    width: Extent = 1.0,
    height: Extent = 1.0,
    x: Share = 0.0,
    y: Share = 0.0,
    strength: Strength = 1.0,
) -> Conditioning:
    """Let prompts count in one rectangle only, given in shares of the picture.

    Args:
        conditioning: the prompts.
        width: of the rectangle, 1 being the picture's.
        height: of the rectangle, 1 being the picture's.
        x: share of the width that is left of it.
        y: share of the height that is above it.
        strength: how much they count beside other prompts there.
    """
    return _changed(conditioning, area=Area(height, width, y, x, relative=True), strength=strength)


@node(category=CATEGORY, display_name="Conditioning (Set Area Strength)", infer=infer_same)
def ConditioningSetAreaStrength(conditioning: Conditioning, strength: Strength = 1.0) -> Conditioning:
    """Say how much prompts count beside other prompts.

    Args:
        conditioning: the prompts.
        strength: 1 is an equal part.
    """
    return _changed(conditioning, strength=strength)


@node(category=CATEGORY, display_name="Conditioning (Set Mask)", infer=infer_same)
def ConditioningSetMask(
    conditioning: Conditioning,
    mask: Mask,
    strength: Strength = 1.0,
    set_cond_area: Literal["default", "mask bounds"] = "default",
) -> Conditioning:
    """Let prompts count where a mask says so.

    Args:
        conditioning: the prompts.
        mask: one mask, or one for each item of the batch; resized to the latents.
        strength: how much they count where it is 1.
        set_cond_area: what the model sees for them: all of the picture, or the rectangle around the mask.
    """
    masked = PromptMask(mask.values, strength, bounds_only=set_cond_area == "mask bounds")
    return _changed(conditioning, mask=masked)


@node(category=f"advanced/{CATEGORY}", display_name="Conditioning Set Timestep Range", infer=infer_same)
def ConditioningSetTimestepRange(
    conditioning: Conditioning, start: Share = 0.0, end: Share = 1.0
) -> Conditioning:
    """Let prompts count in a part of the run only.

    Args:
        conditioning: the prompts.
        start: share of the trained noise schedule done when they begin to count.
        end: share done when they cease to count.
    """
    if start > end:
        raise InputError("start", f"{start} is after end {end}")
    return _changed(conditioning, start_percent=start, end_percent=end)


@node(category=f"advanced/{CATEGORY}", display_name="Conditioning Zero Out", infer=infer_same)
def ConditioningZeroOut(conditioning: Conditioning) -> Conditioning:
    """Replace embeddings by zeros: what models were trained with where there was no prompt at all.

    Args:
        conditioning: the prompts.
    """
    prompts = (
        dataclasses.replace(
            prompt,
            embeddings=torch.zeros_like(prompt.embeddings),
            pooled=None if prompt.pooled is None else torch.zeros_like(prompt.pooled),
        )
        for prompt in conditioning.prompts
    )
    return dataclasses.replace(conditioning, prompts=tuple(prompts))
