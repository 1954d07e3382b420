"""Recipes of the networks in diffusers folders."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from nodegraph import File, FileLocator
from nodegraph.errors import FileProblem
from nodes.weights.libraries import library_class
from nodes.weights.tensors import assemble, read_tensors, weight_files

DIFFUSERS_STEM = "diffusion_pytorch_model"
TRANSFORMERS_STEM = "model"


@dataclass(frozen=True)
class DiffusersRecipe:
    """A network of diffusers.

    Attributes:
        file: the model's folder.
        class_name: diffusers' class.
        subfolder: the component's place in the folder.
        force_upcast: whether its activations overflow float16, so that it computes in float32 instead.
    """

    file: File
    class_name: str
    subfolder: str = ""
    force_upcast: bool = False

    def build(self, files: FileLocator, dtype: torch.dtype) -> Any:
        """The network on the CPU, weights in ``dtype``, or in float32 where float16 would overflow."""
        if self.force_upcast and dtype == torch.float16:
            dtype = torch.float32
        cls, folder = library_class("diffusers", self.class_name), files.path(self.file) / self.subfolder
        config = cls.load_config(folder, local_files_only=True)
        return _assembled(lambda: cls.from_config(config), folder, DIFFUSERS_STEM, dtype)


@dataclass(frozen=True)
class TransformersRecipe:
    """A text encoder of transformers.

    Attributes:
        file: the model's folder.
        class_name: transformers' class.
        subfolder: the component's place in the folder.
    """

    file: File
    class_name: str
    subfolder: str = ""

    def build(self, files: FileLocator, dtype: torch.dtype) -> Any:
        """The network on the CPU, weights in ``dtype``."""
        cls, folder = library_class("transformers", self.class_name), files.path(self.file) / self.subfolder
        config = cls.config_class.from_pretrained(folder, local_files_only=True)
        return _assembled(lambda: cls(config), folder, TRANSFORMERS_STEM, dtype)


def _assembled(
    make: Callable[[], torch.nn.Module], folder: Path, stem: str, dtype: torch.dtype
) -> torch.nn.Module:
    try:
        source = read_tensors(weight_files(folder, stem))
        return assemble(make, dict(source), dtype, source)
    except (ValueError, OSError) as error:
        raise FileProblem(f"the model in {folder.name!r} cannot be loaded: {error}") from error
