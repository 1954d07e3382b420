"""Encoding prompts with the text encoders of a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache, partial

import torch
from torch import Tensor

from nodegraph import NodeContext
from nodegraph.errors import FileProblem, InputError
from nodes.conditioning.embeddings import (
    EMBEDDING_MARK,
    Embedding,
    find_embedding,
    fitting,
    read_embedding,
    split_embeddings,
)
from nodes.conditioning.encoding import encode_chunks, even_out, tokenize
from nodes.conditioning.joining import join
from nodes.conditioning.syntax import parse_prompt
from nodes.text_encoders.encoder import Encoded, TextEncoders
from nodes.types import Clip, Conditioning, Prompt

MAX_WEIGHT = 1000.0


def encode_prompts(ctx: NodeContext, clip: Clip, texts: Mapping[str, str]) -> Conditioning:
    """Encode one prompt, each encoder reading its own text.

    Args:
        texts: by name of the encoder; the text under ``""`` is for those that have none of their own.

    Raises:
        InputError: an embedding is missing or fits no encoder, or there is no such layer.
    """
    for text in texts.values():
        _check_weights(text)
    with ctx.lease(clip.weights) as encoders, torch.no_grad():
        try:
            joined = join(clip.family, _encode(ctx, encoders, texts, clip.layer))
        except FileProblem as problem:
            raise InputError("text", str(problem)) from problem
        except ValueError as error:
            raise InputError("clip", str(error)) from error
    pooled = None if joined.pooled is None else joined.pooled.cpu()
    return Conditioning((Prompt(joined.embeddings.cpu(), pooled=pooled),), clip.family)


def _check_weights(text: str) -> None:
    """Refuse weights that no number can carry through a network."""
    for span in (span for section in parse_prompt(text) for span in section):
        if abs(span.weight) > MAX_WEIGHT:
            shown = span.text.strip()[:50]
            raise InputError("text", f"{shown!r} weighs {span.weight:.4g}; weights go up to {MAX_WEIGHT:g}")


def embeddings_in(text: str) -> list[str]:
    """Names of the embeddings that a prompt uses."""
    if EMBEDDING_MARK not in text:
        return []  # no syntax joins words, so none can come of it
    spans = (span for section in parse_prompt(text) for span in section)
    parts = (part for span in spans for part in split_embeddings(span.text))
    return [part.name for part in parts if isinstance(part, Embedding)]


class _Vectors:
    """The embeddings that a prompt names, each read once."""

    def __init__(self, ctx: NodeContext, encoders: TextEncoders) -> None:
        self._ctx = ctx
        self._encoders = encoders
        self._fitting = cache(self._read)

    def of(self, encoder: str, name: str) -> Sequence[Tensor]:
        """The vectors that an embedding has for one encoder; none where it is for another one."""
        vectors = self._fitting(name).get(encoder)
        return () if vectors is None else tuple(vectors)

    def _read(self, name: str) -> Mapping[str, Tensor]:
        found = read_embedding(self._ctx.path(find_embedding(self._ctx.resolve, name)))
        return fitting(name, found, {key: self._encoders[key].width for key in self._encoders.names()})


def _encode(
    ctx: NodeContext, encoders: TextEncoders, texts: Mapping[str, str], layer: int | None
) -> dict[str, Encoded]:
    vectors = _Vectors(ctx, encoders)
    chunks = {
        name: tokenize(encoders[name], texts.get(name, texts.get("", "")), partial(vectors.of, name))
        for name in encoders.names()
    }
    even = even_out(chunks, encoders)
    return {name: encode_chunks(encoders[name], even[name], layer) for name in encoders.names()}
