"""Pictures for ControlNets to follow."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field
from torch import Tensor

from nodegraph import node
from nodegraph.errors import InputError
from nodegraph.specs import Spec
from nodes.controlnet.preprocessing.canny import canny
from nodes.controlnet.preprocessing.filters import gaussian_blur, grey, normals
from nodes.types import Image
from nodes.vae.pixels import to_rgb

Threshold = Annotated[float, Field(ge=0.01, le=0.99)]


def infer_filtered(image: Spec) -> dict[str, Any]:
    """RGB pictures of the same size."""
    return {**image.known("width", "height", "batch"), "channels": 3}


def _planes(image: Image) -> Tensor:
    return to_rgb(image.pixels).movedim(-1, 1)


def _image(planes: Tensor) -> Image:
    return Image(planes.expand(-1, 3, -1, -1).movedim(1, -1).contiguous())


@node(category="image/preprocessors", infer=infer_filtered)
def Canny(image: Image, low_threshold: Threshold = 0.4, high_threshold: Threshold = 0.8) -> Image:
    """Draw the edges of pictures as thin white lines.

    Args:
        image: the pictures.
        low_threshold: contrast below which nothing is an edge.
        high_threshold: contrast from which an edge stands by itself; weaker ones have to run on from it.
    """
    if low_threshold > high_threshold:
        raise InputError("low_threshold", f"{low_threshold} is above high_threshold {high_threshold}")
    return _image(canny(grey(_planes(image)), low_threshold, high_threshold))


@node(category="image/postprocessing", display_name="Image Blur", infer=infer_filtered)
def ImageBlur(
    image: Image,
    blur_radius: Annotated[int, Field(ge=1, le=31)] = 1,
    sigma: Annotated[float, Field(ge=0.1, le=10.0)] = 1.0,
) -> Image:
    """Blur pictures.

    Args:
        image: the pictures.
        blur_radius: pixels after which the Gaussian is cut off.
        sigma: its standard deviation, as a share of the radius.
    """
    return _image(gaussian_blur(_planes(image), blur_radius, sigma * blur_radius).clamp(0, 1))


@node(category="image/preprocessors", display_name="Normal Map from Depth", infer=infer_filtered)
def NormalMapFromDepth(image: Image, strength: Annotated[float, Field(gt=0.0, le=100.0)] = 1.0) -> Image:
    """Turn depth maps, in which near is bright, into normal maps.

    Args:
        image: the depth maps.
        strength: how much steeper than it is the surface counts; at 1, black to white is as deep as the
            picture is wide.
    """
    return _image(normals(grey(_planes(image)), strength))
