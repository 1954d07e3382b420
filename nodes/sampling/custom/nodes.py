"""The parts of a sampling run, and the samplers that put them together."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field

from nodegraph import NodeContext, node
from nodegraph.errors import InputError
from nodegraph.specs import Spec, require_same
from nodes.sampling.custom.types import Guider, Noise, SamplerChoice, Sigmas
from nodes.sampling.facts import latents_of, require_latents
from nodes.sampling.guidance import ClassifierFree, DualClassifierFree, Guidance, Unguided
from nodes.sampling.job import Sampled, run_sampler
from nodes.sampling.nodes import SIDES, Scale, Steps, infer_sampled, scheduled
from nodes.sampling.samplers import SamplerName
from nodes.sampling.schedules import SchedulerName
from nodes.sampling.sigma_schedules import exponential, karras
from nodes.sampling.timestep_schedules import beta as beta_quantiles
from nodes.sampling.timestep_schedules import sd_turbo
from nodes.types import Conditioning, Latent, Model, Seed

Level = Annotated[float, Field(gt=0.0, le=5000.0)]
FACTS = ("family", "latent_channels", "text_width")


# --- noise and solver -----------------------------------------------------------------------------------


@node(category="sampling/custom_sampling/noise")
def RandomNoise(noise_seed: Seed = 0) -> Noise:
    """Standard normal noise.

    Args:
        noise_seed: item i of the batch takes its noise from seed + i.
    """
    return Noise(noise_seed)


@node(category="sampling/custom_sampling/noise")
def DisableNoise() -> Noise:
    """No noise at the start, for latents that have theirs already; stochastic samplers use seed 0."""
    return Noise(0, at_start=False)


@node(category="sampling/custom_sampling/samplers", display_name="KSampler Select")
def KSamplerSelect(sampler_name: SamplerName = "euler") -> SamplerChoice:
    """A solver by name.

    Args:
        sampler_name: the solver.
    """
    return SamplerChoice(sampler_name)


@node(category="sampling/custom_sampling/samplers", display_name="RePaint Sampler")
def RePaintSampler(
    sampler: SamplerChoice,
    resamplings: Annotated[int, Field(ge=1, le=100)] = 5,
    jump_length: Annotated[int, Field(ge=1, le=1000)] = 1,
) -> SamplerChoice:
    """Run every stretch of the noise levels several times, so that an inpainted region fits its surroundings.

    RePaint (Lugmayr et al. 2022, Algorithm 1), for latents with a noise mask. It takes ``resamplings`` times
    as long.

    Args:
        sampler: the solver that runs a stretch.
        resamplings: how often each stretch is run.
        jump_length: steps of a stretch.
    """
    return SamplerChoice(sampler.name, resamplings, jump_length)


# --- noise levels ---------------------------------------------------------------------------------------


@node(category="sampling/custom_sampling/schedulers")
def BasicScheduler(
    model: Model,
    scheduler: SchedulerName = "normal",
    steps: Steps = 20,
    denoise: Annotated[float, Field(ge=0.0, le=1.0)] = 1.0,
) -> Sigmas:
    """The noise levels of a schedule on a model.

    Args:
        model: the model whose levels they are.
        scheduler: how they are spaced.
        steps: number of steps.
        denoise: below 1 the run starts that much further down; 0 gives no levels.
    """
    if denoise == 0.0:
        return Sigmas(scheduled(model, "euler", scheduler, 1)[:0])
    return Sigmas(scheduled(model, "euler", scheduler, steps, denoise))


@node(category="sampling/custom_sampling/schedulers")
def KarrasScheduler(
    steps: Steps = 20,
    sigma_max: Level = 14.614642,
    sigma_min: Level = 0.0291675,
    rho: Annotated[float, Field(gt=0.0, le=100.0)] = 7.0,
) -> Sigmas:
    """Noise levels evenly spaced in σ^(1/ρ) (Karras et al. 2022, Eq. 5).

    Args:
        steps: number of steps.
        sigma_max: the first level.
        sigma_min: the last level above 0.
        rho: the higher, the more steps at low noise.
    """
    _check_range(sigma_min, sigma_max)
    try:
        return Sigmas(karras(steps, sigma_min, sigma_max, rho))
    except OverflowError as error:
        raise InputError(
            "rho", f"{rho:g} is too little: sigma_max^(1/rho) is beyond all floats; take 0.02 or more"
        ) from error


@node(category="sampling/custom_sampling/schedulers")
def ExponentialScheduler(
    steps: Steps = 20, sigma_max: Level = 14.614642, sigma_min: Level = 0.0291675
) -> Sigmas:
    """Noise levels evenly spaced in log σ.

    Args:
        steps: number of steps.
        sigma_max: the first level.
        sigma_min: the last level above 0.
    """
    _check_range(sigma_min, sigma_max)
    return Sigmas(exponential(steps, sigma_min, sigma_max))


@node(category="sampling/custom_sampling/schedulers")
def SDTurboScheduler(
    model: Model,
    steps: Annotated[int, Field(ge=1, le=10)] = 1,
    denoise: Annotated[float, Field(ge=0.0, le=1.0)] = 1.0,
) -> Sigmas:
    """The noise levels that turbo models were distilled at.

    Args:
        model: the model whose levels they are.
        steps: number of steps.
        denoise: below 1 the run starts that much further down.
    """
    return Sigmas(sd_turbo(model.schedule, steps, denoise))


@node(category="sampling/custom_sampling/schedulers")
def BetaSamplingScheduler(
    model: Model,
    steps: Steps = 20,
    alpha: Annotated[float, Field(gt=0.0, le=50.0)] = 0.6,
    beta: Annotated[float, Field(gt=0.0, le=50.0)] = 0.6,
) -> Sigmas:
    """Noise levels at even quantiles of a beta distribution over timesteps (Lee et al. 2024).

    Args:
        model: the model whose levels they are.
        steps: number of steps; levels that coincide count once.
        alpha: below 1, more levels at low noise.
        beta: below 1, more levels at high noise.
    """
    try:
        return Sigmas(beta_quantiles(model.schedule, steps, alpha, beta))
    except ValueError as error:
        raise InputError("steps", f"{error}; take fewer") from error


class SplitSigmasOutput(NamedTuple):
    """Two runs that follow one another."""

    high_sigmas: Sigmas
    low_sigmas: Sigmas


@node(category="sampling/custom_sampling/sigmas")
def SplitSigmas(sigmas: Sigmas, step: Annotated[int, Field(ge=0, le=10000)] = 0) -> SplitSigmasOutput:
    """Divide a run in two.

    Args:
        sigmas: the run.
        step: how many steps the first part has.
    """
    return SplitSigmasOutput(Sigmas(sigmas.levels[: step + 1].clone()), Sigmas(sigmas.levels[step:].clone()))


@node(category="sampling/custom_sampling/sigmas")
def SplitSigmasDenoise(
    sigmas: Sigmas, denoise: Annotated[float, Field(ge=0.0, le=1.0)] = 1.0
) -> SplitSigmasOutput:
    """Divide a run so that the second part is a share of it.

    Args:
        sigmas: the run.
        denoise: share of the second part.
    """
    step = sigmas.steps - round(sigmas.steps * denoise)
    return SplitSigmasOutput(Sigmas(sigmas.levels[: step + 1].clone()), Sigmas(sigmas.levels[step:].clone()))


@node(category="sampling/custom_sampling/sigmas")
def FlipSigmas(sigmas: Sigmas) -> Sigmas:
    """A run the other way, from a picture to its noise.

    Args:
        sigmas: the run; a last level of 0, where no slope is known, becomes 0.0001.
    """
    flipped = sigmas.levels.flip(0)
    if len(flipped) and float(flipped[0]) == 0.0:
        flipped[0] = 0.0001
    return Sigmas(flipped)


def _check_range(low: float, high: float) -> None:
    if low >= high:
        raise InputError("sigma_min", f"{low} is not below sigma_max, {high}; the run goes down from it")


# --- guiders --------------------------------------------------------------------------------------------


def _infer_guider(model: Spec, **sides: Spec) -> dict[str, Any]:
    for fact in FACTS:
        require_same(fact, model=model, **sides)
    return model.known(*FACTS, "latent_family")


def infer_basic_guider(model: Spec, conditioning: Spec) -> dict[str, Any]:
    """Model and conditioning must go together."""
    return _infer_guider(model, conditioning=conditioning)


@node(category="sampling/custom_sampling/guiders", infer=infer_basic_guider)
def BasicGuider(model: Model, conditioning: Conditioning) -> Guider:
    """Follow one conditioning as it is, without guidance.

    Args:
        model: the denoising model.
        conditioning: what it is told.
    """
    return Guider(model, (conditioning,), Unguided())


def infer_cfg_guider(model: Spec, positive: Spec, negative: Spec) -> dict[str, Any]:
    """Model and conditionings must go together."""
    return _infer_guider(model, positive=positive, negative=negative)


@node(category="sampling/custom_sampling/guiders", infer=infer_cfg_guider)
def CFGGuider(model: Model, positive: Conditioning, negative: Conditioning, cfg: Scale = 8.0) -> Guider:
    """Classifier-free guidance.

    Args:
        model: the denoising model.
        positive: what the picture shall show.
        negative: what it shall not.
        cfg: guidance scale; 1 leaves the negative side out.
    """
    return Guider(model, (positive, negative), ClassifierFree(cfg))


def infer_dual_guider(model: Spec, cond1: Spec, cond2: Spec, negative: Spec) -> dict[str, Any]:
    """Model and conditionings must go together."""
    return _infer_guider(model, cond1=cond1, cond2=cond2, negative=negative)


@node(category="sampling/custom_sampling/guiders", infer=infer_dual_guider)
def DualCFGGuider(
    model: Model,
    cond1: Conditioning,
    cond2: Conditioning,
    negative: Conditioning,
    cfg_conds: Scale = 8.0,
    cfg_cond2_negative: Scale = 8.0,
    style: Literal["regular", "nested"] = "regular",
) -> Guider:
    """Guidance by two conditionings, as instruction editing has text and picture (Brooks et al. 2023, Eq. 3).

    Args:
        model: the denoising model.
        cond1: the first conditioning.
        cond2: the second.
        negative: what the picture shall not show.
        cfg_conds: how far the first is followed beyond the second.
        cfg_cond2_negative: how far the second is followed beyond the negative one.
        style: add the two, or guide between the negative one and what the first guidance gives.
    """
    guidance: Guidance = DualClassifierFree(cfg_conds, cfg_cond2_negative, style)
    return Guider(model, (cond1, cond2, negative), guidance)


# --- samplers -------------------------------------------------------------------------------------------


def infer_custom(model: Spec, positive: Spec, negative: Spec, latent_image: Spec) -> dict[str, Any]:
    """Both outputs are latents like those that go in."""
    facts = infer_sampled(model, positive, negative, latent_image)
    return {"output": facts, "denoised_output": facts}


@node(category="sampling/custom_sampling", device=True, infer=infer_custom)
def SamplerCustom(
    ctx: NodeContext,
    model: Model,
    positive: Conditioning,
    negative: Conditioning,
    sampler: SamplerChoice,
    sigmas: Sigmas,
    latent_image: Latent,
    add_noise: bool = True,
    noise_seed: Seed = 0,
    cfg: Scale = 8.0,
) -> Sampled:
    """Sample with a solver and noise levels of your own.

    Args:
        model: the denoising model.
        positive: what the picture shall show.
        negative: what it shall not.
        sampler: the solver.
        sigmas: the noise levels.
        latent_image: latents to start from.
        add_noise: off where the latents have their noise already.
        noise_seed: item i of the batch takes its noise from seed + i.
        cfg: guidance scale; 1 leaves the negative side out.
    """
    guider, noise = Guider(model, (positive, negative), ClassifierFree(cfg)), Noise(noise_seed, add_noise)
    if not sigmas.steps:
        return Sampled(latent_image, latent_image)
    return run_sampler(ctx, guider, SIDES, latent_image, noise, sampler.sampler, sigmas.levels)


def infer_advanced(guider: Spec, latent_image: Spec) -> dict[str, Any]:
    """Both outputs are latents like those that go in; they must be for the guider's model."""
    require_latents("guider", guider, latent_image)
    facts = {**latents_of(guider).facts, **latent_image.facts}
    return {"output": facts, "denoised_output": facts}


@node(category="sampling/custom_sampling", device=True, infer=infer_advanced)
def SamplerCustomAdvanced(
    ctx: NodeContext,
    noise: Noise,
    guider: Guider,
    sampler: SamplerChoice,
    sigmas: Sigmas,
    latent_image: Latent,
) -> Sampled:
    """Sample with parts of your own.

    Args:
        noise: what the latents are noised with.
        guider: the model and what it is told.
        sampler: the solver.
        sigmas: the noise levels.
        latent_image: latents to start from.
    """
    if not sigmas.steps:
        return Sampled(latent_image, latent_image)
    names = ["guider"] * len(guider.sides)
    return run_sampler(ctx, guider, names, latent_image, noise, sampler.sampler, sigmas.levels)
