"""The encoder of T5 v1.1 (Raffel et al. 2020)."""

from __future__ import annotations

from torch import Tensor, nn

from nodes.architectures.architecture import Settings
from nodes.weights.header import Header
from nodes.weights.libraries import library_class

HEAD_WIDTH = 64
BIAS = "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight"


class T5Text:
    """transformers' ``T5EncoderModel`` with gated layers."""

    description = "T5 text encoder"

    def detect(self, header: Header) -> bool:
        """Whether it has the blocks of one."""
        return header.has("shared.weight", BIAS, "encoder.block.0.layer.1.DenseReluDense.wi_0.weight")

    def settings(self, header: Header) -> Settings:
        """The settings of ``T5Config``.

        Raises:
            UnknownFileError: a tensor is missing or has the wrong number of dimensions.
        """
        vocabulary, width = header.shape("shared.weight", 2)
        buckets, heads = header.shape(BIAS, 2)
        query = header.shape("encoder.block.0.layer.0.SelfAttention.q.weight", 2)
        return {
            "vocab_size": vocabulary,
            "d_model": width,
            "d_kv": max(1, query[0] // heads),
            "d_ff": header.shape("encoder.block.0.layer.1.DenseReluDense.wi_0.weight", 2)[0],
            "num_layers": header.number("encoder.block.{}.layer.0.SelfAttention.q.weight"),
            "num_heads": heads,
            "relative_attention_num_buckets": buckets,
            "feed_forward_proj": "gated-gelu",
            "dropout_rate": 0.0,
        }

    def make(self, settings: Settings) -> nn.Module:
        """The network with these settings."""
        config = library_class("transformers", "T5Config")(**settings)
        module: nn.Module = library_class("transformers", "T5EncoderModel")(config)
        return module

    def convert(self, tensors: dict[str, Tensor], settings: Settings) -> dict[str, Tensor]:
        """The tensors as they are, the token vectors at both places that use them."""
        return {**tensors, "encoder.embed_tokens.weight": tensors["shared.weight"]}
