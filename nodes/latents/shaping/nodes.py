"""Changing the size of latents, and putting some into others."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any, Literal

import torch.nn.functional as F  # noqa: N812 - the name the field uses
from pydantic import Field
from torch import Tensor

from nodegraph import node
from nodegraph.errors import InputError
from nodegraph.specs import Spec, require_same
from nodes.latents.masks import to_latent_mask
from nodes.latents.shaping.bislerp import bislerp
from nodes.sampling.condition import Box
from nodes.sampling.regions import PIXELS, feathered
from nodes.types import Latent

Method = Literal["nearest-exact", "bilinear", "area", "bicubic", "bislerp"]
Side = Annotated[int, Field(ge=0, le=16384, multiple_of=8)]


def infer_resized(samples: Spec, width: Spec, height: Spec) -> dict[str, Any]:
    """The size asked for, as far as it is a constant."""
    facts = {name: value for name, value in samples.facts.items() if not name.startswith("latent_")}
    facts |= samples.known("latent_channels")
    if width.value and height.value:
        facts |= {"latent_width": width.value // PIXELS, "latent_height": height.value // PIXELS}
    return facts


def infer_scaled(samples: Spec) -> dict[str, Any]:
    """All but the size."""
    known = {name: value for name, value in samples.facts.items() if not name.startswith("latent_")}
    return {**known, **samples.known("latent_channels")}


@node(category="latent", display_name="Upscale Latent", infer=infer_resized)
def LatentUpscale(
    samples: Latent,
    upscale_method: Method = "nearest-exact",
    width: Side = 512,
    height: Side = 512,
    crop: Literal["disabled", "center"] = "disabled",
) -> Latent:
    """Bring latents to another size.

    Args:
        samples: the latents.
        upscale_method: the filter.
        width: of the picture, in pixels; 0 keeps the ratio of the sides.
        height: of the picture, in pixels; 0 keeps the ratio of the sides.
        crop: whether to crop to the new ratio first, about the centre, or to stretch.
    """
    have_height, have_width = samples.samples.shape[-2:]
    if not width and not height:
        return samples
    tall = height // PIXELS or max(1, round(have_height * (width // PIXELS) / have_width))
    wide = width // PIXELS or max(1, round(have_width * (height // PIXELS) / have_height))
    if crop == "center":
        samples = _cropped(samples, tall, wide)
    return _resized(samples, tall, wide, upscale_method)


@node(category="latent", display_name="Upscale Latent By", infer=infer_scaled)
def LatentUpscaleBy(
    samples: Latent,
    upscale_method: Method = "nearest-exact",
    scale_by: Annotated[float, Field(ge=0.01, le=8.0)] = 1.5,
) -> Latent:
    """Make latents larger or smaller by a factor.

    Args:
        samples: the latents.
        upscale_method: the filter.
        scale_by: the factor of each side.
    """
    height, width = (max(1, round(side * scale_by)) for side in samples.samples.shape[-2:])
    return _resized(samples, height, width, upscale_method)


def infer_composed(samples_to: Spec, samples_from: Spec) -> dict[str, Any]:
    """Latents of one kind."""
    for fact in ("family", "latent_channels"):
        require_same(fact, samples_to=samples_to, samples_from=samples_from)
    return dict(samples_to.facts)


@node(category="latent", display_name="Latent Composite", infer=infer_composed)
def LatentComposite(
    samples_to: Latent, samples_from: Latent, x: Side = 0, y: Side = 0, feather: Side = 0
) -> Latent:
    """Put latents into others; what reaches beyond them is cut off.

    Args:
        samples_to: the latents that are changed.
        samples_from: what is put in: as many, or one for all of them.
        x: pixels left of it.
        y: pixels above it.
        feather: pixels over which it fades at sides within the others.
    """
    into, given = samples_to.samples.clone(), samples_from.samples
    if given.shape[1] != into.shape[1] or len(given) not in (1, len(into)):
        shapes = f"{list(given.shape)} into {list(into.shape)}"
        raise InputError("samples_from", f"{shapes}: channels must agree, and there must be one or as many")
    height, width = into.shape[-2:]
    top, left = y // PIXELS, x // PIXELS
    box = Box(min(given.shape[-2], height - top), min(given.shape[-1], width - left), top, left)
    if box.height <= 0 or box.width <= 0:
        return samples_to
    weight = feathered(box, height, width, feather // PIXELS)
    place = box.crop(into)
    place.copy_(place + weight * (given[..., : box.height, : box.width] - place))
    return dataclasses.replace(samples_to, samples=into)


def _resized(latent: Latent, height: int, width: int, method: str) -> Latent:
    samples, mask = _resampled(latent.samples, height, width, method), latent.noise_mask
    if mask is not None:
        mask = to_latent_mask(mask[:, 0], height, width)
    return dataclasses.replace(latent, samples=samples, noise_mask=mask)


def _resampled(samples: Tensor, height: int, width: int, method: str) -> Tensor:
    if method == "bislerp":
        return bislerp(samples, height, width)
    return F.interpolate(samples, size=(height, width), mode=method)


def _cropped(latent: Latent, height: int, width: int) -> Latent:
    """The largest part about the centre whose sides have the ratio of ``height`` and ``width``."""
    have_height, have_width = latent.samples.shape[-2:]
    tall = min(have_height, max(1, round(have_width * height / width)))
    wide = min(have_width, max(1, round(have_height * width / height)))
    box = Box(tall, wide, (have_height - tall) // 2, (have_width - wide) // 2)
    mask = latent.noise_mask
    return dataclasses.replace(
        latent, samples=box.crop(latent.samples), noise_mask=None if mask is None else box.crop(mask)
    )
