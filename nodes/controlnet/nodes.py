"""Loading ControlNets and giving them pictures to follow."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any, NamedTuple

from pydantic import Field

from nodegraph import InFolder, NodeContext, node
from nodegraph.errors import InputError
from nodegraph.files import Folders
from nodegraph.specs import Spec, require_same
from nodes.controlnet.folder import load_controlnet
from nodes.types import Conditioning, ControlHint, ControlNet, Image

CONTROLNETS = "controlnet"
Percent = Annotated[float, Field(ge=0.0, le=1.0)]


def infer_controlnet(control_net_name: Spec, files: Folders) -> dict[str, Any]:
    """What the config of the chosen ControlNet says."""
    if not isinstance(control_net_name.value, str):
        return {}
    file = files.resolve(CONTROLNETS, control_net_name.value)
    control_net = load_controlnet(file, files.path(file))
    text = {} if control_net.text_width is None else {"text_width": control_net.text_width}
    return {"family": control_net.family, "latent_channels": control_net.latent_channels, **text}


@node(category="loaders", display_name="Load ControlNet Model", infer=infer_controlnet)
def ControlNetLoader(ctx: NodeContext, control_net_name: Annotated[str, InFolder(CONTROLNETS)]) -> ControlNet:
    """Load a ControlNet or T2I-Adapter; its weights are loaded where something computes with them.

    Args:
        control_net_name: what lies in the controlnet folder: a diffusers folder, or a safetensors file in
            the original layout or with diffusers' names. T2I-Adapters may be full or light.
    """
    file = ctx.resolve(CONTROLNETS, control_net_name)
    return load_controlnet(file, ctx.path(file))


class Controlled(NamedTuple):
    """Both sides of the guidance, steered alike."""

    positive: Conditioning
    negative: Conditioning


def infer_controlled(positive: Spec, negative: Spec, control_net: Spec) -> dict[str, dict[str, Any]]:
    """A ControlNet goes with conditioning of its own family and width."""
    for fact in ("family", "text_width"):
        require_same(fact, control_net=control_net, positive=positive, negative=negative)
    return {
        "positive": {**control_net.known("latent_channels"), **positive.facts},
        "negative": {**control_net.known("latent_channels"), **negative.facts},
    }


@node(category="conditioning/controlnet", display_name="Apply ControlNet", infer=infer_controlled)
def ControlNetApplyAdvanced(
    positive: Conditioning,
    negative: Conditioning,
    control_net: ControlNet,
    image: Image,
    strength: Annotated[float, Field(ge=0.0, le=10.0)] = 1.0,
    start_percent: Percent = 0.0,
    end_percent: Percent = 1.0,
) -> Controlled:
    """Steer both sides of the guidance with a picture; several may be applied one after the other.

    Args:
        positive: what the picture shall show.
        negative: what it shall not.
        control_net: the ControlNet or T2I-Adapter.
        image: what it shall follow, such as edges or depth.
        strength: how strongly; 1 is as trained.
        start_percent: share of the trained noise schedule done when it begins.
        end_percent: share of the trained noise schedule done when it ends.
    """
    if start_percent > end_percent:
        raise InputError("start_percent", f"{start_percent} is after end_percent {end_percent}")
    for name, side in (("positive", positive), ("negative", negative)):
        _check_family(name, side, control_net)
    if strength == 0.0:
        return Controlled(positive, negative)
    hint = ControlHint(control_net, image, strength, start_percent, end_percent)
    return Controlled(_with_hint(positive, hint), _with_hint(negative, hint))


def infer_one_controlled(conditioning: Spec, control_net: Spec) -> dict[str, Any]:
    """A ControlNet goes with conditioning of its own family and width."""
    for fact in ("family", "text_width"):
        require_same(fact, control_net=control_net, conditioning=conditioning)
    return {**control_net.known("latent_channels"), **conditioning.facts}


@node(
    category="conditioning/controlnet", display_name="Apply ControlNet (One Side)", infer=infer_one_controlled
)
def ControlNetApply(
    conditioning: Conditioning,
    control_net: ControlNet,
    image: Image,
    strength: Annotated[float, Field(ge=0.0, le=10.0)] = 1.0,
) -> Conditioning:
    """Steer one side of the guidance with a picture; several may be applied one after the other.

    Args:
        conditioning: what is steered.
        control_net: the ControlNet or T2I-Adapter.
        image: what it shall follow, such as edges or depth.
        strength: how strongly; 1 is as trained.
    """
    _check_family("conditioning", conditioning, control_net)
    if strength == 0.0:
        return conditioning
    return _with_hint(conditioning, ControlHint(control_net, image, strength))


def _check_family(name: str, side: Conditioning, control_net: ControlNet) -> None:
    text_width = side.text_width if control_net.text_width is None else control_net.text_width
    if (side.family, side.text_width) != (control_net.family, text_width):
        made_for = f"made for family {side.family} with text width {side.text_width}"
        raise InputError(name, f"{made_for}; the ControlNet is for {control_net.family} with {text_width}")


def _with_hint(side: Conditioning, hint: ControlHint) -> Conditioning:
    prompts = (dataclasses.replace(prompt, controls=(*prompt.controls, hint)) for prompt in side.prompts)
    return dataclasses.replace(side, prompts=tuple(prompts))
