"""Recipes of networks in single files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from nodegraph import File, FileLocator
from nodegraph.errors import FileProblem
from nodes.architectures.catalogue import ARCHITECTURES
from nodes.weights.header import UnknownFileError, read_header
from nodes.weights.tensors import assemble, read_tensors

MALFORMED = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, AssertionError)
"""What diffusers and transformers raise at settings and tensors that make no sense."""


@dataclass(frozen=True)
class NetworkRecipe:
    """A network in a safetensors file, alone or among others.

    Attributes:
        file: the file.
        architecture: its name in ``ARCHITECTURES``.
        prefix: what stands before the names of its tensors.
        force_upcast: whether its activations overflow float16, so that it computes in float32 instead.
    """

    file: File
    architecture: str
    prefix: str = ""
    force_upcast: bool = False

    def build(self, files: FileLocator, dtype: torch.dtype) -> Any:
        """The network on the CPU, weights in ``dtype``, or in float32 where float16 would overflow."""
        if self.force_upcast and dtype == torch.float16:
            dtype = torch.float32
        path, architecture = files.path(self.file), ARCHITECTURES[self.architecture]
        try:
            settings = architecture.settings(read_header(path).below(self.prefix))
            source = read_tensors([path], self.prefix)
            tensors = architecture.convert(dict(source), settings)
            return assemble(lambda: architecture.make(settings), tensors, dtype, source)
        except (UnknownFileError, OSError, *MALFORMED) as error:
            raise FileProblem(
                f"the {architecture.description} in {self.file.name!r} cannot be loaded: {error}"
            ) from error
