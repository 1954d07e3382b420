"""Several pictures made into one."""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from pydantic import Field

from nodegraph import node
from nodegraph.errors import InputError
from nodegraph.specs import Spec
from nodes.images.colour import with_channels
from nodes.images.compose.blending import BLEND_MODES
from nodes.images.compose.compositing import paste
from nodes.images.compose.grid import draw_grid
from nodes.images.facts import Facts, paired_batch
from nodes.images.resize import fill, resize
from nodes.images.types import Colour, Offset
from nodes.types import Image, Mask


def _check_pair(name: str, count: int, other_name: str, other: int) -> None:
    if count != other and 1 not in (count, other):
        raise InputError(
            name, f"{count} pictures do not go with {other} in {other_name}; 1 or {other} would do"
        )


def _blended_facts(image1: Spec, image2: Spec) -> Facts:
    return image1.known("width", "height", "channels") | paired_batch(image1=image1, image2=image2)


@node(category="image/compose", infer=_blended_facts)
def ImageBlend(
    image1: Image,
    image2: Image,
    blend_factor: Annotated[float, Field(ge=0.0, le=1.0)] = 0.5,
    blend_mode: Literal["normal", "multiply", "screen", "overlay", "soft_light", "difference"] = "normal",
) -> Image:
    """Two pictures mixed. The result has the size and the alpha of the first.

    Args:
        image1: the picture below.
        image2: the picture above; where its size differs it is scaled to fill, and cropped evenly.
        blend_factor: 0 shows image1 alone, 1 shows what the mode makes of both.
        blend_mode: how the colours are combined.
    """
    below = image1.pixels
    _check_pair("image2", len(image2.pixels), "image1", len(below))
    height, width, channels = below.shape[1:]
    above = with_channels(fill(image2.pixels, width, height, "bicubic"), min(channels, 3))
    colour = below[..., :3]
    blended = torch.lerp(colour, BLEND_MODES[blend_mode](colour, above), blend_factor).clamp(0, 1)
    alpha = below[..., 3:].expand(len(blended), -1, -1, -1)
    return Image(torch.cat([blended, alpha], dim=-1))


def _composite_facts(destination: Spec, source: Spec) -> Facts:
    facts = destination.known("width", "height", "channels")
    return facts | paired_batch(destination=destination, source=source)


@node(category="image/compose", infer=_composite_facts)
def ImageCompositeMasked(
    destination: Image,
    source: Image,
    x: Offset = 0,
    y: Offset = 0,
    resize_source: bool = False,
    mask: Mask | None = None,
) -> Image:
    """A picture laid over another where a mask, and its own alpha, let it show.

    Args:
        destination: the picture below.
        source: the picture above.
        x: where its left edge lies, in pixels of the destination.
        y: where its upper edge lies.
        resize_source: stretch it to the size of the destination first.
        mask: 1 where the source shows; it is stretched to the size of the source.
    """
    below, above = destination.pixels, source.pixels
    _check_pair("source", len(above), "destination", len(below))
    if resize_source:
        above = resize(above, below.shape[2], below.shape[1], "bilinear")
    coverage = _coverage(mask, above, max(len(below), len(above)))
    return Image(paste(below.expand(max(len(below), len(above)), -1, -1, -1), above, coverage, x, y))


def _coverage(mask: Mask | None, above: torch.Tensor, batch: int) -> torch.Tensor:
    if mask is None:
        return torch.ones(above.shape[:3])
    if len(mask.values) not in (1, batch):
        raise InputError(
            "mask", f"{len(mask.values)} masks do not go with {batch} pictures; 1 or {batch} would do"
        )
    return resize(mask.values[..., None], above.shape[2], above.shape[1], "bilinear")[..., 0]


def _grid_facts() -> Facts:
    return {"batch": 1, "channels": 3}


@node(category="image/compose", infer=_grid_facts)
def ImageGrid(
    images: Image | list[Image],
    columns: Annotated[int, Field(ge=0, le=1000)] = 0,
    labels: list[str] | None = None,
    gap: Annotated[int, Field(ge=0, le=1000)] = 8,
    background: Colour = "#ffffff",
) -> Image:
    """Pictures side by side in one picture, with labels below them.

    Args:
        images: a batch, or a list of pictures or batches, whose sizes may differ.
        columns: pictures in a row; 0 makes the grid about square.
        labels: one text for each picture; none leaves them out.
        gap: space around the pictures in pixels.
        background: colour between them; labels are dark on a light one and light on a dark one.
    """
    batches = images if isinstance(images, list) else [images]
    pictures = [picture for batch in batches for picture in with_channels(batch.pixels, 3)]
    if not pictures:
        raise InputError("images", "there is no picture to show; at least one is needed")
    if labels and len(labels) != len(pictures):
        raise InputError(
            "labels", f"{len(labels)} labels for {len(pictures)} pictures; one each, or none, would do"
        )
    return Image(draw_grid(pictures, labels or [], columns, gap, background)[None])
