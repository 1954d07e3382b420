"""Generators of linear layers (Goodfellow et al. 2014, "Generative Adversarial Networks")."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import torch
from torch import nn

from nodes.gan.network import MAX_SIDE, Activation, GeneratorNetwork, output_activation
from nodes.weights.header import Header, UnknownFileError
from nodes.weights.sequential import Layers, check_fit, layers_of

HIDDEN: Mapping[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "leaky_relu": partial(nn.LeakyReLU, 0.2),
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
}


@dataclass(frozen=True)
class MLP:
    """A multilayer perceptron, as its file describes it.

    The file holds linear layers of any widths (``net.0.weight``, ``net.2.weight``, …, other indices are
    activations). The last one's outputs are a picture in the order channels, rows, columns. Its metadata
    may say ``width``, ``height`` and ``channels`` (all of them); else n² outputs are a grey square and
    3n² an RGB square. It may say ``hidden_activation`` (``relu``, the default, ``leaky_relu`` with slope
    0.2, ``tanh``, ``sigmoid``) and ``output_activation`` (``sigmoid``, the default, or ``tanh``).

    Attributes:
        prefix: what stands before the index of every layer.
        indices: index of each linear layer.
        widths: inputs of the first and outputs of every linear layer.
        biases: for each linear layer whether it has a bias.
        picture_shape: channels, height and width of a picture.
        hidden: the activation between layers.
        activation: the activation at the end.
    """

    prefix: str
    indices: tuple[int, ...]
    widths: tuple[int, ...]
    biases: tuple[bool, ...]
    picture_shape: tuple[int, int, int]
    hidden: str
    activation: Activation

    title = "MLP"

    @classmethod
    def detect(cls, header: Header) -> MLP:
        """Recognise the architecture.

        Raises:
            UnknownFileError: the file holds something else; the message says what is in the way.
        """
        layers = layers_of(header)
        indices = _linear_indices(layers)
        weights = [layers.weight(index) for index in indices]
        widths = (weights[0][1], *(outputs for outputs, _ in weights))
        biases = tuple("bias" in layers.parts[index] for index in indices)
        shape = _picture_shape(widths[-1], header.metadata)
        activation = output_activation(header, "sigmoid")
        design = cls(layers.prefix, indices, widths, biases, shape, _hidden_activation(header), activation)
        with torch.device("meta"):
            check_fit(design.layers(), layers, header)
        return design

    @property
    def latent_size(self) -> int:
        """How many numbers a latent has."""
        return self.widths[0]

    def layers(self) -> nn.Sequential:
        """The layers without weights, named by their indices in the file."""
        modules: OrderedDict[str, nn.Module] = OrderedDict()
        sizes = zip(self.indices, pairwise(self.widths), self.biases, strict=True)
        for index, (inputs, outputs), bias in sizes:
            if modules:
                modules[str(index - 1)] = HIDDEN[self.hidden]()
            modules[str(index)] = nn.Linear(inputs, outputs, bias)
        return nn.Sequential(modules)

    def network(self, activation: Activation) -> GeneratorNetwork:
        """The generator without weights."""
        return GeneratorNetwork(self.layers(), (self.latent_size,), self.picture_shape, activation)


def _linear_indices(layers: Layers) -> tuple[int, ...]:
    indices = layers.with_rank(2)
    if not indices:
        raise UnknownFileError("it has no linear layer (a weight of two dimensions)")
    for before, after in pairwise(indices):
        if after < before + 2:
            raise UnknownFileError(f"layers {before} and {after} leave no place for an activation")
    return tuple(indices)


def _hidden_activation(header: Header) -> str:
    named = header.metadata.get("hidden_activation", "relu")
    if named not in HIDDEN:
        known = ", ".join(HIDDEN)
        raise UnknownFileError(f"its metadata says hidden_activation = {named!r}; one of {known} would do")
    return named


def _picture_shape(outputs: int, metadata: Mapping[str, str]) -> tuple[int, int, int]:
    keys = ("channels", "height", "width")
    if any(key in metadata for key in keys):
        channels, height, width = (_positive(metadata, key) for key in keys)
        if channels * height * width != outputs:
            text = f"its metadata says {width} x {height} pixels of {channels} channels"
            raise UnknownFileError(f"{text}, but its last layer has {outputs} outputs")
    else:
        channels = 1 if math.isqrt(outputs) ** 2 == outputs else 3
        height = width = math.isqrt(outputs // channels)
    if channels * height * width != outputs:
        raise UnknownFileError(
            f"its {outputs} outputs are no square picture, grey or RGB; "
            "metadata width, height and channels would say what they are"
        )
    if channels not in (1, 3, 4) or max(width, height) > MAX_SIDE:
        raise UnknownFileError(f"it makes pictures of {width} x {height} pixels and {channels} channels")
    return channels, height, width


def _positive(metadata: Mapping[str, str], key: str) -> int:
    text = metadata.get(key, "")
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) > 0):
        raise UnknownFileError(f"its metadata says {key} = {text!r}; a positive whole number is wanted")
    return int(text)
