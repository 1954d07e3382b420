"""Encoding prompts with the text encoders of a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache, partial

import torch
from torch import Tensor

from nodegraph import NodeContext
from nodegraph.errors import FileProblem, InputError
from nodes.conditioning.checking import overweight
from nodes.conditioning.embedding_files import fitting, read_embedding
from nodes.conditioning.embeddings import find_embedding
from nodes.conditioning.encoding import encode_chunks, even_out, tokenize
from nodes.conditioning.joining import join
from nodes.text_encoders.encoder import Encoded, TextEncoders
from nodes.types import Clip, Conditioning, Prompt


def encode_prompts(ctx: NodeContext, clip: Clip, texts: Mapping[str, str]) -> Conditioning:
    """Encode one prompt, each encoder reading its own text.

    Args:
        texts: by name of the encoder; the text under ``""`` is for those that have none of their own.

    Raises:
        InputError: an embedding is missing or fits no encoder, or there is no such layer.
    """
    for complaint in map(overweight, texts.values()):
        if complaint:
            raise InputError("text", complaint)
    with ctx.lease(clip.weights) as encoders, torch.no_grad():
        try:
            joined = join(clip.family, _encode(ctx, encoders, texts, clip.layer))
        except FileProblem as problem:
            raise InputError("text", str(problem)) from problem
        except ValueError as error:
            raise InputError("clip", str(error)) from error
    pooled = None if joined.pooled is None else joined.pooled.cpu()
    return Conditioning((Prompt(joined.embeddings.cpu(), pooled=pooled),), clip.family)


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
        file = find_embedding(self._ctx.resolve, name)
        found = read_embedding(self._ctx.path(file), pickles=self._ctx.pickles)
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
