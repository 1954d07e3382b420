"""Prompts."""

from __future__ import annotations

from typing import Annotated, Any

import torch

from nodegraph import NodeContext, Widget, node
from nodegraph.specs import Spec
from nodes.types import Clip, Conditioning, Prompt


def infer_encoded(clip: Spec) -> dict[str, Any]:
    """The conditioning is for the models that the text encoder serves."""
    return clip.known("family", "text_width")


@node(category="conditioning", display_name="CLIP Text Encode", device=True, infer=infer_encoded)
def CLIPTextEncode(
    ctx: NodeContext, clip: Clip, text: Annotated[str, Widget("text", multiline=True)]
) -> Conditioning:
    """Encode a prompt.

    A prompt longer than the text encoder reads is cut at its end.

    Args:
        clip: the text encoder.
        text: the prompt.
    """
    with ctx.lease(clip.weights) as encoder, torch.no_grad():
        embeddings = encoder(text).float().cpu()
    return Conditioning((Prompt(embeddings),), clip.family)
