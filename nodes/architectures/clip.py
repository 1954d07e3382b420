"""CLIP's text transformer, as transformers and as OpenCLIP store it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from torch import Tensor, nn

from nodes.architectures.architecture import Settings
from nodes.weights.header import Header
from nodes.weights.libraries import library_class

HEAD_WIDTH = 64
START, END = 49406, 49407
LARGE_LAYERS = 12
"""Layers of the text encoder of CLIP ViT-L/14; OpenCLIP's, which have more, use the exact GELU."""
TEXT = "text_model."


class ClipText:
    """transformers' ``CLIPTextModel``, or ``CLIPTextModelWithProjection`` where the projection is there."""

    description = "CLIP text encoder"

    def detect(self, header: Header) -> bool:
        """Whether it has the layers of one."""
        return _text(header).has("embeddings.token_embedding.weight", "encoder.layers.0.mlp.fc1.weight")

    def settings(self, header: Header) -> Settings:
        """The settings of ``CLIPTextConfig``, and whether there is a projection.

        Raises:
            UnknownFileError: a tensor is missing or has the wrong number of dimensions.
        """
        text = _text(header)
        vocabulary, width = text.shape("embeddings.token_embedding.weight", 2)
        projected = header.has("text_projection.weight")
        projection = header.shape("text_projection.weight", 2)[0] if projected else width
        return _settings(
            vocabulary,
            width,
            positions=text.shape("embeddings.position_embedding.weight", 2)[0],
            layers=text.number("encoder.layers.{}.mlp.fc1.weight"),
            inner=text.shape("encoder.layers.0.mlp.fc1.weight", 2)[0],
            projection=projection if projected else None,
        )

    def make(self, settings: Settings) -> nn.Module:
        """The network with these settings."""
        return make_clip(settings)

    def convert(self, tensors: dict[str, Tensor], settings: Settings) -> dict[str, Tensor]:
        """The tensors as they are, less the numbers of the positions, which the network knows."""
        return {name: tensor for name, tensor in tensors.items() if not name.endswith("position_ids")}


class OpenClipText:
    """The same network under the names of OpenCLIP (Cherti et al. 2023)."""

    description = "OpenCLIP text encoder"

    def detect(self, header: Header) -> bool:
        """Whether it has the layers of one."""
        return header.has("token_embedding.weight", "transformer.resblocks.0.mlp.c_fc.weight")

    def settings(self, header: Header) -> Settings:
        """The settings of ``CLIPTextConfig``, and whether there is a projection.

        Raises:
            UnknownFileError: a tensor is missing or has the wrong number of dimensions.
        """
        vocabulary, width = header.shape("token_embedding.weight", 2)
        projected = header.has("text_projection")
        return _settings(
            vocabulary,
            width,
            positions=header.shape("positional_embedding", 2)[0],
            layers=header.number("transformer.resblocks.{}.mlp.c_fc.weight"),
            inner=header.shape("transformer.resblocks.0.mlp.c_fc.weight", 2)[0],
            projection=header.shape("text_projection", 2)[1] if projected else None,
            exact=True,
        )

    def make(self, settings: Settings) -> nn.Module:
        """The network with these settings."""
        return make_clip(settings)

    def convert(self, tensors: dict[str, Tensor], settings: Settings) -> dict[str, Tensor]:
        """The tensors under transformers' names."""
        convert = library_class("diffusers.loaders.single_file_utils", "convert_open_clip_checkpoint")
        model = SimpleNamespace(config=SimpleNamespace(hidden_size=settings["hidden_size"]))
        converted: dict[str, Tensor] = convert(model, tensors, prefix="")
        return converted


def make_clip(settings: Settings) -> nn.Module:
    """The network with these settings."""
    config = library_class("transformers", "CLIPTextConfig")(**settings)
    projected = settings["projection_dim"] is not None
    name = "CLIPTextModelWithProjection" if projected else "CLIPTextModel"
    module: nn.Module = library_class("transformers", name)(config)
    return module


def _text(header: Header) -> Header:
    return header.below(TEXT) if any(name.startswith(TEXT) for name in header.shapes) else header


def _settings(
    vocabulary: int,
    width: int,
    *,
    positions: int,
    layers: int,
    inner: int,
    projection: int | None,
    exact: bool = False,
) -> dict[str, Any]:
    return {
        "vocab_size": vocabulary,
        "hidden_size": width,
        "intermediate_size": inner,
        "num_hidden_layers": layers,
        "num_attention_heads": max(1, width // HEAD_WIDTH),
        "max_position_embeddings": positions,
        "projection_dim": projection,
        "hidden_act": "gelu" if exact or layers > LARGE_LAYERS else "quick_gelu",
        "bos_token_id": START,
        "eos_token_id": END,
    }
