"""Pictures for ControlNets to follow."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field
from torch import Tensor

from nodegraph import Widget, node
from nodegraph.errors import InputError
from nodegraph.specs import Spec
from nodes.controlnet.preprocessing.canny import canny
from nodes.controlnet.preprocessing.filters import gaussian_blur, grey, normals
from nodes.controlnet.preprocessing.keypoints import read_keypoints, scaled
from nodes.controlnet.preprocessing.scribble import scribble
from nodes.controlnet.preprocessing.skeleton import draw_people
from nodes.images.checking import check_finite
from nodes.images.resize import resize
from nodes.types import Image
from nodes.vae.pixels import to_rgb

Threshold = Annotated[float, Field(ge=0.01, le=0.99)]
Side = Annotated[int, Field(ge=16, le=16384)]


def infer_filtered(image: Spec) -> dict[str, Any]:
    """RGB pictures of the same size."""
    return {**image.known("width", "height", "batch"), "channels": 3}


def _brightness(image: Image) -> Tensor:
    """Grey planes to find edges in: nothing is above or below what is no number, so all would be black."""
    check_finite(image.pixels, "image")
    return grey(_planes(image))


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
    return _image(canny(_brightness(image), low_threshold, high_threshold))


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


@node(category="image/preprocessors", infer=infer_filtered)
def Scribble(
    image: Image,
    low_threshold: Threshold = 0.2,
    high_threshold: Threshold = 0.5,
    thickness: Annotated[int, Field(ge=1, le=64)] = 5,
) -> Image:
    """Draw the outlines of pictures as thick white strokes, as a hand would.

    Edges of the blurred picture, widened and smoothed; no network takes part.

    Args:
        image: the pictures.
        low_threshold: contrast below which nothing is an edge.
        high_threshold: contrast from which an edge stands by itself; weaker ones have to run on from it.
        thickness: width of the strokes in pixels.
    """
    if low_threshold > high_threshold:
        raise InputError("low_threshold", f"{low_threshold} is above high_threshold {high_threshold}")
    return _image(scribble(_brightness(image), low_threshold, high_threshold, thickness))


@node(category="image/preprocessors", infer=infer_filtered)
def Tile(image: Image, halvings: Annotated[int, Field(ge=1, le=10)] = 3) -> Image:
    """Take the details from pictures, for ControlNets that find new ones in their place.

    Args:
        image: the pictures.
        halvings: how often both sides are halved, and doubled again.
    """
    pixels = to_rgb(image.pixels)
    height, width = pixels.shape[1:3]
    tall, wide = (max(1, round(side / 2**halvings)) for side in (height, width))
    return Image(resize(resize(pixels, wide, tall, "bilinear"), width, height, "bicubic"))


def infer_drawn(width: Spec, height: Spec) -> dict[str, Any]:
    """One RGB picture of that size, where it is known."""
    sides = {"width": width.value, "height": height.value}
    return {
        "batch": 1,
        "channels": 3,
        **{name: side for name, side in sides.items() if isinstance(side, int)},
    }


@node(category="image/preprocessors", display_name="Pose from Keypoints", infer=infer_drawn)
def PoseFromKeypoints(
    keypoints: Annotated[str, Widget("text", multiline=True)],
    width: Side = 512,
    height: Side = 512,
    hands: bool = True,
    face: bool = True,
    confidence: Annotated[float, Field(ge=0.0, le=1.0)] = 0.0,
) -> Image:
    """Draw the skeletons of people from the JSON that OpenPose writes, in its colours.

    Args:
        keypoints: the JSON. Bodies have COCO's 18 points, or 25 of which 18 are drawn.
        width: of the picture. People are stretched to it from canvas_width, where the JSON has that.
        height: likewise.
        hands: whether hands are drawn, where there are any.
        face: whether faces are drawn, where there are any.
        confidence: that a point has to exceed.
    """
    try:
        found = read_keypoints(keypoints)
    except ValueError as error:
        raise InputError("keypoints", str(error)) from error
    people = scaled(found.people, width / (found.width or width), height / (found.height or height))
    shown = [
        person._replace(hands=person.hands if hands else (), face=person.face if face else ())
        for person in people
    ]
    return Image(draw_people(shown, width, height, confidence))
