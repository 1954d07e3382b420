"""CLIP's text transformer (Radford et al. 2021, Sec. 2.4), and OpenCLIP's (Cherti et al. 2023)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from nodes.text_encoders.encoder import Encoded, TextEncoder, Token


class ClipEncoder(TextEncoder):
    """A CLIP text encoder.

    Args:
        tokenizer: transformers' ``CLIPTokenizer``.
        transformer: transformers' ``CLIPTextModel`` or ``CLIPTextModelWithProjection``.
        tokens: how many tokens a chunk is padded to.
        pad: the token that fills a chunk up.
        layer: the layer whose states the model was trained with; -1 is the last.
        final_norm: whether those states go through the final layer norm.
    """

    def __init__(
        self,
        tokenizer: Any,
        transformer: nn.Module,
        *,
        tokens: int,
        pad: int,
        layer: int = -1,
        final_norm: bool = True,
    ) -> None:
        super().__init__(tokenizer, transformer, tokens=tokens, pad=pad)
        self.layer = layer
        self.final_norm = final_norm

    @torch.no_grad()
    def encode(self, chunks: Sequence[Sequence[Token]], layer: int | None = None) -> Encoded:
        """Hidden states of a layer, and the pooled state of the first end token, projected where it can be.

        Raises:
            ValueError: there is no such layer.
        """
        ids = self._ids(chunks)
        states = self._states(self._vectors(chunks, ids))
        wanted = self.layer if layer is None else layer
        if not -len(states) < wanted < 0:
            raise ValueError(f"layer {wanted}; the text encoder has {len(states) - 1}, from -1 backwards")
        hidden = self._text.final_layer_norm(states[wanted]) if self.final_norm else states[wanted]
        return Encoded(hidden, self._pooled(self._text.final_layer_norm(states[-1]), ids))

    @property
    def _text(self) -> Any:
        return getattr(self.transformer, "text_model", self.transformer)

    def _states(self, vectors: Tensor) -> list[Tensor]:
        """The input of the first layer and the output of every one."""
        states: list[Tensor] = [self._text.embeddings(inputs_embeds=vectors)]
        mask = _causal_mask(states[0])
        for layer in self._text.encoder.layers:
            states.append(layer(states[-1], attention_mask=mask, is_causal=True))
        return states

    def _pooled(self, last: Tensor, ids: Tensor) -> Tensor:
        ends = (ids == self.tokenizer.eos_token_id).int().argmax(dim=-1)
        pooled = last[torch.arange(len(last), device=last.device), ends]
        projection = getattr(self.transformer, "text_projection", None)
        return pooled if projection is None else projection(pooled)


def _causal_mask(states: Tensor) -> Tensor:
    """What is added to attention scores ``[1, 1, tokens, tokens]``, so that no token sees a later one."""
    tokens = states.shape[1]
    low = torch.finfo(states.dtype).min
    return torch.full((1, 1, tokens, tokens), low, dtype=states.dtype, device=states.device).triu(1)
