"""From the text of a prompt to what one text encoder makes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import torch
from torch import Tensor

from nodes.conditioning.chunks import Chunk, Frame, Group, Weighted, empty_chunk, fill_chunks
from nodes.conditioning.embeddings import Embedding, split_embeddings
from nodes.conditioning.syntax import Section, Span, parse_prompt
from nodes.text_encoders.clip import ClipEncoder
from nodes.text_encoders.encoder import Encoded, TextEncoder, TextEncoders

Vectors = Callable[[str], Sequence[Tensor]]
"""Gives the vectors ``[width]`` of an embedding by its name."""


def tokenize(encoder: TextEncoder, text: str, vectors: Vectors) -> list[Chunk]:
    """The chunks of a prompt.

    Args:
        encoder: the text encoder.
        text: the prompt, in the syntax of ``nodes.conditioning.syntax``.
        vectors: gives the vectors of embeddings.
    """
    sections = [_groups(encoder, section, vectors) for section in parse_prompt(text)]
    return fill_chunks(sections, frame_of(encoder))


def encode_chunks(encoder: TextEncoder, chunks: Sequence[Chunk], layer: int | None = None) -> Encoded:
    """Encode the chunks of a prompt with its weights.

    They are encoded one by one, so that what one becomes does not depend on how many there are.

    Args:
        layer: whose hidden states are taken.

    Returns:
        Float32 hidden states of all chunks in a row, ``[1, tokens, width]``, and the first chunk's pooled
        vector ``[1, pooled width]``.
    """
    encoded = [encoder.encode([[part.token for part in chunk]], layer) for chunk in chunks]
    states = [result.hidden.float() for result in encoded]
    if any(part.weight != 1 for chunk in chunks for part in chunk):
        empty = empty_chunk(len(chunks[0]), frame_of(encoder))
        origin = encoder.encode([[part.token for part in empty]], layer).hidden.float()
        states = [apply_weights(s, origin, _weights(c)) for s, c in zip(states, chunks, strict=True)]
    pooled = encoded[0].pooled
    return Encoded(torch.cat(states, dim=1), None if pooled is None else pooled.float())


def apply_weights(states: Tensor, empty: Tensor, weights: Sequence[float]) -> Tensor:
    """Move each token away from, or toward, what stands at its place in an empty prompt.

    Args:
        states: ``[1, tokens, width]``.
        empty: the states of an empty prompt, of the same shape.
        weights: one for each token; what weighs 1 stays as it is, bit for bit.
    """
    scale = torch.tensor(weights, device=states.device)[None, :, None]
    return torch.where(scale == 1, states, empty + (states - empty) * scale)


def frame_of(encoder: TextEncoder) -> Frame:
    """How an encoder's chunks are framed; T5 reads a long prompt as one chunk."""
    tokenizer, clip = encoder.tokenizer, isinstance(encoder, ClipEncoder)
    start = tokenizer.bos_token_id if clip else None
    return Frame(start, tokenizer.eos_token_id, encoder.pad, encoder.tokens, bounded=clip)


def even_out(chunks: Mapping[str, list[Chunk]], encoders: TextEncoders) -> dict[str, list[Chunk]]:
    """Give every CLIP encoder as many chunks as the one with the most, by empty ones."""
    clips = [name for name in chunks if isinstance(encoders[name], ClipEncoder)]
    most = max((len(chunks[name]) for name in clips), default=0)
    return {name: [*own, *_empty(encoders[name], own, most)] for name, own in chunks.items()}


def _empty(encoder: TextEncoder, chunks: list[Chunk], most: int) -> list[Chunk]:
    missing = most - len(chunks) if isinstance(encoder, ClipEncoder) else 0
    return [empty_chunk(len(chunks[0]), frame_of(encoder)) for _ in range(missing)]


def _weights(chunk: Chunk) -> list[float]:
    return [part.weight for part in chunk]


def _groups(encoder: TextEncoder, section: Section, vectors: Vectors) -> Iterator[Group]:
    for span in section:
        yield from _span_groups(encoder, span, vectors)


def _span_groups(encoder: TextEncoder, span: Span, vectors: Vectors) -> Iterator[Group]:
    for part in split_embeddings(span.text):
        if isinstance(part, Embedding):
            yield [Weighted(vector, span.weight) for vector in vectors(part.name)]
        else:
            ids = encoder.tokenizer(part, add_special_tokens=False, verbose=False).input_ids
            yield [Weighted(id, span.weight) for id in ids]
