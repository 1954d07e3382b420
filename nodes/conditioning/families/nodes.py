"""Encoding prompts for SDXL, SD3 and Flux, with what those models are told beside the words."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any

from pydantic import Field

from nodegraph import NodeContext, node
from nodegraph.errors import InputError
from nodegraph.files import Folders
from nodegraph.specs import Mismatch, Spec
from nodes.conditioning.checking import check_prompt
from nodes.conditioning.nodes import Text, embedding_digests
from nodes.conditioning.prompting import encode_prompts
from nodes.types import Clip, Conditioning, PictureSize

Pixels = Annotated[int, Field(ge=0, le=16384)]
Guidance = Annotated[float, Field(ge=0.0, le=100.0)]
CATEGORY = "advanced/conditioning"
SDXL, REFINER, SD3, FLUX = "sdxl", "sdxl_refiner", "sd3", "flux"


def _for_family(family: str, clip: Spec, files: Folders, **texts: Spec) -> dict[str, Any]:
    given = clip.get("family", family)
    if given != family:
        raise Mismatch(
            f"this node encodes prompts for {family}, but clip is of family {given}",
            "clip",
            given=f"family {given}",
            expected=f"family {family}",
        )
    for input, text in texts.items():
        check_prompt(text, input, clip, files)
    return clip.known("family", "text_width")


def infer_sdxl(clip: Spec, text_g: Spec, text_l: Spec, files: Folders) -> dict[str, Any]:
    """Only the text encoders of SDXL serve."""
    return _for_family(SDXL, clip, files, text_g=text_g, text_l=text_l)


def infer_refiner(clip: Spec, text: Spec, files: Folders) -> dict[str, Any]:
    """Only the text encoder of SDXL's refiner serves."""
    return _for_family(REFINER, clip, files, text=text)


def infer_sd3(clip: Spec, clip_l: Spec, clip_g: Spec, t5xxl: Spec, files: Folders) -> dict[str, Any]:
    """Only the text encoders of SD3 serve."""
    return _for_family(SD3, clip, files, clip_l=clip_l, clip_g=clip_g, t5xxl=t5xxl)


def infer_flux(clip: Spec, clip_l: Spec, t5xxl: Spec, files: Folders) -> dict[str, Any]:
    """Only the text encoders of Flux serve."""
    return _for_family(FLUX, clip, files, clip_l=clip_l, t5xxl=t5xxl)


def sdxl_digests(files: Folders, text_g: str | None = None, text_l: str | None = None) -> list[Any]:
    """Digests of the embeddings that both prompts name."""
    return [embedding_digests(files, text) for text in (text_g, text_l)]


def sd3_digests(
    files: Folders, clip_l: str | None = None, clip_g: str | None = None, t5xxl: str | None = None
) -> list[Any]:
    """Digests of the embeddings that the prompts name."""
    return [embedding_digests(files, text) for text in (clip_l, clip_g, t5xxl)]


def flux_digests(files: Folders, clip_l: str | None = None, t5xxl: str | None = None) -> list[Any]:
    """Digests of the embeddings that both prompts name."""
    return [embedding_digests(files, text) for text in (clip_l, t5xxl)]


def _require_family(clip: Clip, family: str) -> None:
    if clip.family != family:
        raise InputError("clip", f"it is of family {clip.family}; this node encodes prompts for {family}")


def _told(conditioning: Conditioning, **changes: Any) -> Conditioning:
    prompts = tuple(dataclasses.replace(prompt, **changes) for prompt in conditioning.prompts)
    return dataclasses.replace(conditioning, prompts=prompts)


@node(category=CATEGORY, device=True, infer=infer_sdxl, fingerprint=sdxl_digests)
def CLIPTextEncodeSDXL(
    ctx: NodeContext,
    clip: Clip,
    text_g: Text,
    text_l: Text,
    width: Pixels = 1024,
    height: Pixels = 1024,
    crop_w: Pixels = 0,
    crop_h: Pixels = 0,
    target_width: Pixels = 1024,
    target_height: Pixels = 1024,
) -> Conditioning:
    """Encode prompts for SDXL, and tell it of the picture's size.

    Args:
        clip: SDXL's text encoders.
        text_g: the prompt for OpenCLIP.
        text_l: the prompt for CLIP.
        width: of the picture before it was cropped.
        height: of the picture before it was cropped.
        crop_w: pixels cropped off at the left.
        crop_h: pixels cropped off at the top.
        target_width: of the picture to make.
        target_height: of the picture to make.
    """
    _require_family(clip, SDXL)
    size = PictureSize(height, width, crop_h, crop_w, target_height, target_width)
    return _told(encode_prompts(ctx, clip, {"g": text_g, "l": text_l}), size=size)


@node(category=CATEGORY, device=True, infer=infer_refiner, fingerprint=embedding_digests)
def CLIPTextEncodeSDXLRefiner(
    ctx: NodeContext,
    clip: Clip,
    text: Text,
    ascore: Annotated[float, Field(ge=0.0, le=1000.0)] = 6.0,
    width: Pixels = 1024,
    height: Pixels = 1024,
) -> Conditioning:
    """Encode a prompt for SDXL's refiner, and tell it how beautiful the picture shall be.

    Args:
        clip: the refiner's text encoder.
        text: the prompt.
        ascore: aesthetic score, about 0..10.
        width: of the picture in pixels.
        height: of the picture in pixels.
    """
    _require_family(clip, REFINER)
    size = PictureSize(height, width, aesthetic_score=ascore)
    return _told(encode_prompts(ctx, clip, {"": text}), size=size)


@node(category=CATEGORY, device=True, infer=infer_sd3, fingerprint=sd3_digests)
def CLIPTextEncodeSD3(
    ctx: NodeContext,
    clip: Clip,
    clip_l: Text,
    clip_g: Text,
    t5xxl: Text,
) -> Conditioning:
    """Encode prompts for SD3.

    Args:
        clip: SD3's text encoders.
        clip_l: the prompt for CLIP.
        clip_g: the prompt for OpenCLIP.
        t5xxl: the prompt for T5.
    """
    _require_family(clip, SD3)
    return encode_prompts(ctx, clip, {"l": clip_l, "g": clip_g, "t5xxl": t5xxl})


@node(category=CATEGORY, device=True, infer=infer_flux, fingerprint=flux_digests)
def CLIPTextEncodeFlux(
    ctx: NodeContext, clip: Clip, clip_l: Text, t5xxl: Text, guidance: Guidance = 3.5
) -> Conditioning:
    """Encode prompts for Flux.

    Args:
        clip: Flux's text encoders.
        clip_l: the prompt for CLIP, which becomes one vector.
        t5xxl: the prompt for T5.
        guidance: the guidance scale that the distilled model is told.
    """
    _require_family(clip, FLUX)
    return _told(encode_prompts(ctx, clip, {"l": clip_l, "t5xxl": t5xxl}), guidance=guidance)


def infer_guided(conditioning: Spec) -> dict[str, Any]:
    """The facts stay what they are."""
    return dict(conditioning.facts)


@node(category="advanced/conditioning/flux", infer=infer_guided)
def FluxGuidance(conditioning: Conditioning, guidance: Guidance = 3.5) -> Conditioning:
    """Tell a distilled Flux model how closely to follow its prompt.

    Args:
        conditioning: the prompts.
        guidance: the guidance scale.
    """
    return _told(conditioning, guidance=guidance)
