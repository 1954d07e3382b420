"""Pictures to what CLIP says of them."""

from __future__ import annotations

import torch

from nodegraph import NodeContext
from nodes.clip_vision.pixels import clip_pixels
from nodes.types import ClipVision, ClipVisionOutput, Image

PENULTIMATE = -2


def encode_pictures(
    ctx: NodeContext, clip_vision: ClipVision, image: Image, *, crop: bool = True
) -> ClipVisionOutput:
    """What CLIP says of pictures, and of none."""
    pixels = clip_pixels(image.pixels, clip_vision.side, crop=crop)
    blank = torch.zeros_like(pixels[:1])
    with ctx.lease(clip_vision.weights) as encoder, torch.no_grad():
        dtype = next(encoder.parameters()).dtype
        found = encoder(torch.cat([pixels, blank]).to(ctx.device, dtype), output_hidden_states=True)
    hidden = found.hidden_states[PENULTIMATE].float().cpu()
    return ClipVisionOutput(found.image_embeds[:-1].float().cpu(), hidden[:-1], hidden[-1:])
