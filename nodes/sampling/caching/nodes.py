"""Nodes that trade some of a picture's exactness for time."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any

from pydantic import Field

from nodegraph import node
from nodegraph.errors import InputError
from nodegraph.specs import Mismatch, Spec
from nodes.sampling.caching.deep_cache import DeepFeatures
from nodes.sampling.caching.first_block import FirstBlock
from nodes.sampling.patches import Patch
from nodes.types import Model

U_NETS = ("sd", "sdxl", "sdxl_refiner")
TRANSFORMERS = ("sd3", "flux")
Share = Annotated[float, Field(ge=0.0, le=1.0)]
Step = Annotated[int, Field(ge=0, le=10000)]


def _with(model: Model, patch: Patch) -> Model:
    return dataclasses.replace(model, patches=(*model.patches, patch))


def _infer(model: Spec, families: tuple[str, ...], kind: str, instead: str) -> dict[str, Any]:
    family = model.get("family")
    if family not in (None, *families):
        raise Mismatch(f"family {family} has no {kind}; use {instead}", "model", given=f"family {family}")
    return dict(model.facts)


def infer_deep_cache(model: Spec) -> dict[str, Any]:
    """The same model, which has to have a U-Net."""
    return _infer(model, U_NETS, "U-Net", "FirstBlockCache")


@node(category="model_patches/caching", display_name="DeepCache", infer=infer_deep_cache)
def DeepCache(
    model: Model,
    cache_interval: Annotated[int, Field(ge=1, le=100)] = 3,
    cache_depth: Annotated[int, Field(ge=0, le=11)] = 1,
    start_step: Step = 0,
    end_step: Step = 1000,
) -> Model:
    """Compute the deep half of a U-Net at some steps only, and use it for those between (Ma et al. 2024).

    The picture changes a little: on the bundled model interval 3 takes half of the time, at a PSNR of 35 dB
    (docs/benchmarks.md). It is for 20 steps and more; with few, they are too far apart.

    Args:
        model: the denoising model, of Stable Diffusion 1, 2 or XL.
        cache_interval: everything is computed at every so manieth step; 1 changes nothing.
        cache_depth: how many blocks from the outside are computed at every step; more is slower and nearer.
        start_step: the first step that may use what was computed before.
        end_step: the first step that may no more.
    """
    if model.family not in U_NETS:
        raise InputError("model", f"family {model.family} has no U-Net; use FirstBlockCache")
    return _with(model, DeepFeatures(cache_interval, cache_depth, start_step, end_step))


def infer_first_block_cache(model: Spec) -> dict[str, Any]:
    """The same model, which has to have a transformer."""
    return _infer(model, TRANSFORMERS, "transformer", "DeepCache")


@node(category="model_patches/caching", infer=infer_first_block_cache)
def FirstBlockCache(
    model: Model,
    residual_diff_threshold: Annotated[float, Field(ge=0.0, le=1.0)] = 0.1,
    start: Share = 0.0,
    end: Share = 1.0,
    max_consecutive_cache_hits: Annotated[int, Field(ge=-1, le=10000)] = -1,
) -> Model:
    """Skip a transformer's blocks at steps whose first block adds nearly what it added before.

    The picture changes: the higher the threshold, the more steps are skipped. Thresholds of 0.05 to 0.15 are
    usual. On a small transformer taught for the purpose, 0.15 is 1.4 times as fast at a PSNR of 41 dB, and
    0.3 is 1.7 times as fast at 35 dB (docs/benchmarks.md); large models have not been measured.

    Args:
        model: the denoising model, of Stable Diffusion 3 or FLUX.1.
        residual_diff_threshold: relative change of what the first block adds, below which the others are
            skipped; 0 changes nothing.
        start: share of the trained noise schedule done when that begins.
        end: share done when it ends.
        max_consecutive_cache_hits: how many steps in a row may skip; -1 is any number.
    """
    if model.family not in TRANSFORMERS:
        raise InputError("model", f"family {model.family} has no transformer; use DeepCache")
    longest = None if max_consecutive_cache_hits < 0 else max_consecutive_cache_hits
    return _with(model, FirstBlock(residual_diff_threshold, start, end, longest))
