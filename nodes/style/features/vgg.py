"""Features of VGG networks (Simonyan, Zisserman 2014, "Very Deep Convolutional Networks")."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import nn

from nodes.weights.finite import check_finite
from nodes.weights.header import Header, UnknownFileError
from nodes.weights.sequential import Layers, check_fit, layers_of

Pooling = Literal["average", "max"]

FEATURES = "features."
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Convolution:
    """A convolution of the stack.

    Attributes:
        index: its index in the file.
        name: its name in the literature: ``conv3_2`` is the second one after two poolings.
        inputs: maps it takes.
        outputs: maps it makes.
        kernel: side of its kernel, odd.
        normalised: whether batch normalisation follows.
        pooled: whether pooling follows, halving the size.
    """

    index: int
    name: str
    inputs: int
    outputs: int
    kernel: int
    normalised: bool
    pooled: bool


def detect_vgg(header: Header) -> tuple[Convolution, ...]:
    """The convolutions of a VGG network, in torchvision's layout, from the header of its file.

    The file has ``features.N.weight`` and ``features.N.bias``; indices that are left out are activations
    and poolings, and tell where these stand. What is not below ``features`` is ignored.

    Raises:
        UnknownFileError: it is something else; the message says what is in the way.
    """
    shapes = {name: shape for name, shape in header.shapes.items() if name.startswith(FEATURES)}
    if not shapes:
        raise UnknownFileError("it has no tensor 'features.0.weight', as VGG networks of torchvision do")
    features = Header(shapes, header.dtypes, header.metadata)
    layers = layers_of(features)
    stack = _stack(layers)
    with torch.device("meta"):
        check_fit(_modules(stack, "max"), layers, features)
    return stack


def _stack(layers: Layers) -> tuple[Convolution, ...]:
    indices = layers.with_rank(4)
    if not indices or indices[0] != 0 or layers.weight(0)[1] != 3:
        raise UnknownFileError("its first layer is no convolution of three channels")
    stack: list[Convolution] = []
    block, number, inputs = 1, 1, 3
    for index, following in zip(indices, [*indices[1:], None], strict=True):
        outputs, _, kernel, _ = layers.weight(index)
        if kernel % 2 == 0:
            raise UnknownFileError(f"the kernel of {layers.name(index)!r} is {kernel} wide, not odd")
        normalised = "running_mean" in layers.parts.get(index + 1, {})
        pooled = _pooling_follows(layers, index, following, normalised)
        name = f"conv{block}_{number}"
        stack.append(Convolution(index, name, inputs, outputs, kernel, normalised, pooled))
        block, number, inputs = block + pooled, 1 if pooled else number + 1, outputs
    return tuple(stack)


def _pooling_follows(layers: Layers, index: int, following: int | None, normalised: bool) -> bool:
    """Whether a pooling stands between a convolution with its activation and the next one."""
    if following is None:
        return False
    between = following - index - (3 if normalised else 2)
    if between not in (0, 1):
        raise UnknownFileError(
            f"{following - index - 1} layers stand between {layers.name(index)!r} and "
            f"{layers.name(following)!r}; an activation and at most one pooling belong there"
        )
    return between == 1


def _modules(stack: tuple[Convolution, ...], pooling: Pooling) -> nn.Sequential:
    """The layers without weights, named by their indices in the file."""
    modules: OrderedDict[str, nn.Module] = OrderedDict()
    for layer in stack:
        index = layer.index
        modules[str(index)] = nn.Conv2d(layer.inputs, layer.outputs, layer.kernel, padding=layer.kernel // 2)
        if layer.normalised:
            index += 1
            modules[str(index)] = nn.BatchNorm2d(layer.outputs)
        modules[str(index + 1)] = nn.ReLU()
        if layer.pooled:
            modules[str(index + 2)] = nn.MaxPool2d(2) if pooling == "max" else nn.AvgPool2d(2)
    return nn.Sequential(modules)


class VGGFeatures(nn.Module):
    """Rectified responses of the convolutions of a VGG network.

    Args:
        stack: the convolutions.
        pooling: average pooling gives smoother pictures than the network's own max pooling (Gatys et al.
            2016, section 2).
    """

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(self, stack: tuple[Convolution, ...], pooling: Pooling) -> None:
        super().__init__()
        self.layers = _modules(stack, pooling)
        self.names = _activations(stack)
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(IMAGENET_STD).view(1, 3, 1, 1), persistent=False)

    def forward(self, pictures: torch.Tensor, wanted: Collection[str]) -> dict[str, torch.Tensor]:
        """Responses ``[batch, maps, height, width]`` by name of the wanted layers.

        Args:
            pictures: ``[batch, 3, height, width]`` in 0..1.
            wanted: names of layers; those above the last wanted one are not computed.
        """
        values, found = (pictures - self.mean) / self.std, dict[str, torch.Tensor]()
        for index, layer in self.layers.named_children():
            if len(found) == len(wanted):
                break
            values = layer(values)
            if self.names.get(index) in wanted:
                found[self.names[index]] = values
        return found


def _activations(stack: tuple[Convolution, ...]) -> dict[str, str]:
    """Name of the convolution by index of the activation that follows it."""
    return {str(layer.index + (2 if layer.normalised else 1)): layer.name for layer in stack}


def load_vgg(path: Path, stack: tuple[Convolution, ...], pooling: Pooling) -> VGGFeatures:
    """The features with the weights of the file, in evaluation mode; its classifier is not read.

    Raises:
        ValueError: some are NaN or infinite.
    """
    from safetensors import safe_open

    network = VGGFeatures(stack, pooling)
    with safe_open(path, framework="pt") as file:
        names = [name for name in file.keys() if name.startswith(FEATURES)]  # noqa: SIM118 - it is no dict
        weights = {name: file.get_tensor(name) for name in names}
    for name, tensor in weights.items():
        check_finite(name, tensor)
    network.layers.load_state_dict(
        {name.removeprefix(FEATURES): t for name, t in weights.items()}, strict=True
    )
    return network.eval().requires_grad_(False)
