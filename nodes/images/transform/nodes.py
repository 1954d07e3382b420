"""One picture changed: its size, its edges, its colours."""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from pydantic import Field

from nodegraph import node
from nodegraph.errors import InputError
from nodegraph.specs import Mismatch, Spec
from nodes.images.colour import rgb_of, with_channels
from nodes.images.facts import Facts, constants, picture_facts, size_facts
from nodes.images.resize import fill, resize, target_size
from nodes.images.transform.padding import edge_indices, reflect_indices
from nodes.images.types import Colour, ResizeMethod, Side
from nodes.types import Image

SideOrRatio = Annotated[int, Field(ge=0, le=16384)]
Margin = Annotated[int, Field(ge=0, le=16384)]


def _size(image: Image) -> tuple[int, int]:
    return image.pixels.shape[2], image.pixels.shape[1]


def _resized_facts(image: Spec, size: tuple[int, int] | None) -> Facts:
    known = image.known("batch", "channels")
    return known | ({"width": size[0], "height": size[1]} if size else {})


def _scaled_facts(image: Spec, width: Spec, height: Spec) -> Facts:
    wanted, source = constants(width, height), size_facts(image)
    if wanted and all(wanted):
        return _resized_facts(image, wanted)
    return _resized_facts(image, target_size(source, *wanted) if wanted and source else None)


@node(category="image/transform", infer=_scaled_facts)
def ImageScale(
    image: Image,
    upscale_method: ResizeMethod = "nearest-exact",
    width: SideOrRatio = 512,
    height: SideOrRatio = 512,
    crop: Literal["disabled", "center"] = "disabled",
) -> Image:
    """Pictures at another size.

    Args:
        image: the pictures.
        upscale_method: how they are resampled; bilinear, bicubic and lanczos are antialiased.
        width: new width in pixels; 0 keeps the ratio.
        height: new height in pixels; 0 keeps the ratio.
        crop: "center" cuts the edges off where the ratio changes, "disabled" distorts.
    """
    size = target_size(_size(image), width, height)
    change = fill if crop == "center" else resize
    return Image(change(image.pixels, *size, upscale_method))


def _scale_by(size: tuple[int, int], factor: float) -> tuple[int, int]:
    return max(1, round(size[0] * factor)), max(1, round(size[1] * factor))


def _scaled_by_facts(image: Spec, scale_by: Spec) -> Facts:
    factor, source = constants(scale_by), size_facts(image)
    return _resized_facts(image, _scale_by(source, *factor) if factor and source else None)


@node(category="image/transform", infer=_scaled_by_facts)
def ImageScaleBy(
    image: Image,
    upscale_method: ResizeMethod = "nearest-exact",
    scale_by: Annotated[float, Field(ge=0.01, le=8.0)] = 1.0,
) -> Image:
    """Pictures made larger or smaller by a factor.

    Args:
        image: the pictures.
        upscale_method: how they are resampled; bilinear, bicubic and lanczos are antialiased.
        scale_by: new width divided by old width.
    """
    return Image(resize(image.pixels, *_scale_by(_size(image), scale_by), upscale_method))


def _cropped_facts(image: Spec, width: Spec, height: Spec, x: Spec, y: Spec) -> Facts:
    window, source = constants(width, height, x, y), size_facts(image)
    if not window or not source:
        return image.known("batch", "channels")
    for name, start, length in (("x", window[2], source[0]), ("y", window[3], source[1])):
        if start >= length:
            text = f"the crop starts at {name} = {start}, but the picture ends at {length - 1}"
            raise Mismatch(text, name, "image", given=str(start), expected=f"at most {length - 1}")
    size = min(window[0], source[0] - window[2]), min(window[1], source[1] - window[3])
    return _resized_facts(image, size)


@node(category="image/transform", infer=_cropped_facts)
def ImageCrop(
    image: Image,
    width: Side = 512,
    height: Side = 512,
    x: Annotated[int, Field(ge=0)] = 0,
    y: Annotated[int, Field(ge=0)] = 0,
) -> Image:
    """A rectangle cut out of pictures; where it reaches past an edge it ends there.

    Args:
        image: the pictures.
        width: width of the rectangle in pixels.
        height: height of the rectangle in pixels.
        x: its left edge.
        y: its upper edge.
    """
    own_width, own_height = _size(image)
    if x >= own_width:
        raise InputError("x", f"{x} lies outside the picture; at most {own_width - 1} would do")
    if y >= own_height:
        raise InputError("y", f"{y} lies outside the picture; at most {own_height - 1} would do")
    return Image(image.pixels[:, y : y + height, x : x + width].clone())


def _padded_facts(image: Spec, left: Spec, top: Spec, right: Spec, bottom: Spec) -> Facts:
    margins, source = constants(left, top, right, bottom), size_facts(image)
    if not margins or not source:
        return image.known("batch", "channels")
    return _resized_facts(image, (source[0] + margins[0] + margins[2], source[1] + margins[1] + margins[3]))


@node(category="image/transform", infer=_padded_facts)
def ImagePad(
    image: Image,
    left: Margin = 0,
    top: Margin = 0,
    right: Margin = 0,
    bottom: Margin = 0,
    mode: Literal["color", "edge", "reflect"] = "color",
    color: Colour = "#808080",
) -> Image:
    """Pictures with a margin.

    Args:
        image: the pictures.
        left: pixels added at the left.
        top: pixels added at the top.
        right: pixels added at the right.
        bottom: pixels added at the bottom.
        mode: one colour, the edge pixels repeated, or the picture mirrored.
        color: colour of the margin where the mode is color.
    """
    indices = reflect_indices if mode == "reflect" else edge_indices
    width, height = _size(image)
    padded = image.pixels[:, indices(height, top, bottom)][:, :, indices(width, left, right)]
    if mode == "color":
        margin = torch.ones(padded.shape[1:3], dtype=torch.bool)
        margin[top : top + height, left : left + width] = False
        padded[:, margin] = with_channels(torch.tensor(rgb_of(color)), padded.shape[-1])
    return Image(padded)


@node(category="image/transform", infer=picture_facts)
def ImageInvert(image: Image) -> Image:
    """Pictures as negatives; alpha stays.

    Args:
        image: the pictures.
    """
    inverted = 1 - image.pixels
    if inverted.shape[-1] == 4:
        inverted[..., 3] = image.pixels[..., 3]
    return Image(inverted)
