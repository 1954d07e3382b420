"""Prompts."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any

from pydantic import Field

from nodegraph import NodeContext, Widget, node
from nodegraph.files import Folders
from nodegraph.specs import Spec
from nodes.conditioning.checking import check_prompt, embeddings_in
from nodes.conditioning.embeddings import EMBEDDINGS, find_embedding
from nodes.conditioning.prompting import encode_prompts
from nodes.types import Clip, Conditioning

MAX_CHARACTERS = 20_000
"""Of one prompt. It becomes a token for every few of them, and what samples with it attends to each."""
Text = Annotated[str, Field(max_length=MAX_CHARACTERS), Widget("text", multiline=True)]


def infer_encoded(clip: Spec, text: Spec, files: Folders) -> dict[str, Any]:
    """The conditioning is for the models that the text encoder serves; embeddings have to be at hand."""
    check_prompt(text, "text", clip, files)
    return clip.known("family", "text_width")


def embedding_digests(files: Folders, text: str | None = None) -> dict[str, str]:
    """Digests of the embeddings that a prompt names; a prompt that is not known yet may name any."""
    names = files.names(EMBEDDINGS) if text is None else embeddings_in(text)
    return {name: find_embedding(files.resolve, name).digest for name in names}


@node(
    category="conditioning",
    display_name="CLIP Text Encode",
    device=True,
    infer=infer_encoded,
    fingerprint=embedding_digests,
)
def CLIPTextEncode(ctx: NodeContext, clip: Clip, text: Text) -> Conditioning:
    """Encode a prompt.

    ``(words)`` count 1.1 times, ``[words]`` 1/1.1 times, ``(words:1.3)`` 1.3 times; ``\\(`` is a bracket
    itself. ``embedding:name`` puts in a textual inversion from the embeddings folder. A long prompt is
    encoded in several chunks; ``BREAK`` begins a new one.

    Args:
        clip: the text encoder.
        text: the prompt.
    """
    return encode_prompts(ctx, clip, {"": text})


def infer_same_clip(clip: Spec) -> dict[str, Any]:
    """The facts stay what they are."""
    return dict(clip.facts)


@node(category="conditioning", display_name="CLIP Set Last Layer", infer=infer_same_clip)
def CLIPSetLastLayer(clip: Clip, stop_at_clip_layer: Annotated[int, Field(ge=-24, le=-1)] = -1) -> Clip:
    """Take the hidden states of an earlier layer (clip skip).

    Args:
        clip: the text encoder.
        stop_at_clip_layer: the layer, counted from the end; -1 is the last, -2 the one before it.
    """
    return dataclasses.replace(clip, layer=stop_at_clip_layer)
