"""What every text encoder does, whichever family it serves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

Token = int | Tensor
"""A token of the vocabulary, or a vector ``[width]`` that stands in its place (textual inversion)."""


class Encoded(NamedTuple):
    """What an encoder makes of some chunks of tokens.

    Attributes:
        hidden: states of the layer asked for, ``[chunks, tokens, width]``, in the dtype of the weights.
        pooled: one vector for each chunk, ``[chunks, pooled width]``; ``None`` where the encoder has none.
    """

    hidden: Tensor
    pooled: Tensor | None


class TextEncoder(nn.Module):
    """A tokenizer and the transformer that reads its tokens.

    Args:
        tokenizer: a transformers tokenizer.
        transformer: the network, as transformers has it.
        tokens: how many tokens a chunk is padded to.
        pad: the token that fills a chunk up.
    """

    def __init__(self, tokenizer: Any, transformer: nn.Module, *, tokens: int, pad: int) -> None:
        super().__init__()
        self.tokenizer = tokenizer
        self.transformer = transformer
        self.tokens = tokens
        self.pad = pad

    def encode(self, chunks: Sequence[Sequence[Token]], layer: int | None = None) -> Encoded:
        """Encode chunks of tokens, all equally long, with their start and end tokens in place.

        Args:
            chunks: one row of tokens each.
            layer: which layer's states to give, from the end: -1 is the last; by default the one that the
                model was trained with.
        """
        raise NotImplementedError

    @property
    def width(self) -> int:
        """Width of the token vectors, and so of the hidden states."""
        return int(self._table.weight.shape[1])

    @property
    def _table(self) -> nn.Embedding:
        table: nn.Embedding = self.transformer.get_input_embeddings()  # type: ignore[operator] # of transformers
        return table

    def _ids(self, chunks: Sequence[Sequence[Token]]) -> Tensor:
        """Ids ``[chunks, tokens]``, with zeros, which never end a prompt, in place of vectors."""
        rows = [[0 if isinstance(token, Tensor) else token for token in chunk] for chunk in chunks]
        return torch.tensor(rows, dtype=torch.long, device=self._table.weight.device)

    def _vectors(self, chunks: Sequence[Sequence[Token]], ids: Tensor) -> Tensor:
        """Token vectors ``[chunks, tokens, width]``."""
        vectors: Tensor = self._table(ids)
        for row, chunk in enumerate(chunks):
            for column, token in enumerate(chunk):
                if isinstance(token, Tensor):
                    vectors[row, column] = token.to(vectors)
        return vectors


class TextEncoders(nn.Module):
    """The text encoders of one model, by the names that the field gives them: ``l``, ``g``, ``h``, ``t5xxl``.

    Args:
        encoders: by name, in the order in which the model joins what they make.
    """

    def __init__(self, encoders: Mapping[str, TextEncoder]) -> None:
        super().__init__()
        self.encoders = nn.ModuleDict(encoders)

    def __getitem__(self, name: str) -> TextEncoder:
        encoder = self.encoders[name]
        assert isinstance(encoder, TextEncoder)
        return encoder

    def names(self) -> list[str]:
        """Names of the encoders, in order."""
        return list(self.encoders)
