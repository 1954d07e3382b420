"""The generator of a generative adversarial network, as it travels on a wire."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from nodegraph import File, FileLocator
from nodegraph.errors import FileProblem
from nodes.gan.architectures import identify, load_generator
from nodes.gan.network import Activation, GeneratorNetwork
from nodes.weights.header import read_header


@dataclass(frozen=True)
class Generator:
    """A recipe for a generator.

    Attributes:
        file: its safetensors file.
        latent_size: how many numbers a latent has.
        width: width of a picture in pixels.
        height: height of a picture in pixels.
        channels: 1, 3 or 4.
        activation: the activation at the end, whose range is mapped to 0..1.
    """

    file: File
    latent_size: int
    width: int
    height: int
    channels: int
    activation: Activation

    def build(self, files: FileLocator, dtype: torch.dtype) -> GeneratorNetwork:
        """The network with its weights."""
        path = files.path(self.file)
        try:
            return load_generator(path, identify(read_header(path)), self.activation, dtype)
        except ValueError as error:
            raise FileProblem(f"the generator in {self.file.name!r} cannot be loaded: {error}") from error
