"""Latents and conditioning for changing pictures."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any, NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812 - the name the field uses
from pydantic import Field
from torch import Tensor

from nodegraph import NodeContext, node
from nodegraph.errors import InputError
from nodegraph.specs import Spec, require_same
from nodes.editing.masks import GREY, fitted, grown, hidden, outpaint_mask
from nodes.latents.masks import to_latent_mask
from nodes.types import Conditioning, Image, Latent, Mask, Vae
from nodes.vae.nodes import VAEEncode, infer_encoded
from nodes.vae.pixels import crop_to_multiple, to_rgb

Margin = Annotated[int, Field(ge=0, le=16384, multiple_of=8)]


class Prepared(NamedTuple):
    """Both sides of the guidance, and latents to start from."""

    positive: Conditioning
    negative: Conditioning
    latent: Latent


def infer_prepared(positive: Spec, negative: Spec, vae: Spec, pixels: Spec) -> dict[str, dict[str, Any]]:
    """Conditioning and autoencoder of one family; latents of the picture's size."""
    require_same("family", vae=vae, positive=positive, negative=negative)
    latent = infer_encoded(pixels, vae)
    return {"positive": dict(positive.facts), "negative": dict(negative.facts), "latent": latent}


def _cropped(pixels: Image, mask: Mask, vae: Vae) -> tuple[Tensor, Tensor]:
    """A picture and the mask over it, ``[batch, height, width, 3]`` and ``[batch, height, width]``."""
    count, batch = len(mask.values), len(pixels.pixels)
    if count not in (1, batch):
        raise InputError("mask", f"{count} masks for {batch} pictures; give 1 or {batch}")
    over = fitted(mask.values, *pixels.pixels.shape[1:3])
    try:
        shown = crop_to_multiple(to_rgb(pixels.pixels), vae.scale)
    except ValueError as error:
        raise InputError("pixels", str(error)) from error
    return shown, crop_to_multiple(over[..., None], vae.scale)[..., 0]


def _at_latent_size(mask: Tensor, latent: Latent) -> Tensor:
    return to_latent_mask(mask, *latent.samples.shape[-2:])


def _beside(side: Conditioning, concat: Tensor) -> Conditioning:
    prompts = (dataclasses.replace(prompt, concat=concat) for prompt in side.prompts)
    return dataclasses.replace(side, prompts=tuple(prompts))


@node(category="latent/inpaint", display_name="VAE Encode (for Inpainting)", device=True, infer=infer_encoded)
def VAEEncodeForInpaint(
    ctx: NodeContext,
    pixels: Image,
    vae: Vae,
    mask: Mask,
    grow_mask_by: Annotated[int, Field(ge=0, le=64)] = 6,
) -> Latent:
    """Encode pictures with grey in place of what shall be made anew; for ``denoise`` 1.

    Args:
        pixels: the pictures.
        vae: the autoencoder.
        mask: 1 where something new shall be, one mask or one for each picture.
        grow_mask_by: side in pixels of the square that the mask grows by, so that no seam shows.
    """
    shown, over = _cropped(pixels, mask, vae)
    latent = VAEEncode(ctx, Image(hidden(shown, over)), vae)
    return dataclasses.replace(latent, noise_mask=_at_latent_size(grown(over, grow_mask_by), latent))


@node(
    category="conditioning/inpaint",
    display_name="Inpaint Model Conditioning",
    device=True,
    infer=infer_prepared,
)
def InpaintModelConditioning(
    ctx: NodeContext,
    positive: Conditioning,
    negative: Conditioning,
    vae: Vae,
    pixels: Image,
    mask: Mask,
    noise_mask: bool = True,
) -> Prepared:
    """Tell an inpainting model what of a picture is to be made anew, and show it the rest.

    Args:
        positive: what the picture shall show.
        negative: what it shall not.
        vae: the autoencoder.
        pixels: the pictures.
        mask: 1 where something new shall be, one mask or one for each picture.
        noise_mask: whether what is outside the mask is also held to the original.
    """
    shown, over = _cropped(pixels, mask, vae)
    latent = VAEEncode(ctx, Image(shown), vae)
    known = VAEEncode(ctx, Image(hidden(shown, over)), vae).samples
    small = _at_latent_size(over, latent)
    concat = torch.cat([small.round().expand(len(known), -1, -1, -1), known], dim=1)
    if noise_mask:
        latent = dataclasses.replace(latent, noise_mask=small)
    return Prepared(_beside(positive, concat), _beside(negative, concat), latent)


@node(
    category="conditioning/instructpix2pix",
    display_name="InstructPix2Pix Conditioning",
    device=True,
    infer=infer_prepared,
)
def InstructPixToPixConditioning(
    ctx: NodeContext, positive: Conditioning, negative: Conditioning, pixels: Image, vae: Vae
) -> Prepared:
    """Show an instruction model the picture it is to change (Brooks et al. 2023).

    A prompt that was not given the picture stands for no picture at all: put such a one on the last input of
    DualCFGGuider to guide by prompt and picture apart.

    Args:
        positive: the instruction.
        negative: usually an empty prompt.
        pixels: the pictures.
        vae: the autoencoder.
    """
    latent = VAEEncode(ctx, pixels, vae)
    shown = latent.samples / vae.scaling_factor + vae.shift_factor
    start = dataclasses.replace(latent, samples=torch.zeros_like(latent.samples))
    return Prepared(_beside(positive, shown), _beside(negative, shown), start)


class Padded(NamedTuple):
    """A picture with margins, and a mask of them."""

    image: Image
    mask: Mask


def infer_padded(image: Spec, left: Spec, top: Spec, right: Spec, bottom: Spec) -> dict[str, dict[str, Any]]:
    """The picture grows by its margins."""
    facts = dict(image.facts)
    for side, margins in (("width", (left, right)), ("height", (top, bottom))):
        facts.pop(side, None)
        if isinstance(image.get(side), int) and all(isinstance(margin.value, int) for margin in margins):
            facts[side] = image.get(side) + sum(margin.value for margin in margins)
    return {"image": facts, "mask": {}}


@node(category="image", display_name="Pad Image for Outpainting", infer=infer_padded)
def ImagePadForOutpaint(
    image: Image,
    left: Margin = 0,
    top: Margin = 0,
    right: Margin = 0,
    bottom: Margin = 0,
    feathering: Annotated[int, Field(ge=0, le=16384)] = 40,
) -> Padded:
    """Give pictures grey margins, with a mask of what is to be made.

    Args:
        image: the pictures.
        left: pixels added at the left.
        top: pixels added at the top.
        right: pixels added at the right.
        bottom: pixels added at the bottom.
        feathering: pixels over which the mask fades into the picture.
    """
    height, width = image.pixels.shape[1:3]
    padded = F.pad(image.pixels, (0, 0, left, right, top, bottom), value=GREY)
    mask = outpaint_mask(height, width, (left, top, right, bottom), feathering)
    return Padded(Image(padded), Mask(mask))
