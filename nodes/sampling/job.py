"""A sampling run on the device, from what is on the wires to latents."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

from nodegraph import NodeContext
from nodegraph.errors import InputError
from nodes.sampling.binding import Binder
from nodes.sampling.custom.types import Guider, Noise
from nodes.sampling.denoiser import Denoiser
from nodes.sampling.flow_schedule import FlowSchedule
from nodes.sampling.guidance import Correction, Formula, Unguided, classifier_free, guided
from nodes.sampling.masking import MaskAt
from nodes.sampling.noise import BrownianNoise, NoiseSource, item_noise, sequential_noise
from nodes.sampling.noise_schedule import training_sigmas
from nodes.sampling.patching.perturbed_attention import PerturbedAttention
from nodes.sampling.previewing import Colours, colours_of
from nodes.sampling.run import denoise_latents
from nodes.sampling.samplers import Sampler
from nodes.sampling.schedules import ROUNDING
from nodes.types import Image, Latent, Model


class Sampled(NamedTuple):
    """What a run gives.

    Attributes:
        output: the latents at the last noise level.
        denoised_output: the last estimate of them without noise.
    """

    output: Latent
    denoised_output: Latent


def run_sampler(
    ctx: NodeContext,
    guider: Guider,
    names: Sequence[str],
    latent: Latent,
    noise: Noise,
    sampler: Sampler,
    sigmas: Tensor,
    *,
    from_noise: bool | None = None,
) -> Sampled:
    """Sample.

    Args:
        ctx: the running node's context.
        guider: the model and what it is told.
        names: the input each of its sides came in at, for complaints.
        latent: latents to start from.
        noise: what they are noised with.
        sampler: the solver and its conventions.
        sigmas: noise levels ``[steps + 1]``, above 0 but for the last.
        from_noise: whether the run starts as if from pure noise; ``None``: if ``sigmas`` start at the
            highest trained level.

    Raises:
        InputError: model, conditionings and latents do not go together.
    """
    model = guider.model
    check_channels(model, latent)
    _check_levels(model, sampler, sigmas)
    if from_noise is None:
        from_noise = _starts_at_top(model, sigmas)
    nearest = sampler.variance_preserving
    with ExitStack() as leases, torch.no_grad():
        last = _Last(ctx, len(sigmas) - 1, latent.samples, colours_of(ctx, leases, model))
        denoiser = bound_denoiser(ctx, leases, guider, names, latent, nearest_timestep=nearest)
        run = _denoising(ctx, model, latent, noise, sampler, sigmas)
        samples = run(denoiser, from_noise=from_noise, on_step=last.step)
    return Sampled(*(dataclasses.replace(latent, samples=found.cpu()) for found in (samples, last.denoised)))


def _denoising(
    ctx: NodeContext, model: Model, latent: Latent, noise: Noise, sampler: Sampler, sigmas: Tensor
) -> Callable[..., Tensor]:
    """``denoise_latents`` with all that a run knows but its denoiser; tensors are on the device."""
    clean, levels = latent.samples.to(ctx.device), sampler.levels(sigmas, model.schedule)
    return partial(
        denoise_latents,
        sampler=sampler,
        schedule=model.schedule,
        sigmas=sigmas,
        clean=clean,
        noise=start_noise(ctx, latent, noise).to(ctx.device),
        step_noise=_step_noise(ctx, sampler, latent, noise, levels, clean),
        mask_at=_mask_at(ctx, model, latent, float(sigmas[0])),
    )


def bound_denoiser(
    ctx: NodeContext,
    leases: ExitStack,
    guider: Guider,
    names: Sequence[str],
    latent: Latent,
    *,
    nearest_timestep: bool,
) -> Denoiser:
    """The guided denoiser on the device, for as long as ``leases`` last."""
    model = guider.model
    binder = Binder(ctx, leases, model, latent)
    last = len(guider.sides) - 1  # of two sides or more, guidance goes away from the last
    sides = [
        binder.conditions(name, side, negative=0 < last == index)
        for index, (name, side) in enumerate(zip(names, guider.sides, strict=True))
    ]
    formula: Formula = classifier_free
    for patch in model.patches:
        formula = patch.guidance(formula)
    corrections = []
    for patch in model.patches:
        if isinstance(patch, PerturbedAttention):
            perturbed = binder.perturbed_denoiser(nearest_timestep=nearest_timestep)
            asked = [dataclasses.replace(condition) for condition in sides[0]]  # apart, for what is cached
            worse = guided(perturbed, [asked], Unguided())
            corrections.append(Correction(worse, patch.scale))
    denoiser = binder.denoiser(nearest_timestep=nearest_timestep)
    return guided(denoiser, sides, guider.guidance, formula, corrections)


class _Last:
    """The last estimate, and what is told of each step."""

    def __init__(self, ctx: NodeContext, steps: int, samples: Tensor, colours: Colours) -> None:
        self._ctx, self._steps, self._colours = ctx, steps, colours
        self.denoised = samples
        ctx.progress(0, steps)

    def step(self, step: int, denoised: Tensor) -> None:
        """Report a step, and show the first picture of the batch as far as it has come."""
        self.denoised = denoised
        self._ctx.progress(min(step, self._steps), self._steps)
        self._ctx.preview(Image(self._colours(denoised[0])[None]))


def check_channels(model: Model, latent: Latent) -> None:
    """Raise ``InputError`` unless the latents have the model's channels."""
    channels = latent.samples.shape[1]
    if channels != model.latent_channels:
        raise InputError("latent_image", f"{channels} latent channels; the model has {model.latent_channels}")


def _check_levels(model: Model, sampler: Sampler, sigmas: Tensor) -> None:
    """Raise ``InputError`` unless the sampler can follow the noise levels on the model."""
    steps, highest = sigmas.diff(), float(sigmas.max())
    rises = bool((steps > 0).all())
    if not (rises or bool((steps < 0).all())) or float(sigmas[:-1].min()) <= 0:
        raise InputError("sigmas", f"{_listed(sigmas)}: they must fall, to 0 at most, or rise from above it")
    if rises and sampler.falls_only:
        raise InputError("sigmas", f"{_listed(sigmas)} rise, and this sampler only falls; take euler or heun")
    if isinstance(model.schedule, FlowSchedule) and highest > 1:
        raise InputError(
            "sigmas", f"{highest:g} is too high: family {model.family} is a flow model, whose noise ends at 1"
        )


def _listed(sigmas: Tensor) -> str:
    some = [f"{level:g}" for level in sigmas[:4].tolist()]
    return ", ".join(some if len(sigmas) <= 4 else [*some, "…"])


def start_noise(ctx: NodeContext, latent: Latent, noise: Noise) -> Tensor:
    """Standard normal noise for each item, or zeros where there is to be none; on the CPU."""
    if not noise.at_start:
        return torch.zeros_like(latent.samples)
    return item_noise(latent.samples.shape, [ctx.generator(seed) for seed in _item_seeds(latent, noise.seed)])


def _item_seeds(latent: Latent, seed: int) -> list[int]:
    offsets = range(len(latent.samples)) if latent.seed_offsets is None else latent.seed_offsets
    return [(seed + offset) % 2**64 for offset in offsets]


def _step_noise(
    ctx: NodeContext, sampler: Sampler, latent: Latent, noise: Noise, levels: Tensor, like: Tensor
) -> NoiseSource:
    """What a stochastic sampler adds: of seed + 1, because seed + 0 gave the start, or a Brownian path."""
    seeds = _item_seeds(latent, noise.seed)
    if sampler.noise == "brownian":
        above = levels[levels > 0]
        return BrownianNoise(like, float(above.min()), float(above.max()), seeds)
    return sequential_noise(like, [ctx.generator(seed + 1) for seed in seeds])


def _mask_at(ctx: NodeContext, model: Model, latent: Latent, first: float) -> MaskAt | None:
    if latent.noise_mask is None:
        return None
    whole = latent.noise_mask.to(ctx.device)

    def mask_at(sigma: float) -> Tensor:
        mask = whole
        for patch in model.patches:
            mask = patch.mask(mask, sigma, first, model.schedule)
        return mask

    return mask_at


def _starts_at_top(model: Model, sigmas: Tensor) -> bool:
    return float(sigmas[0]) >= float(training_sigmas(model.schedule)[-1]) * (1 - ROUNDING)
