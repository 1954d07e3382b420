"""Recipes of the networks that a diffusers folder holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from nodegraph import File, FileLocator
from nodegraph.errors import FileProblem
from nodes.conditioning.text_encoder import TextEncoder
from nodes.weights.libraries import library_class
from nodes.weights.tensors import assemble, read_tensors, weight_files

DIFFUSERS_STEM = "diffusion_pytorch_model"
TRANSFORMERS_STEM = "model"


@dataclass(frozen=True)
class UNetRecipe:
    """diffusers' ``UNet2DConditionModel``.

    Attributes:
        file: the model's folder.
        subfolder: the component's place in it.
    """

    file: File
    subfolder: str = "unet"

    def build(self, files: FileLocator, dtype: torch.dtype) -> Any:
        """The U-Net on the CPU, weights in ``dtype``."""
        return _diffusers_module("UNet2DConditionModel", self.file, self.subfolder, files, dtype)


@dataclass(frozen=True)
class ControlNetRecipe:
    """diffusers' ``ControlNetModel``.

    Attributes:
        file: the model's folder.
    """

    file: File

    def build(self, files: FileLocator, dtype: torch.dtype) -> Any:
        """The ControlNet on the CPU, weights in ``dtype``."""
        return _diffusers_module("ControlNetModel", self.file, "", files, dtype)


@dataclass(frozen=True)
class AutoencoderRecipe:
    """diffusers' ``AutoencoderKL``.

    Attributes:
        file: the model's folder.
        subfolder: the component's place in it.
        force_upcast: whether its activations overflow float16, so that it computes in float32 instead.
    """

    file: File
    subfolder: str = "vae"
    force_upcast: bool = True

    def build(self, files: FileLocator, dtype: torch.dtype) -> Any:
        """The autoencoder on the CPU, weights in ``dtype``, or in float32 where float16 would overflow."""
        if self.force_upcast and dtype == torch.float16:
            dtype = torch.float32
        return _diffusers_module("AutoencoderKL", self.file, self.subfolder, files, dtype)


@dataclass(frozen=True)
class TextEncoderRecipe:
    """transformers' ``CLIPTextModel`` with its tokenizer.

    Attributes:
        file: the model's folder.
        subfolder: the encoder's place in it.
        tokenizer: the tokenizer's place in it.
    """

    file: File
    subfolder: str = "text_encoder"
    tokenizer: str = "tokenizer"

    def build(self, files: FileLocator, dtype: torch.dtype) -> TextEncoder:
        """The encoder on the CPU, weights in ``dtype``."""
        names = ("CLIPTokenizer", "CLIPTextConfig", "CLIPTextModel")
        tokenizers, configs, models = (library_class("transformers", name) for name in names)
        root = files.path(self.file)
        tokenizer = tokenizers.from_pretrained(root / self.tokenizer, local_files_only=True)
        config = configs.from_pretrained(root / self.subfolder, local_files_only=True)
        transformer = _assembled(lambda: models(config), root / self.subfolder, TRANSFORMERS_STEM, dtype)
        _restore_position_ids(transformer, config.max_position_embeddings)
        tokens = min(tokenizer.model_max_length, config.max_position_embeddings)
        return TextEncoder(tokenizer, transformer, tokens).eval()


def _restore_position_ids(transformer: torch.nn.Module, positions: int) -> None:
    """Fill the one buffer that CLIP computes instead of storing."""
    for module in transformer.modules():
        if isinstance(getattr(module, "position_ids", None), torch.Tensor):
            module.position_ids = torch.arange(positions)[None]


def _diffusers_module(
    name: str, file: File, subfolder: str, files: FileLocator, dtype: torch.dtype
) -> torch.nn.Module:
    cls, folder = library_class("diffusers", name), files.path(file) / subfolder
    config = cls.load_config(folder, local_files_only=True)
    return _assembled(lambda: cls.from_config(config), folder, DIFFUSERS_STEM, dtype)


def _assembled(
    make: Callable[[], torch.nn.Module], folder: Path, stem: str, dtype: torch.dtype
) -> torch.nn.Module:
    try:
        tensors = read_tensors(weight_files(folder, stem))
        return assemble(make, tensors, dtype, tensors)
    except (ValueError, OSError) as error:
        raise FileProblem(f"the model in {folder.name!r} cannot be loaded: {error}") from error
