"""T5's encoder (Raffel et al. 2020)."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from nodes.text_encoders.encoder import Encoded, TextEncoder, Token


class T5Encoder(TextEncoder):
    """transformers' ``T5EncoderModel``."""

    @torch.no_grad()
    def encode(self, chunks: Sequence[Sequence[Token]], layer: int | None = None) -> Encoded:
        """The last hidden states; there is no pooled one, and no other layer is ever asked for."""
        vectors = self._vectors(chunks, self._ids(chunks))
        return Encoded(self.transformer(inputs_embeds=vectors)[0], None)
