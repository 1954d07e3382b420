"""Masks from pictures and pictures from masks."""

from __future__ import annotations

from typing import Literal

from nodegraph import node
from nodegraph.errors import InputError
from nodegraph.specs import Mismatch, Spec
from nodes.images.colour import with_channels
from nodes.images.facts import Facts
from nodes.types import Image, Mask

CHANNELS = ("red", "green", "blue", "alpha")
NO_ALPHA = "the picture has no alpha channel; LoadImage gives transparency as its second output, mask"


def _mask_facts(mask: Spec) -> Facts:
    return mask.known("width", "height", "batch")


def _mask_image_facts(mask: Spec) -> Facts:
    return _mask_facts(mask) | {"channels": 3}


@node(category="mask", infer=_mask_image_facts)
def MaskToImage(mask: Mask) -> Image:
    """Masks as grey pictures: 1 is white.

    Args:
        mask: the masks.
    """
    return Image(mask.values[..., None].repeat(1, 1, 1, 3))


def _image_mask_facts(image: Spec, channel: Spec) -> Facts:
    if channel.value == "alpha" and image.get("channels", 4) != 4:
        raise Mismatch(NO_ALPHA, "channel", "image", given="alpha", expected="red, green or blue")
    return image.known("width", "height", "batch")


@node(category="mask", infer=_image_mask_facts)
def ImageToMask(image: Image, channel: Literal["red", "green", "blue", "alpha"] = "red") -> Mask:
    """One channel of pictures as masks; in a grey picture red, green and blue are the same.

    Args:
        image: the pictures.
        channel: the channel.
    """
    if channel == "alpha" and image.pixels.shape[-1] != 4:
        raise InputError("channel", NO_ALPHA)
    return Mask(with_channels(image.pixels, 4)[..., CHANNELS.index(channel)].clone())


@node(category="mask", infer=_mask_facts)
def InvertMask(mask: Mask) -> Mask:
    """Masks with inside and outside exchanged.

    Args:
        mask: the masks.
    """
    return Mask(1 - mask.values)
