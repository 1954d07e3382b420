"""A CLIP text encoder together with its tokenizer."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn


class TextEncoder(nn.Module):
    """From a prompt to the embeddings a denoiser attends to (CLIP; Radford et al. 2021, Sec. 2.4).

    Args:
        tokenizer: a transformers tokenizer with padding.
        transformer: transformers' ``CLIPTextModel``.
        tokens: how many tokens every prompt is padded or cut to.
    """

    def __init__(self, tokenizer: Any, transformer: nn.Module, tokens: int) -> None:
        super().__init__()
        self.tokenizer = tokenizer
        self.transformer = transformer
        self.tokens = tokens

    def forward(self, text: str) -> Tensor:
        """Last hidden states ``[1, tokens, width]``, in the dtype and on the device of the weights.

        A prompt too long is cut before the end token, which is kept.
        """
        ids = self.tokenizer(
            text, padding="max_length", max_length=self.tokens, truncation=True, return_tensors="pt"
        ).input_ids
        device = next(self.transformer.parameters()).device
        states: Tensor = self.transformer(ids.to(device))[0]
        return states
