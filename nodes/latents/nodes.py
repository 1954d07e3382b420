"""Latents that no picture was encoded to."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any

import torch
from pydantic import Field

from nodegraph import node
from nodegraph.errors import InputError
from nodegraph.specs import Spec
from nodes.latents.masks import to_latent_mask
from nodes.types import Latent, Mask

CHANNELS = 4
SCALE = 8
Side = Annotated[int, Field(ge=16, le=16384, multiple_of=SCALE)]


def infer_empty(width: Spec, height: Spec, batch_size: Spec) -> dict[str, Any]:
    """Sizes, as far as they are constants."""
    facts: dict[str, Any] = {"latent_channels": CHANNELS, "empty": True}
    if isinstance(width.value, int):
        facts["latent_width"] = width.value // SCALE
    if isinstance(height.value, int):
        facts["latent_height"] = height.value // SCALE
    if isinstance(batch_size.value, int):
        facts["batch"] = batch_size.value
    return facts


@node(category="latent", display_name="Empty Latent Image", infer=infer_empty)
def EmptyLatentImage(
    width: Side = 512, height: Side = 512, batch_size: Annotated[int, Field(ge=1, le=4096)] = 1
) -> Latent:
    """Empty latents to make pictures from: 4 channels, one latent pixel for 8x8 pixels.

    Args:
        width: width of the pictures in pixels.
        height: height of the pictures in pixels.
        batch_size: number of pictures; item i is what seed + i alone would give.
    """
    return Latent(torch.zeros(batch_size, CHANNELS, height // SCALE, width // SCALE))


def infer_masked(samples: Spec) -> dict[str, Any]:
    """A mask changes no size."""
    return dict(samples.facts)


@node(category="latent", display_name="Set Latent Noise Mask", infer=infer_masked)
def SetLatentNoiseMask(samples: Latent, mask: Mask) -> Latent:
    """Denoise latents only where a mask is 1.

    Args:
        samples: the latents.
        mask: one mask, or one for each item; resized to the latents.
    """
    count, batch = len(mask.values), len(samples.samples)
    if count not in (1, batch):
        raise InputError("mask", f"{count} masks for {batch} latents; give 1 or {batch}")
    noise_mask = to_latent_mask(mask.values, *samples.samples.shape[-2:])
    return dataclasses.replace(samples, noise_mask=noise_mask)
