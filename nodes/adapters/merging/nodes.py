"""Models between two others."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any

from pydantic import Field

from nodegraph import node
from nodegraph.errors import InputError
from nodegraph.specs import Spec, require_same
from nodes.adapters.merging.recipes import Merged, Ratios
from nodes.types import Model

Ratio = Annotated[float, Field(ge=0.0, le=1.0)]
CATEGORY = "advanced/model_merging"
_ALIKE = ("family", "latent_channels", "text_width", "concat_channels")


def infer_merged(model1: Spec, model2: Spec) -> dict[str, Any]:
    """Both models are of one family."""
    for fact in ("family", "latent_channels", "text_width"):
        require_same(fact, model1=model1, model2=model2)
    return dict(model1.facts)


def _merged(one: Model, other: Model, ratios: Ratios) -> Model:
    for name in _ALIKE:
        if getattr(one, name) != getattr(other, name):
            what, given, wanted = name.replace("_", " "), getattr(other, name), getattr(one, name)
            raise InputError("model2", f"its {what} is {given}, that of model1 is {wanted}")
    return dataclasses.replace(one, weights=Merged(one.weights, other.weights, ratios))


@node(category=CATEGORY, display_name="Merge Models (Simple)", infer=infer_merged)
def ModelMergeSimple(model1: Model, model2: Model, ratio: Ratio = 1.0) -> Model:
    """Mix the weights of two models; all else is the first one's.

    Args:
        model1: the first model.
        model2: the second model, of the same family.
        ratio: share of the first; the second has the rest.
    """
    return _merged(model1, model2, Ratios(ratio, ratio, ratio))


@node(category=CATEGORY, display_name="Merge Models (by Block)", infer=infer_merged)
def ModelMergeBlocks(
    model1: Model, model2: Model, input: Ratio = 1.0, middle: Ratio = 1.0, out: Ratio = 1.0
) -> Model:
    """Mix the weights of two U-Nets, each part with a ratio of its own.

    Args:
        model1: the first model.
        model2: the second model, of the same family.
        input: share of the first on the way down, and of what belongs to no block.
        middle: share of the first in the middle block.
        out: share of the first on the way up.
    """
    return _merged(model1, model2, Ratios(input, middle, out))
