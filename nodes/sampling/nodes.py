"""The samplers as one node."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field
from torch import Tensor

from nodegraph import NodeContext, node
from nodegraph.errors import InputError
from nodegraph.specs import Advised, Spec, require_same
from nodes.sampling.custom.types import Guider, Noise
from nodes.sampling.facts import doubts_about, latents_of, require_latents
from nodes.sampling.guidance import ClassifierFree
from nodes.sampling.job import run_sampler
from nodes.sampling.samplers import SAMPLERS, SamplerName
from nodes.sampling.schedules import SchedulerName, sigmas_for, total_steps
from nodes.types import Conditioning, Latent, Model, Seed

Steps = Annotated[int, Field(ge=1, le=10000)]
Scale = Annotated[float, Field(ge=0.0, le=100.0)]
Choice = Literal["enable", "disable"]
MAX_TOTAL_STEPS = 1_000_000
"""Of the whole run, of which ``denoise`` takes the last part; each has a noise level to compute."""
SIDES = ("positive", "negative")


def infer_sampled(model: Spec, positive: Spec, negative: Spec, latent_image: Spec) -> dict[str, Any]:
    """The latents that go in, with the family of the model; everything must be made for that model."""
    require_latents("model", model, latent_image)
    require_same("family", model=model, positive=positive, negative=negative)
    require_same("text_width", model=model, positive=positive, negative=negative)
    require_same("latent_channels", model=model, positive=positive, negative=negative)
    facts = {**latents_of(model).facts, **latent_image.facts}
    return {name: fact for name, fact in facts.items() if name != "empty"}


def infer_ksampler(model: Spec, positive: Spec, negative: Spec, latent_image: Spec, cfg: Spec) -> Advised:
    """The same, with doubts about a size and a guidance that the model was not made for."""
    facts = infer_sampled(model, positive, negative, latent_image)
    return Advised(facts, doubts_about(model, latent_image, cfg))


@node(category="sampling", display_name="KSampler", device=True, infer=infer_ksampler)
def KSampler(
    ctx: NodeContext,
    model: Model,
    positive: Conditioning,
    negative: Conditioning,
    latent_image: Latent,
    seed: Seed = 0,
    steps: Steps = 20,
    cfg: Scale = 8.0,
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
    if denoise == 0.0:
        return latent_image
    sigmas = scheduled(model, sampler_name, scheduler, steps, denoise)
    guider = Guider(model, (positive, negative), ClassifierFree(cfg))
    return _sampled(ctx, guider, latent_image, Noise(seed), sampler_name, sigmas, from_noise=denoise == 1.0)


@node(category="sampling", display_name="KSampler (Advanced)", device=True, infer=infer_ksampler)
def KSamplerAdvanced(
    ctx: NodeContext,
    model: Model,
    positive: Conditioning,
    negative: Conditioning,
    latent_image: Latent,
    add_noise: Choice = "enable",
    noise_seed: Seed = 0,
    steps: Steps = 20,
    cfg: Scale = 8.0,
    sampler_name: SamplerName = "euler",
    scheduler: SchedulerName = "normal",
    start_at_step: Annotated[int, Field(ge=0, le=10000)] = 0,
    end_at_step: Annotated[int, Field(ge=0, le=10000)] = 10000,
    return_with_leftover_noise: Choice = "disable",
) -> Latent:
    """Run part of a schedule, so that several samplers, or models, can share one.

    Args:
        model: the denoising model.
        positive: what the picture shall show.
        negative: what it shall not.
        latent_image: empty latents, those of a picture, or those of the stage before.
        add_noise: disabled where the latents have their noise from the stage before.
        noise_seed: item i of the batch takes its noise from seed + i.
        steps: number of steps of the whole schedule.
        cfg: guidance scale; 1 leaves the negative side out.
        sampler_name: the solver.
        scheduler: how noise levels are spaced.
        start_at_step: the first step to run.
        end_at_step: the step to stop before.
        return_with_leftover_noise: keep the noise that is left after the last step; otherwise the last step
            removes all of it.
    """
    whole = scheduled(model, sampler_name, scheduler, steps)
    leave_noise = return_with_leftover_noise == "enable"
    sigmas = part_of_run(whole, start_at_step, end_at_step, leave_noise=leave_noise)
    noise = Noise(noise_seed) if add_noise == "enable" else Noise(noise_seed).silent()
    guider = Guider(model, (positive, negative), ClassifierFree(cfg))
    return _sampled(ctx, guider, latent_image, noise, sampler_name, sigmas, from_noise=start_at_step == 0)


def _sampled(
    ctx: NodeContext,
    guider: Guider,
    latent: Latent,
    noise: Noise,
    name: SamplerName,
    sigmas: Tensor,
    *,
    from_noise: bool,
) -> Latent:
    """The latents at the end of a run; as they were where it has no step."""
    if len(sigmas) < 2:
        return latent
    return run_sampler(
        ctx, guider, SIDES, latent, noise, SAMPLERS[name], sigmas, from_noise=from_noise
    ).output


def part_of_run(sigmas: Tensor, start: int, end: int, *, leave_noise: bool) -> Tensor:
    """The noise levels from step ``start`` to before step ``end``; the last is 0 unless noise is left."""
    part = sigmas[start : end + 1].clone()
    if len(part) and not leave_noise:
        part[-1] = 0.0
    return part


def scheduled(
    model: Model, sampler_name: SamplerName, scheduler: SchedulerName, steps: int, denoise: float = 1.0
) -> Tensor:
    """The noise levels of a run.

    Raises:
        InputError: the model has not as many timesteps as the run would have steps, or nobody has the memory.
    """
    if steps > denoise * MAX_TOTAL_STEPS:
        least = steps / MAX_TOTAL_STEPS
        raise InputError(
            "denoise", f"{denoise:g} is too little for {steps} steps; take {least:g} or more, or 0"
        )
    skip = SAMPLERS[sampler_name].skips_last_but_one
    try:
        return sigmas_for(model.schedule, scheduler, steps, denoise, skip_last_but_one=skip)
    except ValueError as error:
        total = total_steps(steps, denoise)
        advice = f"{steps} steps at denoise {denoise} make {total}; take fewer, or the karras scheduler"
        raise InputError("steps", f"{error}: {advice}") from error
