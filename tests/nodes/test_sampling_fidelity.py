"""Samplers on the bundled model give the latents of diffusers' schedulers of the same method and noise."""

from __future__ import annotations

import dataclasses
from contextlib import ExitStack

import pytest
import torch
from diffusion_support import PROMPT, SIDE, checkpoint, context, encoded, pipeline
from test_fidelity import checkpoint_scheduler_config

from nodes.latents.nodes import EmptyLatentImage
from nodes.sampling.custom.types import Guider
from nodes.sampling.guidance import ClassifierFree
from nodes.sampling.job import bound_denoiser
from nodes.sampling.noise import BrownianNoise
from nodes.sampling.run import denoise_latents
from nodes.sampling.samplers import SAMPLERS
from nodes.sampling.schedules import sigmas_for, trained_range
from nodes.sampling.timestep_schedules import normal

SEED, STEPS, CFG = 3, 6, 2.5
TOLERANCE = 1e-4  # latents of standard deviation 1; what is measured is about 1e-5 and below

MULTISTEP = {"final_sigmas_type": "zero"}
SCHEDULERS = {
    "euler": ("EulerDiscreteScheduler", {}),
    "euler_ancestral": ("EulerAncestralDiscreteScheduler", {}),
    "heun": ("HeunDiscreteScheduler", {}),
    "dpm_2": ("KDPM2DiscreteScheduler", {}),
    "dpm_2_ancestral": ("KDPM2AncestralDiscreteScheduler", {}),
    "lms": ("LMSDiscreteScheduler", {}),
    "dpmpp_2m": ("DPMSolverMultistepScheduler", MULTISTEP),
    "dpmpp_2m_sde": ("DPMSolverMultistepScheduler", {"algorithm_type": "sde-dpmsolver++", **MULTISTEP}),
    "ddpm": ("DDPMScheduler", {}),
    "uni_pc_bh2": ("UniPCMultistepScheduler", {"solver_order": 3, "solver_type": "bh2"}),
}
"""Schedulers of the same method, with the settings that make it the same."""

pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:__array_wrap__ must accept:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore:Should have t:UserWarning"),  # of torchsde, asked by diffusers
]


def reference(scheduler, **settings):
    """Latents of diffusers' pipeline; its stochastic schedulers go on with the generator of the start."""
    import diffusers

    chosen = getattr(diffusers, scheduler).from_config(checkpoint_scheduler_config(), **settings)
    parts = {**pipeline().components, "scheduler": chosen}
    pipe = diffusers.StableDiffusionPipeline(**parts, requires_safety_checker=False)
    pipe.set_progress_bar_config(disable=True)
    return pipe(
        PROMPT,
        generator=torch.Generator().manual_seed(SEED),
        num_inference_steps=STEPS,
        guidance_scale=CFG,
        height=SIDE,
        width=SIDE,
        output_type="latent",
    ).images


def ours(name, sigmas, model=None, noise=None):
    """Latents of a sampler whose noise goes on with the generator of the start, as diffusers has it."""
    guider = Guider(model or checkpoint().model, (encoded(), encoded("")), ClassifierFree(CFG))
    latent, sampler = EmptyLatentImage(SIDE, SIDE), SAMPLERS[name]
    generator = torch.Generator().manual_seed(SEED)
    start = torch.randn(latent.samples.shape, generator=generator)
    with ExitStack() as leases, torch.no_grad():
        denoiser = bound_denoiser(
            context(), leases, guider, ["", ""], latent, nearest_timestep=sampler.variance_preserving
        )
        return denoise_latents(
            denoiser,
            sampler,
            guider.model.schedule,
            sigmas,
            latent.samples,
            start,
            noise or (lambda sigma, sigma_next: torch.randn(start.shape, generator=generator)),
        )


def whole_run():
    return normal(checkpoint().model.schedule, STEPS)


def difference(one, other):
    return float((one - other).abs().max())


@pytest.mark.parametrize("name", SCHEDULERS)
def test_equals_diffusers(name):
    scheduler, settings = SCHEDULERS[name]
    assert difference(ours(name, whole_run()), reference(scheduler, **settings)) < TOLERANCE


def test_uni_pc_equals_diffusers_down_to_the_lowest_trained_level():
    """At σ = 0 diffusers' bh1 divides infinity by infinity."""
    settings = {"final_sigmas_type": "sigma_min", "lower_order_final": False}
    theirs = reference("UniPCMultistepScheduler", solver_order=3, solver_type="bh1", **settings)
    lowest, _ = trained_range(checkpoint().model.schedule)
    sigmas = whole_run()
    sigmas[-1] = lowest
    found = ours("uni_pc", sigmas) / (lowest**2 + 1) ** 0.5
    assert difference(found, theirs) < 5e-4  # which solves for its weights in single precision


def test_dpmpp_sde_equals_diffusers_on_the_same_brownian_path():
    sigmas = whole_run()
    like = torch.zeros(1, 4, SIDE // 8, SIDE // 8)
    noise = BrownianNoise(like, float(sigmas[-2]), float(sigmas[0]), [SEED])
    theirs = reference("DPMSolverSDEScheduler", noise_sampler_seed=SEED)
    found = ours("dpmpp_sde", sigmas, noise=noise)
    assert difference(found, theirs) < 2e-3  # the path is rough: times that differ in the last bit count


def test_lcm_equals_diffusers():
    model = checkpoint().model
    distilled = dataclasses.replace(model.schedule, distilled_timesteps=50)
    sigmas = sigmas_for(distilled, "simple", STEPS)
    found = ours("lcm", sigmas, dataclasses.replace(model, schedule=distilled))
    assert difference(found, reference("LCMScheduler")) < TOLERANCE


@pytest.mark.parametrize(
    ("scheduler", "setting"), [("exponential", "use_exponential_sigmas"), ("karras", "use_karras_sigmas")]
)
def test_schedules_equal_diffusers(scheduler, setting):
    sigmas = sigmas_for(checkpoint().model.schedule, scheduler, STEPS)
    theirs = reference("EulerDiscreteScheduler", timestep_spacing="linspace", **{setting: True})
    assert difference(ours("euler", sigmas), theirs) < TOLERANCE
