"""Nodes that change how a model is sampled; its weights stay as they are."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any

from pydantic import Field

from nodegraph import node
from nodegraph.errors import InputError
from nodegraph.specs import Spec
from nodes.sampling.flow_schedule import flux_shift
from nodes.sampling.patches import Patch
from nodes.sampling.patching.compiled import Backend, Compiled
from nodes.sampling.patching.differential import DifferentialDiffusion as DifferentialMask
from nodes.sampling.patching.free_u import FreeU as FreeUPatch
from nodes.sampling.patching.guidance_patches import DynamicThreshold, PercentileThreshold, RescaledGuidance
from nodes.sampling.patching.model_sampling import (
    SamplingName,
    as_diffusion,
    as_flow,
    diffusion_schedule,
)
from nodes.sampling.patching.perturbed_attention import PerturbedAttention
from nodes.types import Model

Scale = Annotated[float, Field(ge=0.0, le=100.0)]
Factor = Annotated[float, Field(ge=0.0, le=10.0)]
Share = Annotated[float, Field(ge=0.0, le=1.0)]
Shift = Annotated[float, Field(ge=0.0, le=100.0)]
Side = Annotated[int, Field(ge=16, le=16384, multiple_of=8)]
U_NETS = ("sd", "sdxl")


def infer_patched(model: Spec) -> dict[str, Any]:
    """The same model."""
    return dict(model.facts)


def _with(model: Model, patch: Patch) -> Model:
    return dataclasses.replace(model, patches=(*model.patches, patch))


def _require_unet(model: Model) -> None:
    if not model.family.startswith(U_NETS):
        raise InputError("model", f"family {model.family} has no U-Net to change; give Stable Diffusion's")


@node(category="advanced/model", infer=infer_patched)
def ModelSamplingDiscrete(model: Model, sampling: SamplingName = "eps", zsnr: bool = False) -> Model:
    """Say what a diffusion model predicts, where its checkpoint says nothing or the wrong thing.

    Args:
        model: the denoising model.
        sampling: what it predicts; ``lcm`` is ε as latent consistency models have it.
        zsnr: whether its last timestep is pure noise (Lin et al. 2024).
    """
    try:
        return as_diffusion(model, sampling, zero_terminal_snr=zsnr)
    except ValueError as error:
        raise InputError("model", f"{error}; use ModelSamplingSD3 or ModelSamplingFlux") from error


@node(category="advanced/model", infer=infer_patched)
def ModelSamplingSD3(model: Model, shift: Shift = 3.0) -> Model:
    """Shift the noise levels of a flow model (Esser et al. 2024, Eq. 23).

    Args:
        model: the denoising model.
        shift: 1 spreads them evenly; more puts more of them at high noise, for larger pictures.
    """
    return _shifted(model, shift)


@node(category="advanced/model", infer=infer_patched)
def ModelSamplingFlux(
    model: Model, max_shift: Shift = 1.15, base_shift: Shift = 0.5, width: Side = 1024, height: Side = 1024
) -> Model:
    """Shift the noise levels of a flow model by the size of the picture, as Flux has it.

    Args:
        model: the denoising model.
        max_shift: log of the shift at 1024 x 1024 pixels.
        base_shift: log of the shift at 256 x 256 pixels.
        width: width of the picture in pixels.
        height: height of the picture in pixels.
    """
    return _shifted(model, flux_shift(width, height, base_shift, max_shift))


def _shifted(model: Model, shift: float) -> Model:
    if model.prediction != "flow":
        raise InputError("model", f"family {model.family} is no flow model; its noise levels have no shift")
    if shift == 0.0:
        raise InputError("shift", "0 leaves no noise at any level; give more than 0, such as 1 or 3")
    return as_flow(model, shift)


@node(category="advanced/model", infer=infer_patched)
def RescaleCFG(model: Model, multiplier: Share = 0.7) -> Model:
    """Keep guidance from raising the contrast (Lin et al. 2024, Sec. 3.4).

    Args:
        model: the denoising model.
        multiplier: 0 changes nothing, 1 gives the contrast of the positive side.
    """
    try:
        diffusion_schedule(model)
    except ValueError as error:
        raise InputError("model", f"{error}, and rescaling is defined on v") from error
    return _with(model, RescaledGuidance(multiplier))


@node(category="advanced/model", infer=infer_patched)
def DynamicThresholdingSimple(
    model: Model,
    mimic_scale: Annotated[float, Field(ge=0.0, le=100.0)] = 7.0,
    threshold_percentile: Share = 1.0,
) -> Model:
    """Keep the range of strong guidance to that of a weaker one (after Saharia et al. 2022, Sec. 2.3).

    Args:
        model: the denoising model.
        mimic_scale: the guidance scale whose range is kept.
        threshold_percentile: share of the values within the range that is clipped to.
    """
    return _with(model, DynamicThreshold(mimic_scale, threshold_percentile))


@node(category="advanced/model", infer=infer_patched)
def DynamicThresholding(
    model: Model,
    percentile: Annotated[float, Field(gt=0.0, le=1.0)] = 0.995,
    limit: Annotated[float, Field(gt=0.0, le=100.0)] = 1.0,
) -> Model:
    """Clip the guided estimate at a percentile of itself and scale it back (Saharia et al. 2022, Sec. 2.3).

    Args:
        model: the denoising model.
        percentile: share of a picture's values that are not clipped.
        limit: magnitude that the data does not exceed: 1 for models of pixels, 3 to 4 for most latents.
    """
    return _with(model, PercentileThreshold(percentile, limit))


@node(category="model_patches/unet", infer=infer_patched)
def PerturbedAttentionGuidance(model: Model, scale: Annotated[float, Field(ge=0.0, le=100.0)] = 3.0) -> Model:
    """Guide away from what the network sees without self-attention (Ahn et al. 2024).

    Each step takes one forward more.

    Args:
        model: the denoising model, a U-Net.
        scale: how far.
    """
    _require_unet(model)
    return _with(model, PerturbedAttention(scale))


@node(category="model_patches/unet", display_name="FreeU", infer=infer_patched)
def FreeU(model: Model, b1: Factor = 1.1, b2: Factor = 1.2, s1: Factor = 0.9, s2: Factor = 0.2) -> Model:
    """Strengthen a U-Net's backbone against its skip connections, everywhere alike (Si et al. 2023).

    Args:
        model: the denoising model, a U-Net.
        b1: backbone factor where the decoder is widest.
        b2: backbone factor where it is half as wide.
        s1: factor of the skips' low frequencies where the decoder is widest.
        s2: the same where it is half as wide.
    """
    _require_unet(model)
    return _with(model, FreeUPatch(b1, b2, s1, s2, by_features=False))


@node(category="model_patches/unet", display_name="FreeU V2", infer=infer_patched)
def FreeU_V2(model: Model, b1: Factor = 1.3, b2: Factor = 1.4, s1: Factor = 0.9, s2: Factor = 0.2) -> Model:
    """Strengthen a U-Net's backbone against its skip connections (Si et al. 2024).

    Args:
        model: the denoising model, a U-Net.
        b1: backbone factor where the decoder is widest.
        b2: backbone factor where it is half as wide.
        s1: factor of the skips' low frequencies where the decoder is widest.
        s2: the same where it is half as wide.
    """
    _require_unet(model)
    return _with(model, FreeUPatch(b1, b2, s1, s2))


@node(category="advanced/model", infer=infer_patched)
def DifferentialDiffusion(model: Model, strength: Share = 1.0) -> Model:
    """Let grey in a noise mask say how much may change (Levin and Fried 2023).

    Args:
        model: the denoising model.
        strength: 0 blends by the grey value, 1 lets it say from which step on a place changes.
    """
    return _with(model, DifferentialMask(strength))


@node(category="advanced/model", infer=infer_patched)
def TorchCompileModel(model: Model, backend: Backend = "inductor") -> Model:
    """Compile the network: runs get faster, the first one at a size waits for the compiler, a minute or more.

    The picture stays the same but for rounding. Put it after LoRAs; the nodes that change how a network works
    (FreeU, DeepCache, IPAdapter, ...) make torch compile it in parts.

    Args:
        model: the denoising model.
        backend: ``inductor`` makes kernels of its own and needs a C++ compiler; ``cudagraphs`` replays
            torch's kernels, on NVIDIA cards only.
    """
    return _with(model, Compiled(backend))
