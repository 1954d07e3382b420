"""Diffusion step by step: noise in, one prediction, one step of a scheduler.

Latents between these nodes are in the scaling samplers work in, x = x₀ + σ ε (x = (1-σ) x₀ + σ ε for flow
models); z = √ᾱ x₀ + √(1-ᾱ) ε of the papers is x/√(σ² + 1).
"""

from __future__ import annotations

import dataclasses
from contextlib import ExitStack
from typing import Annotated, Any, NamedTuple

import torch
from pydantic import Field
from torch import Tensor

from nodegraph import NodeContext, node
from nodegraph.errors import InputError
from nodegraph.specs import Spec
from nodes.sampling.ancestral import ancestral_step
from nodes.sampling.custom.types import Guider, Noise, Sigmas
from nodes.sampling.facts import latents_of, require_latents
from nodes.sampling.job import bound_denoiser, check_channels, start_noise
from nodes.sampling.noise_schedule import path_of
from nodes.sampling.steps import toward
from nodes.types import Latent, Model

Step = Annotated[int, Field(ge=0, le=10000)]


def infer_noised(model: Spec, latent_image: Spec) -> dict[str, Any]:
    """Latents like those that go in."""
    require_latents("model", model, latent_image)
    return {**latents_of(model).facts, **latent_image.facts}


@node(category="sampling/parts", infer=infer_noised)
def AddNoise(ctx: NodeContext, model: Model, noise: Noise, sigmas: Sigmas, latent_image: Latent) -> Latent:
    """The forward process: latents with the noise of the first of the levels (Ho et al. 2020, Eq. 4).

    Args:
        model: the model whose path the noise follows.
        noise: what is added.
        sigmas: the noise levels; where the last is above 0 the first counts only as far as it is above it.
        latent_image: clean latents.
    """
    check_channels(model, latent_image)
    if not len(sigmas.levels):
        return latent_image
    first, last = float(sigmas.levels[0]), float(sigmas.levels[-1])
    level = abs(first - last) if sigmas.steps else first
    samples = path_of(model.schedule).noised(
        latent_image.samples, start_noise(ctx, latent_image, noise), level
    )
    return dataclasses.replace(latent_image, samples=samples)


class Predicted(NamedTuple):
    """What a network says of noisy latents.

    Attributes:
        denoised: its estimate of x₀.
        epsilon: its estimate of the noise in them, standard normal if it is right.
    """

    denoised: Latent
    epsilon: Latent


def infer_predicted(guider: Spec, latent_image: Spec) -> dict[str, Any]:
    """Both are latents like those that go in."""
    require_latents("guider", guider, latent_image)
    facts = {**latents_of(guider).facts, **latent_image.facts}
    return {"denoised": facts, "epsilon": facts}


@node(category="sampling/parts", display_name="UNet Denoise Step", device=True, infer=infer_predicted)
def UNetDenoiseStep(
    ctx: NodeContext, guider: Guider, sigmas: Sigmas, latent_image: Latent, step: Step = 0
) -> Predicted:
    """Ask the network once what is picture and what is noise.

    Args:
        guider: the model and what it is told.
        sigmas: the noise levels of a run.
        latent_image: latents with the noise of level ``step``.
        step: which of the levels, from 0.
    """
    sigma, _ = _levels(sigmas, step)
    check_channels(guider.model, latent_image)
    x = latent_image.samples.to(ctx.device)
    names = ["guider"] * len(guider.sides)
    with ExitStack() as leases, torch.no_grad():
        denoiser = bound_denoiser(ctx, leases, guider, names, latent_image, nearest_timestep=True)
        denoised = denoiser(x, sigma)
    alpha = path_of(guider.model.schedule).alpha(sigma)
    found = (denoised, (x - alpha * denoised) / sigma)
    return Predicted(*(dataclasses.replace(latent_image, samples=one.cpu()) for one in found))


@node(category="sampling/parts", infer=infer_noised)
def SchedulerStep(
    ctx: NodeContext,
    model: Model,
    sigmas: Sigmas,
    latent_image: Latent,
    denoised: Latent,
    noise: Noise | None = None,
    step: Step = 0,
    eta: Annotated[float, Field(ge=0.0, le=1.0)] = 0.0,
) -> Latent:
    """Go to the next noise level: DDIM (Song et al. 2021, Eq. 12), at ``eta`` 1 DDPM.

    Args:
        model: the model whose path it follows.
        sigmas: the noise levels of a run.
        latent_image: latents with the noise of level ``step``.
        denoised: what the network takes them for.
        noise: fresh noise, which ``eta`` above 0 needs.
        step: which of the levels, from 0.
        eta: share of the posterior's noise that is added.
    """
    sigma, sigma_next = _levels(sigmas, step)
    part = ancestral_step(path_of(model.schedule), sigma, sigma_next, eta)
    samples = toward(denoised.samples, latent_image.samples, part.down / sigma)
    if part.up > 0:
        samples = part.renoised(samples, _fresh(ctx, latent_image, noise))
    return dataclasses.replace(latent_image, samples=samples)


def _fresh(ctx: NodeContext, latent: Latent, noise: Noise | None) -> Tensor:
    if noise is None:
        raise InputError("noise", "eta above 0 adds fresh noise; wire RandomNoise, or take eta 0")
    return start_noise(ctx, latent, noise)


def _levels(sigmas: Sigmas, step: int) -> tuple[float, float]:
    if step >= sigmas.steps:
        raise InputError("step", f"there is no step {step} in {sigmas.steps} steps, counted from 0")
    sigma, sigma_next = sigmas.levels[step : step + 2].tolist()
    return sigma, sigma_next
