"""Pictures put together into batches and taken out of them."""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field

from nodegraph import Widget, node
from nodegraph.errors import InputError
from nodegraph.specs import Mismatch, Spec
from nodes.images.colour import rgb_of, with_channels
from nodes.images.facts import Facts, constants, picture_facts
from nodes.images.resize import fill
from nodes.images.types import Colour, Side
from nodes.types import Image


def _empty_facts(width: Spec, height: Spec, batch_size: Spec) -> Facts:
    values = {"width": width.value, "height": height.value, "batch": batch_size.value}
    return {"channels": 3} | (values if constants(width, height, batch_size) else {})


@node(category="image/batch", infer=_empty_facts)
def EmptyImage(
    width: Side = 512,
    height: Side = 512,
    batch_size: Annotated[int, Field(ge=1, le=4096)] = 1,
    color: Annotated[Colour | Annotated[int, Field(ge=0, le=0xFFFFFF)], Widget("colour")] = "#000000",
) -> Image:
    """Pictures of one colour.

    Args:
        width: width in pixels.
        height: height in pixels.
        batch_size: how many.
        color: their colour, as ``#rrggbb`` or as the number 0xRRGGBB.
    """
    colour = torch.tensor(rgb_of(color if isinstance(color, str) else f"#{color:06x}"))
    return Image(colour.repeat(batch_size, height, width, 1))


def _batched_facts(image1: Spec, image2: Spec) -> Facts:
    facts: Facts = dict(image1.known("width", "height"))
    for fact, combine in (("batch", sum), ("channels", max)):
        values = [spec.get(fact) for spec in (image1, image2)]
        if None not in values:
            facts[fact] = combine(values)
    return facts


@node(category="image/batch", infer=_batched_facts)
def ImageBatch(image1: Image, image2: Image) -> Image:
    """Two batches in a row.

    Where the sizes differ, the second is scaled to fill the size of the first and cropped evenly; where
    the channels differ, both get the larger number.

    Args:
        image1: the first pictures, whose size counts.
        image2: the pictures that follow.
    """
    height, width = image1.pixels.shape[1:3]
    channels = max(image1.pixels.shape[-1], image2.pixels.shape[-1])
    second = fill(image2.pixels, width, height, "bilinear")
    return Image(torch.cat([with_channels(image1.pixels, channels), with_channels(second, channels)]))


def _taken_facts(image: Spec, batch_index: Spec, length: Spec) -> Facts:
    facts, window = picture_facts(image), constants(batch_index, length)
    batch = facts.pop("batch", None)
    if window is None or batch is None:
        return facts
    if window[0] >= batch:
        text = f"picture {window[0]} is asked for, but the batch has {batch}"
        raise Mismatch(text, "batch_index", "image", given=str(window[0]), expected=f"0 to {batch - 1}")
    return facts | {"batch": min(window[1], batch - window[0])}


@node(category="image/batch", infer=_taken_facts)
def ImageFromBatch(
    image: Image,
    batch_index: Annotated[int, Field(ge=0)] = 0,
    length: Annotated[int, Field(ge=1, le=4096)] = 1,
) -> Image:
    """Some pictures of a batch; fewer where the batch ends before.

    Args:
        image: the batch.
        batch_index: the first one; 0 is the first of the batch.
        length: how many.
    """
    batch = len(image.pixels)
    if batch_index >= batch:
        raise InputError(
            "batch_index", f"{batch_index} is outside a batch of {batch}; 0 to {batch - 1} would do"
        )
    return Image(image.pixels[batch_index : batch_index + length].clone())
