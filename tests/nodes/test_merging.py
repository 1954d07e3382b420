"""Models between two others, weight by weight."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from diffusion_support import checkpoint, context, folders

from nodegraph.errors import FileProblem, InputError
from nodegraph.specs import Mismatch, Spec
from nodes.adapters.merging.nodes import ModelMergeBlocks, ModelMergeSimple, infer_merged


@dataclass(frozen=True)
class Shifted:
    """The bundled U-Net with every weight raised; or a part of it."""

    by: float
    part: str = ""

    def build(self, files: Any, dtype: torch.dtype) -> Any:
        unet = checkpoint().model.weights.build(files, dtype)
        for parameter in unet.parameters():
            parameter += self.by
        return unet.get_submodule(self.part)


def other(by=1.0, **changes):
    return dataclasses.replace(checkpoint().model, weights=Shifted(by), **changes)


def weights(model):
    with context().lease(model.weights) as unet:
        return dict(unet.named_parameters())


def test_a_simple_merge_is_a_mean():
    plain, merged = weights(checkpoint().model), weights(ModelMergeSimple(checkpoint().model, other(), 0.75))
    for name, weight in plain.items():
        torch.testing.assert_close(merged[name], weight + 0.25, atol=1e-5, rtol=0)


def test_blocks_have_ratios_of_their_own_and_share_what_is_the_first_ones_alone():
    plain = weights(checkpoint().model)
    merged = weights(ModelMergeBlocks(checkpoint().model, other(), 1.0, 0.5, 0.0))
    shifts = {"down_blocks.0": 0.0, "conv_in": 0.0, "time_embedding": 0.0, "mid_block": 0.5, "up_blocks": 1.0}
    for start, shift in {**shifts, "conv_out": 1.0}.items():
        name = next(name for name in plain if name.startswith(start))
        torch.testing.assert_close(merged[name], plain[name] + shift, atol=1e-5, rtol=0)
    assert merged["conv_in.weight"] is plain["conv_in.weight"]


def test_a_merge_of_merges():
    once = ModelMergeSimple(checkpoint().model, other(4.0), 0.5)
    twice = weights(ModelMergeSimple(once, checkpoint().model, 0.5))
    plain = weights(checkpoint().model)
    torch.testing.assert_close(twice["conv_in.weight"], plain["conv_in.weight"] + 1.0, atol=1e-5, rtol=0)


def test_models_of_different_kinds_are_refused():
    with pytest.raises(InputError, match="model2: its family is sdxl, that of model1 is sd"):
        ModelMergeSimple(checkpoint().model, other(family="sdxl"))
    with pytest.raises(Mismatch, match="family of model2 is sdxl"):
        infer_merged(Spec({"family": "sd"}), Spec({"family": "sdxl"}))
    part = dataclasses.replace(checkpoint().model, weights=Shifted(0.0, "mid_block"))
    merged = ModelMergeSimple(checkpoint().model, part, 0.5)
    with pytest.raises(FileProblem, match=r"'attentions\.0\.norm\.bias' is None in the first"):
        merged.weights.build(folders(), torch.float32)
