"""Loading CLIP's vision encoders, and asking them about pictures."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from nodegraph import InFolder, NodeContext, node
from nodegraph.files import Folders
from nodegraph.specs import Spec
from nodes.clip_vision.encoding import encode_pictures
from nodes.clip_vision.loading import load_clip_vision
from nodes.types import ClipVision, ClipVisionOutput, Image

CLIP_VISION = "clip_vision"


def infer_clip_vision(clip_name: Spec, files: Folders) -> dict[str, Any]:
    """What the header or config of the chosen encoder says."""
    if not isinstance(clip_name.value, str):
        return {}
    file = files.resolve(CLIP_VISION, clip_name.value)
    found = load_clip_vision(file, files.path(file))
    return {"embed_width": found.embed_width, "hidden_width": found.hidden_width}


@node(category="loaders", display_name="Load CLIP Vision", infer=infer_clip_vision)
def CLIPVisionLoader(ctx: NodeContext, clip_name: Annotated[str, InFolder(CLIP_VISION)]) -> ClipVision:
    """Load an encoder of pictures; its weights are loaded where something computes with them.

    Args:
        clip_name: what lies in the clip_vision folder: a safetensors file of transformers or OpenCLIP, or a
            folder of transformers.
    """
    file = ctx.resolve(CLIP_VISION, clip_name)
    return load_clip_vision(file, ctx.path(file))


def infer_encoded(clip_vision: Spec, image: Spec) -> dict[str, Any]:
    """The widths of the encoder."""
    return clip_vision.known("embed_width", "hidden_width")


@node(category="conditioning", display_name="CLIP Vision Encode", device=True, infer=infer_encoded)
def CLIPVisionEncode(
    ctx: NodeContext, clip_vision: ClipVision, image: Image, crop: Literal["center", "none"] = "center"
) -> ClipVisionOutput:
    """Say what pictures show, in the vectors of CLIP.

    Args:
        clip_vision: the encoder.
        image: the pictures.
        crop: CLIP sees a square: its centre, or all of the picture squeezed into it.
    """
    return encode_pictures(ctx, clip_vision, image, crop=crop == "center")
