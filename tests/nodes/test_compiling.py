"""A compiled network samples what it samples otherwise, whatever other patches do to it."""

from __future__ import annotations

import dataclasses
import re

import pytest
import torch
from pipeline_pairs import loaded, prepared, sampled
from torch._dynamo.utils import counters

from nodegraph.errors import InputError
from nodes.sampling.caching.nodes import DeepCache
from nodes.sampling.patching.compiled import Compiled
from nodes.sampling.patching.nodes import FreeU_V2, PerturbedAttentionGuidance, TorchCompileModel

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:torch")
ROUNDING = 2e-3
"""Of latents whose spread is 4; what inductor computes in another order, over 4 guided steps."""


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    return loaded(prepared(tmp_path_factory.mktemp("models")), "sd1")


@pytest.fixture(autouse=True)
def _nothing_compiled_yet():
    torch._dynamo.reset()
    counters.clear()


def traced(model):
    """Compiled as far as its graph: the part that decides what is computed, without the compiler's minute."""
    return dataclasses.replace(model, patches=(*model.patches, Compiled("eager")))


def graphs():
    return counters["stats"]["unique_graphs"]


def test_it_is_compiled_once_and_samples_the_same(parts):
    expected = sampled(parts)
    for _ in range(2):
        assert torch.equal(sampled(parts, model=traced(parts.model)), expected)
        assert graphs() == 1


def test_afterwards_the_network_runs_as_before(parts):
    expected = sampled(parts)
    sampled(parts, model=traced(parts.model))
    done = counters["stats"]["calls_captured"]
    assert torch.equal(sampled(parts), expected)
    assert counters["stats"]["calls_captured"] == done
    with parts.ctx.lease(parts.model.weights) as network:
        assert network._compiled_call_impl is None


def test_what_other_patches_change_is_not_forgotten(parts):
    model = parts.model
    for patched in (model, FreeU_V2(model), FreeU_V2(model, b1=1.1)):
        assert torch.equal(sampled(parts, model=traced(patched)), sampled(parts, model=patched))


@pytest.mark.slow
@pytest.mark.parametrize("change", [PerturbedAttentionGuidance, DeepCache])
def test_before_or_behind_other_patches(parts, change):
    expected = sampled(parts, model=change(parts.model))
    assert torch.equal(sampled(parts, model=change(traced(parts.model))), expected)
    assert torch.equal(sampled(parts, model=traced(change(parts.model))), expected)


@pytest.mark.slow
def test_inductors_kernels_sample_the_same(parts):
    compiled = sampled(parts, model=TorchCompileModel(parts.model))
    assert float((compiled - sampled(parts)).abs().max()) <= ROUNDING
    assert graphs() == 1


@pytest.mark.slow
def test_without_a_compiler_it_says_what_would_do(parts):
    missing = torch._inductor.config.patch({"cpp.cxx": ("/nonexistent/g++",)})
    said = "model: torch.compile with inductor failed: .*No working C++ compiler.*leave TorchCompileModel out"
    with missing, pytest.raises(InputError, match=said.replace("+", re.escape("+"))):
        sampled(parts, model=TorchCompileModel(parts.model))
