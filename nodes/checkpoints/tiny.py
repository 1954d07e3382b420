"""Tiny autoencoders whose halves are files of their own, as TAESD is published (Bohan 2023)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from nodegraph import File, FileLocator
from nodegraph.errors import FileProblem
from nodes.architectures.architecture import Architecture, Settings
from nodes.architectures.tiny_autoencoder import TinyAutoencoder, TinyDecoder
from nodes.checkpoints.networks import MALFORMED
from nodes.weights.header import Header, UnknownFileError, read_header
from nodes.weights.tensors import assemble, read_tensors

HALVES = ("encoder.", "decoder.")


@dataclass(frozen=True)
class TinyAutoencoderRecipe:
    """A tiny autoencoder in two files.

    Attributes:
        encoder: the one half.
        decoder: the other half.
    """

    encoder: File
    decoder: File

    def build(self, files: FileLocator, dtype: torch.dtype) -> Any:
        """diffusers' ``AutoencoderTiny`` on the CPU, weights in ``dtype``."""
        return _built(TinyAutoencoder(), self._paths(files), HALVES, dtype)

    def settings(self, files: FileLocator) -> Settings:
        """The settings of the network, from the headers of the files.

        Raises:
            FileProblem: they are not the halves of a tiny autoencoder.
        """
        return _settings(TinyAutoencoder(), self._paths(files), HALVES)

    def _paths(self, files: FileLocator) -> list[Path]:
        return [files.path(self.encoder), files.path(self.decoder)]


@dataclass(frozen=True)
class DecoderKind:
    """What a decoder makes of what.

    Attributes:
        latent_channels: channels of the latents.
        channels: channels of the pictures.
        scale: pixels along a side of one latent pixel.
    """

    latent_channels: int
    channels: int
    scale: int

    def __str__(self) -> str:
        return f"{self.latent_channels} channels to {self.channels} at {self.scale} times their size"


@dataclass(frozen=True)
class TinyDecoderRecipe:
    """The decoder of a tiny autoencoder, which is all that a preview needs.

    Attributes:
        file: the decoder.
    """

    file: File

    def build(self, files: FileLocator, dtype: torch.dtype) -> Any:
        """diffusers' ``DecoderTiny`` on the CPU, weights in ``dtype``."""
        return _built(TinyDecoder(), [files.path(self.file)], HALVES[1:], dtype)

    def kind(self, files: FileLocator) -> DecoderKind:
        """What it makes of what, from the header of the file.

        Raises:
            FileProblem: it is not the decoder of a tiny autoencoder.
        """
        settings = _settings(TinyDecoder(), [files.path(self.file)], HALVES[1:])
        scale = 2 ** (len(settings["num_blocks"]) - 1)
        return DecoderKind(settings["in_channels"], settings["out_channels"], scale)


def _settings(architecture: Architecture, paths: Sequence[Path], prefixes: Sequence[str]) -> Settings:
    try:
        return architecture.settings(_joined(paths, prefixes))
    except UnknownFileError as problem:
        raise _problem(architecture, paths, problem) from problem


def _built(
    architecture: Architecture, paths: Sequence[Path], prefixes: Sequence[str], dtype: torch.dtype
) -> Any:
    settings = _settings(architecture, paths, prefixes)
    try:
        tensors = {
            f"{prefix}{name}": tensor
            for path, prefix in zip(paths, prefixes, strict=True)
            for name, tensor in read_tensors([path]).items()
        }
        converted = architecture.convert(tensors, settings)
        return assemble(lambda: architecture.make(settings), converted, dtype)
    except (OSError, *MALFORMED) as error:
        raise _problem(architecture, paths, error) from error


def _joined(paths: Sequence[Path], prefixes: Sequence[str]) -> Header:
    """The headers of the halves as if they were one file."""
    shapes: dict[str, tuple[int, ...]] = {}
    dtypes: dict[str, str] = {}
    for path, prefix in zip(paths, prefixes, strict=True):
        header = read_header(path)
        shapes |= {f"{prefix}{name}": shape for name, shape in header.shapes.items()}
        dtypes |= {f"{prefix}{name}": dtype for name, dtype in header.dtypes.items()}
    return Header(shapes, dtypes, {})


def _problem(architecture: Architecture, paths: Sequence[Path], error: Exception) -> FileProblem:
    names = " and ".join(repr(path.name) for path in paths)
    return FileProblem(f"the {architecture.description} in {names} cannot be loaded: {error}")
