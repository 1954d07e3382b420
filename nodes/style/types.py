"""Feature extractors and losses, as they travel on wires."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import nn

from nodegraph import File, FileLocator
from nodegraph.errors import FileProblem
from nodes.style.features.random_filters import RandomFeatures, layer_name
from nodes.style.features.vgg import Pooling, detect_vgg, load_vgg
from nodes.style.losses.distances import content_distance, style_distance, total_variation
from nodes.weights.header import read_header

Features = Mapping["FeatureExtractor", Mapping[str, torch.Tensor]]
"""Features of a picture, ``[1, maps, height, width]``, by extractor and name of the layer."""


@dataclass(frozen=True)
class FeatureExtractor:
    """A recipe for a network whose layers describe pictures.

    Attributes:
        layers: names of its layers, the nearest to the pixels first.
        style_layers: those that describe style where nothing else is said.
        content_layers: those that describe content where nothing else is said.
        smallest: the least width and height of a picture, in pixels.
    """

    layers: tuple[str, ...]
    style_layers: tuple[str, ...]
    content_layers: tuple[str, ...]
    smallest: int

    def build(self, files: FileLocator, dtype: torch.dtype) -> nn.Module:
        """The network: ``network(pictures in 0..1, wanted names) -> features by name``."""
        raise NotImplementedError(f"{type(self).__name__} says how no network is made")


def gradient_dtype(dtype: torch.dtype) -> torch.dtype:
    """The type features are computed in: slopes of single pixels are too small for half precision."""
    return torch.promote_types(dtype, torch.float32)


@dataclass(frozen=True)
class VGGExtractor(FeatureExtractor):
    """The convolutions of a VGG network.

    Attributes:
        file: its safetensors file.
        pooling: how it halves the size.
    """

    file: File
    pooling: Pooling

    def build(self, files: FileLocator, dtype: torch.dtype) -> nn.Module:
        """The network with its weights, in float32 or better."""
        path = files.path(self.file)
        try:
            features = load_vgg(path, detect_vgg(read_header(path)), self.pooling)
        except ValueError as error:
            raise FileProblem(f"the features in {self.file.name!r} cannot be loaded: {error}") from error
        return features.to(gradient_dtype(dtype))


@dataclass(frozen=True)
class RandomExtractor(FeatureExtractor):
    """Random filters of several sizes.

    Attributes:
        seed: seed of their weights.
        filters: how many of each size.
        sizes: sides of the filters in pixels.
    """

    seed: int
    filters: int
    sizes: tuple[int, ...]

    @classmethod
    def of(cls, seed: int, filters: int, sizes: tuple[int, ...]) -> RandomExtractor:
        """The recipe for these filters; every layer describes both style and content."""
        layers = tuple(map(layer_name, sizes))
        return cls(layers, layers, layers, 1, seed, filters, sizes)

    def build(self, files: FileLocator, dtype: torch.dtype) -> nn.Module:
        """The network with its weights, in float32 or better."""
        return RandomFeatures(self.seed, self.filters, self.sizes).to(gradient_dtype(dtype)).eval()


@dataclass(frozen=True)
class Loss:
    """Something that a picture can have more or less of; ``OptimizeImage`` makes it least.

    Attributes:
        weight: what its value is multiplied by.
    """

    weight: float

    def wanted(self) -> dict[FeatureExtractor, frozenset[str]]:
        """The layers it needs, by extractor."""
        return {}

    def to(self, device: torch.device) -> Loss:
        """The same loss with its tensors on a device."""
        return self

    def value(self, picture: torch.Tensor, features: Features) -> torch.Tensor:
        """The weighted loss, a scalar.

        Args:
            picture: ``[1, 3, height, width]`` in 0..1.
            features: those of the picture in the layers that are ``wanted``.
        """
        raise NotImplementedError(f"{type(self).__name__} measures nothing")


@dataclass(frozen=True)
class LayerLoss(Loss):
    """A loss that compares features with a target, layer by layer, as their mean.

    Attributes:
        extractor: what makes the features.
        layers: names of the layers.
        targets: what each layer is compared with.
    """

    extractor: FeatureExtractor
    layers: tuple[str, ...]
    targets: tuple[torch.Tensor, ...]

    def wanted(self) -> dict[FeatureExtractor, frozenset[str]]:
        """The layers it compares."""
        return {self.extractor: frozenset(self.layers)}

    def to(self, device: torch.device) -> LayerLoss:
        """The same loss with its targets on a device."""
        return replace(self, targets=tuple(target.to(device) for target in self.targets))

    def value(self, picture: torch.Tensor, features: Features) -> torch.Tensor:
        """The weighted mean of the layers (Gatys et al. 2016, eq. 5 with equal weights)."""
        found = features[self.extractor]
        pairs = zip(self.layers, self.targets, strict=True)
        distances = [self.distance(found[layer], target) for layer, target in pairs]
        return self.weight * torch.stack(distances).mean()

    def distance(self, features: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """How far the features of one layer are from its target, a scalar."""
        raise NotImplementedError(f"{type(self).__name__} compares nothing")


@dataclass(frozen=True)
class GramLoss(LayerLoss):
    """Distance from the Gram matrices of a style; targets are ``[maps, maps]``."""

    def distance(self, features: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Gatys et al. 2016, eq. 4."""
        return style_distance(features, target)


@dataclass(frozen=True)
class FeatureLoss(LayerLoss):
    """Distance from the features of a content; targets are ``[1, maps, height, width]``.

    Attributes:
        width: width of the content's picture in pixels.
        height: height of the content's picture in pixels.
    """

    width: int
    height: int

    def distance(self, features: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Gatys et al. 2016, eq. 1, as a mean."""
        return content_distance(features, target)


@dataclass(frozen=True)
class VariationLoss(Loss):
    """How unlike neighbouring pixels are."""

    def value(self, picture: torch.Tensor, features: Features) -> torch.Tensor:
        """The weighted total variation."""
        return self.weight * total_variation(picture)


@dataclass(frozen=True)
class SumOfLosses(Loss):
    """Several losses at once.

    Attributes:
        losses: what is added up.
    """

    losses: tuple[Loss, ...]

    def wanted(self) -> dict[FeatureExtractor, frozenset[str]]:
        """The layers that any of them needs."""
        merged: dict[FeatureExtractor, frozenset[str]] = {}
        for loss in self.losses:
            for extractor, layers in loss.wanted().items():
                merged[extractor] = merged.get(extractor, frozenset()) | layers
        return merged

    def to(self, device: torch.device) -> SumOfLosses:
        """The same losses with their tensors on a device."""
        return replace(self, losses=tuple(loss.to(device) for loss in self.losses))

    def value(self, picture: torch.Tensor, features: Features) -> torch.Tensor:
        """The weighted sum."""
        return self.weight * torch.stack([loss.value(picture, features) for loss in self.losses]).sum()


def parts_of(loss: Loss) -> list[Loss]:
    """The single losses that make up a loss."""
    if not isinstance(loss, SumOfLosses):
        return [loss]
    return [part for inner in loss.losses for part in parts_of(inner)]
