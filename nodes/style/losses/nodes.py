"""Losses as values."""

from __future__ import annotations

from typing import Annotated, Any

import torch
from pydantic import Field

from nodegraph import NodeContext, node
from nodegraph.errors import InputError
from nodegraph.specs import UNKNOWN, Mismatch, Spec
from nodes.style.losses.distances import gram_matrix
from nodes.style.pictures import check_size, planes_of
from nodes.style.types import FeatureExtractor, FeatureLoss, GramLoss, Loss, SumOfLosses, VariationLoss
from nodes.types import Image

Weight = Annotated[float, Field(ge=0.0, le=1e12)]


def _check_layers(extractor: Spec, layers: Spec) -> None:
    known = extractor.get("layers")
    if known is None or layers.value is UNKNOWN:
        return
    for layer in layers.value:
        if layer not in known:
            text = f"layer {layer!r} is not in the extractor, which has {', '.join(known)}"
            raise Mismatch(text, "layers", "extractor", given=layer, expected=", ".join(known))


def _style_facts(extractor: Spec, layers: Spec) -> dict[str, Any]:
    _check_layers(extractor, layers)
    return {}


@node(category="style/loss", device=True, infer=_style_facts)
def StyleLoss(
    ctx: NodeContext,
    image: Image,
    extractor: FeatureExtractor,
    weight: Weight = 1000.0,
    layers: tuple[str, ...] = (),
) -> Loss:
    """How far a picture is from the style of an example: from the Gram matrices of its features.

    Gatys, Ecker, Bethge 2016, "Image Style Transfer Using CNNs", eqs. 3 to 5, with all layers weighted
    alike and Gram matrices divided by the number of positions, so that sizes may differ.

    Args:
        image: the example; of several, the mean style counts.
        extractor: what makes the features.
        weight: how much this loss counts; with a content loss of weight 1, the style is plain to see from
            about 1000.
        layers: names of layers, such as conv1_1 or 3x3; none means the extractor's own choice: the first
            of every block of a VGG network, all sizes of random filters.
    """
    chosen = _chosen(extractor, layers, extractor.style_layers)
    features = _features(ctx, image, extractor, chosen)
    targets = tuple(gram_matrix(features[layer]).mean(0).cpu() for layer in chosen)
    return GramLoss(weight, extractor, chosen, targets)


def _content_facts(image: Spec, extractor: Spec, layers: Spec) -> dict[str, Any]:
    _check_layers(extractor, layers)
    if image.get("batch", 1) != 1:
        text = f"the content is one picture, but the batch has {image.get('batch')}"
        raise Mismatch(text, "image", given=f"batch {image.get('batch')}", expected="batch 1")
    return image.known("width", "height")


@node(category="style/loss", device=True, infer=_content_facts)
def ContentLoss(
    ctx: NodeContext,
    image: Image,
    extractor: FeatureExtractor,
    weight: Weight = 1.0,
    layers: tuple[str, ...] = (),
) -> Loss:
    """How far a picture is from the content of another of the same size: from its features.

    Gatys, Ecker, Bethge 2016, "Image Style Transfer Using CNNs", eq. 1, as a mean in place of a sum.

    Args:
        image: the picture whose content is wanted.
        extractor: what makes the features.
        weight: how much this loss counts.
        layers: names of layers, such as conv4_2 or 3x3; none means the extractor's own choice: conv4_2 of
            a VGG network, all sizes of random filters.
    """
    if len(image.pixels) != 1:
        raise InputError(
            "image", f"the content is one picture, not {len(image.pixels)}; ImageFromBatch takes one out"
        )
    chosen = _chosen(extractor, layers, extractor.content_layers)
    features = _features(ctx, image, extractor, chosen)
    height, width = image.pixels.shape[1:3]
    return FeatureLoss(
        weight, extractor, chosen, tuple(features[layer].cpu() for layer in chosen), width, height
    )


@node(category="style/loss")
def TotalVariationLoss(weight: Weight = 1.0) -> Loss:
    """How unlike neighbouring pixels are; a little of it makes pictures smoother.

    Args:
        weight: how much this loss counts.
    """
    return VariationLoss(weight)


@node(category="style/loss")
def AddLosses(losses: list[Loss], weight: Weight = 1.0) -> Loss:
    """Several losses as one: their sum.

    Args:
        losses: what is added, one wire each.
        weight: what the sum is multiplied by.
    """
    if not losses:
        raise InputError("losses", "there is nothing to add; at least one loss is needed")
    return SumOfLosses(weight, tuple(losses))


def _chosen(
    extractor: FeatureExtractor, layers: tuple[str, ...], default: tuple[str, ...]
) -> tuple[str, ...]:
    for layer in layers:
        if layer not in extractor.layers:
            known = ", ".join(extractor.layers)
            raise InputError("layers", f"{layer!r} is not in the extractor, which has {known}")
    return tuple(dict.fromkeys(layers)) or default


def _features(
    ctx: NodeContext, image: Image, extractor: FeatureExtractor, layers: tuple[str, ...]
) -> dict[str, torch.Tensor]:
    check_size(image, extractor)
    with ctx.lease(extractor) as network, torch.no_grad():
        found: dict[str, torch.Tensor] = network(planes_of(image).to(ctx.device), layers)
        return found
