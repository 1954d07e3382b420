"""Recipes of text encoders, and how each family uses them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from nodegraph import File, FileLocator, ModelRecipe
from nodegraph.errors import FileProblem
from nodes.text_encoders.clip import ClipEncoder
from nodes.text_encoders.encoder import TextEncoder, TextEncoders
from nodes.text_encoders.t5 import T5Encoder
from nodes.text_encoders.tokenizers import CLIP_TOKENS, clip_tokenizer, t5_tokenizer
from nodes.weights.libraries import library_class

END = 49407
"""Id of CLIP's end token, with which OpenAI's models are padded."""
T5_FOLDER = ("tokenizers", "t5xxl")
"""Folder and name that T5's tokenizer is looked for by."""


@dataclass(frozen=True)
class ClipUse:
    """How a model was trained to read a CLIP text encoder.

    Attributes:
        layer: whose states it takes; -1 is the last.
        final_norm: whether they go through the final layer norm.
        pad: the token that fills a chunk up.
        projected: whether the pooled state is projected, where there is a projection.
    """

    layer: int = -1
    final_norm: bool = True
    pad: int = END
    projected: bool = True


LAST_LAYER = ClipUse()


@dataclass(frozen=True)
class Tokenizer:
    """Where a tokenizer lies: a folder, or a folder inside that of a model.

    Attributes:
        file: the folder.
        subfolder: its place in it.
    """

    file: File
    subfolder: str = ""

    def path(self, files: FileLocator) -> Path:
        """Where it lies on this machine."""
        return files.path(self.file) / self.subfolder


@dataclass(frozen=True)
class ClipRecipe:
    """A CLIP text encoder and its tokenizer.

    Attributes:
        network: makes transformers' ``CLIPTextModel`` or ``CLIPTextModelWithProjection``.
        use: how it is read.
        tokenizer: its tokenizer; by default CLIP's own, which is shipped.
    """

    network: ModelRecipe[Any]
    use: ClipUse = LAST_LAYER
    tokenizer: Tokenizer | None = None

    def build(self, files: FileLocator, dtype: torch.dtype) -> TextEncoder:
        """The encoder on the CPU, weights in ``dtype``."""
        transformer = self.network.build(files, dtype)
        if not self.use.projected:
            transformer = getattr(transformer, "text_model", transformer)
        positions = transformer.config.max_position_embeddings
        restore_position_ids(transformer, positions)
        tokenizer = clip_tokenizer() if self.tokenizer is None else _stored_clip(self.tokenizer.path(files))
        encoder = ClipEncoder(
            tokenizer,
            transformer,
            tokens=min(CLIP_TOKENS, tokenizer.model_max_length, positions),
            pad=self.use.pad if self.tokenizer is None else tokenizer.pad_token_id,
            layer=self.use.layer,
            final_norm=self.use.final_norm,
        )
        return encoder.eval()


@dataclass(frozen=True)
class T5Recipe:
    """T5's encoder and its tokenizer.

    Attributes:
        network: makes transformers' ``T5EncoderModel``.
        tokenizer: its tokenizer; by default the one in the cache of the Hugging Face hub.
        tokens: how many tokens a prompt is padded to at least.
    """

    network: ModelRecipe[Any]
    tokenizer: Tokenizer | None = None
    tokens: int = CLIP_TOKENS

    def build(self, files: FileLocator, dtype: torch.dtype) -> TextEncoder:
        """The encoder on the CPU, weights in ``dtype``.

        Raises:
            FileProblem: there is no tokenizer.
        """
        folder, name = T5_FOLDER
        try:
            tokenizer = t5_tokenizer(None if self.tokenizer is None else self.tokenizer.path(files))
        except (FileNotFoundError, ValueError) as problem:
            raise FileProblem(
                f"T5's tokenizer cannot be used: {problem}; put tokenizer.json (tokenizer_2 of FLUX.1 or "
                f"tokenizer_3 of Stable Diffusion 3 has it) into the folder {folder}/{name} of your models"
            ) from problem
        transformer = self.network.build(files, dtype)
        transformer.tie_weights()
        return T5Encoder(tokenizer, transformer, tokens=self.tokens, pad=tokenizer.pad_token_id).eval()


@dataclass(frozen=True)
class TextEncodersRecipe:
    """The text encoders of one model, by name.

    Attributes:
        encoders: name and recipe of each, in the order in which the model joins what they make.
    """

    encoders: tuple[tuple[str, ClipRecipe | T5Recipe], ...]

    def build(self, files: FileLocator, dtype: torch.dtype) -> TextEncoders:
        """The encoders on the CPU, weights in ``dtype``."""
        return TextEncoders({name: recipe.build(files, dtype) for name, recipe in self.encoders}).eval()


def _stored_clip(folder: Path) -> Any:
    return library_class("transformers", "CLIPTokenizer").from_pretrained(folder, local_files_only=True)


def restore_position_ids(transformer: torch.nn.Module, positions: int) -> None:
    """Fill the one buffer that CLIP computes instead of storing."""
    for module in transformer.modules():
        if isinstance(getattr(module, "position_ids", None), torch.Tensor):
            module.position_ids = torch.arange(positions)[None]
