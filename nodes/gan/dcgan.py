"""Generators of transposed convolutions (Radford, Metz, Chintala 2015, "DCGAN")."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import nn

from nodes.gan.network import MAX_SIDE, Activation, GeneratorNetwork, output_activation
from nodes.weights.header import Header, UnknownFileError
from nodes.weights.sequential import Layers, check_fit, layers_of

UPSAMPLING = (4, 2, 1)
"""Kernel, stride and padding of the convolutions that double the size."""


@dataclass(frozen=True)
class DCGAN:
    """A DCGAN generator in the layout of the PyTorch tutorial, as its file describes it.

    A transposed convolution of k x k with stride 1 makes k x k pixels of the latent; each further one,
    4 x 4 with stride 2 and padding 1, doubles the size. Batch normalisation (at the next index) and ReLU
    follow all but the last, which tanh follows; metadata may say another ``output_activation``.

    Attributes:
        prefix: what stands before the index of every layer, ``main.`` in the tutorial.
        indices: index of each convolution.
        widths: inputs of the first and outputs of every convolution.
        kernel: side of the first convolution's kernel.
        biases: for each convolution whether it has a bias.
        activation: the activation at the end.
    """

    prefix: str
    indices: tuple[int, ...]
    widths: tuple[int, ...]
    kernel: int
    biases: tuple[bool, ...]
    activation: Activation

    title = "DCGAN"

    @classmethod
    def detect(cls, header: Header) -> DCGAN:
        """Recognise the architecture.

        Raises:
            UnknownFileError: the file holds something else; the message says what is in the way.
        """
        layers = layers_of(header)
        indices = _convolution_indices(layers)
        weights = [layers.weight(index) for index in indices]
        widths = (weights[0][0], *(weight[1] for weight in weights))
        biases = tuple("bias" in layers.parts[index] for index in indices)
        activation = output_activation(header, "tanh")
        design = cls(layers.prefix, indices, widths, weights[0][2], biases, activation)
        channels, height, _ = design.picture_shape
        if channels not in (1, 3, 4) or height > MAX_SIDE:
            raise UnknownFileError(f"it makes pictures of {height} x {height} pixels and {channels} channels")
        with torch.device("meta"):
            check_fit(design.layers(), layers, header)
        return design

    @property
    def latent_size(self) -> int:
        """How many numbers a latent has."""
        return self.widths[0]

    @property
    def picture_shape(self) -> tuple[int, int, int]:
        """Channels, height and width of a picture."""
        side = self.kernel * 2 ** (len(self.indices) - 1)
        return self.widths[-1], side, side

    def layers(self) -> nn.Sequential:
        """The layers without weights, named by their indices in the file."""
        modules: OrderedDict[str, nn.Module] = OrderedDict()
        sizes = zip(self.indices, pairwise(self.widths), self.biases, strict=True)
        for index, (inputs, outputs), bias in sizes:
            kernel, stride, padding = UPSAMPLING if modules else (self.kernel, 1, 0)
            modules[str(index)] = nn.ConvTranspose2d(inputs, outputs, kernel, stride, padding, bias=bias)
            if index != self.indices[-1]:
                modules[str(index + 1)] = nn.BatchNorm2d(outputs)
                modules[str(index + 2)] = nn.ReLU()
        return nn.Sequential(modules)

    def network(self, activation: Activation) -> GeneratorNetwork:
        """The generator without weights."""
        return GeneratorNetwork(self.layers(), (self.latent_size, 1, 1), self.picture_shape, activation)


def _convolution_indices(layers: Layers) -> tuple[int, ...]:
    indices = layers.with_rank(4)
    if len(indices) < 2:
        raise UnknownFileError(
            f"it has {len(indices)} convolutions (weights of four dimensions), 2 are needed"
        )
    for before, after in pairwise(indices):
        if after != before + 3:
            text = "batch normalisation and ReLU belong between them"
            raise UnknownFileError(f"convolutions stand at {before} and {after}; {text}")
    return tuple(indices)
