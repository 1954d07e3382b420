"""The sampler."""

from __future__ import annotations

import dataclasses
from contextlib import ExitStack
from typing import Annotated, Any

import torch
from pydantic import Field
from torch import Tensor

from nodegraph import NodeContext, node
from nodegraph.errors import InputError
from nodegraph.specs import Spec, require_same
from nodes.sampling.binding import Binder
from nodes.sampling.guidance import guided
from nodes.sampling.noise import item_noise
from nodes.sampling.preview import latent_colours
from nodes.sampling.run import denoise_latents
from nodes.sampling.samplers import SAMPLERS, SamplerName
from nodes.sampling.schedules import SchedulerName, sigmas_for, total_steps
from nodes.types import Conditioning, Image, Latent, Model, Seed


def infer_sampled(model: Spec, positive: Spec, negative: Spec, latent_image: Spec) -> dict[str, Any]:
    """The latents that go in, with the family of the model; everything must be made for that model."""
    require_same("family", model=model, positive=positive, negative=negative, latent_image=latent_image)
    require_same("text_width", model=model, positive=positive, negative=negative)
    require_same(
        "latent_channels", model=model, latent_image=latent_image, positive=positive, negative=negative
    )
    return {**model.known("family", "latent_channels"), **latent_image.facts}


@node(category="sampling", device=True, infer=infer_sampled)
def KSampler(
    ctx: NodeContext,
    model: Model,
    positive: Conditioning,
    negative: Conditioning,
    latent_image: Latent,
    seed: Seed = 0,
    steps: Annotated[int, Field(ge=1, le=10000)] = 20,
    cfg: Annotated[float, Field(ge=0.0, le=100.0)] = 8.0,
    sampler_name: SamplerName = "euler",
    scheduler: SchedulerName = "normal",
    denoise: Annotated[float, Field(ge=0.0, le=1.0)] = 1.0,
) -> Latent:
    """Denoise latents: from pure noise, or from latents that are given some noise again.

    Args:
        model: the denoising model.
        positive: what the picture shall show.
        negative: what it shall not.
        latent_image: empty latents for a new picture, or those of a picture to change.
        seed: item i of the batch takes its noise from seed + i.
        steps: number of denoising steps.
        cfg: guidance scale; 1 leaves the negative side out.
        sampler_name: the solver.
        scheduler: how noise levels are spaced.
        denoise: share of the schedule that is run; the rest of the picture stays.
    """
    _check_channels(model, latent_image)
    if denoise == 0.0:
        return latent_image
    sampler, sigmas = SAMPLERS[sampler_name], _sigmas(model, scheduler, steps, denoise)
    ctx.progress(0, steps)
    with ExitStack() as leases, torch.no_grad():
        binder = Binder(ctx, leases, model, latent_image)
        denoiser = guided(
            binder.denoiser(nearest_timestep=sampler.variance_preserving),
            binder.conditions("positive", positive),
            binder.conditions("negative", negative),
            cfg,
        )
        samples = denoise_latents(
            denoiser,
            sampler,
            model.schedule,
            sigmas,
            latent_image.samples.to(ctx.device),
            _noise(ctx, latent_image, seed).to(ctx.device),
            None if latent_image.noise_mask is None else latent_image.noise_mask.to(ctx.device),
            from_noise=denoise == 1.0,
            on_step=lambda step, denoised: _tell(ctx, model, step, steps, denoised),
        )
    return dataclasses.replace(latent_image, samples=samples.cpu())


def _tell(ctx: NodeContext, model: Model, step: int, steps: int, denoised: Tensor) -> None:
    """Report a step, and show the first picture of the batch as far as it has come."""
    ctx.progress(step, steps)
    ctx.preview(Image(latent_colours(denoised[0], model.family, model.text_width)[None]))


def _check_channels(model: Model, latent_image: Latent) -> None:
    channels = latent_image.samples.shape[1]
    if channels != model.latent_channels:
        raise InputError("latent_image", f"{channels} latent channels; the model has {model.latent_channels}")


def _sigmas(model: Model, scheduler: SchedulerName, steps: int, denoise: float) -> Tensor:
    try:
        return sigmas_for(model.schedule, scheduler, steps, denoise)
    except ValueError as error:
        total = total_steps(steps, denoise)
        advice = f"{steps} steps at denoise {denoise} make {total}; take fewer, or the karras scheduler"
        raise InputError("steps", f"{error}: {advice}") from error


def _noise(ctx: NodeContext, latent: Latent, seed: int) -> Tensor:
    offsets = range(len(latent.samples)) if latent.seed_offsets is None else latent.seed_offsets
    return item_noise(latent.samples.shape, (ctx.generator(seed + offset) for offset in offsets))
