"""Text-to-image through the nodes is what diffusers' own pipeline makes."""

from __future__ import annotations

import json

import pytest
import torch
from diffusion_support import (
    BUNDLED,
    PROMPT,
    SIDE,
    TestContext,
    checkpoint,
    copied_checkpoint,
    decoded,
    difference,
    encoded,
    folders,
    pipeline,
    sampled,
)

from nodes.checkpoints.nodes import CheckpointLoaderSimple
from nodes.conditioning.nodes import CLIPTextEncode
from nodes.latents.nodes import EmptyLatentImage
from nodes.sampling.nodes import KSampler
from nodes.sampling.noise_schedule import training_sigmas
from nodes.sampling.timestep_schedules import timesteps
from nodes.vae.nodes import VAEDecode

SCHEDULERS = {
    "ddim": "DDIMScheduler",
    "euler": "EulerDiscreteScheduler",
    "dpmpp_2m": "DPMSolverMultistepScheduler",
}
KARRAS = {"timestep_spacing": "linspace", "use_karras_sigmas": True}
TOLERANCE = 0.05  # in 8-bit steps; what is measured is below 0.005

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of diffusers


PICTURES = [
    {"prompt": PROMPT, "seed": 3, "steps": 20, "cfg": 2.5},
    {"prompt": "an owl on an orange background", "seed": 7, "steps": 8, "cfg": 7.5},
]


def reference(scheduler, *, prompt=PROMPT, seed=3, steps=20, cfg=2.5, config=None, **settings):
    import diffusers

    declared = config or checkpoint_scheduler_config()
    chosen = getattr(diffusers, scheduler).from_config(declared, **settings)
    parts = {**pipeline().components, "scheduler": chosen}
    pipe = diffusers.StableDiffusionPipeline(**parts, requires_safety_checker=False)
    pipe.set_progress_bar_config(disable=True)
    images = pipe(
        prompt,
        generator=torch.Generator().manual_seed(seed),
        num_inference_steps=steps,
        guidance_scale=cfg,
        height=SIDE,
        width=SIDE,
        output_type="pt",
    ).images
    return images.movedim(1, -1)


def picture(*, prompt, **inputs):
    return decoded(sampled(positive=encoded(prompt), **inputs)).pixels


def checkpoint_scheduler_config():
    return json.loads((BUNDLED / "scheduler" / "scheduler_config.json").read_text())


@pytest.mark.parametrize("sampler", SCHEDULERS)
@pytest.mark.parametrize("settings", PICTURES)
def test_equals_the_pipeline_on_the_normal_schedule(sampler, settings):
    ours = picture(**settings, sampler_name=sampler)
    theirs = reference(SCHEDULERS[sampler], **settings)
    assert difference(ours, theirs) <= TOLERANCE


@pytest.mark.parametrize("sampler", ["euler", "dpmpp_2m"])
@pytest.mark.parametrize("settings", PICTURES)
def test_equals_the_pipeline_on_the_karras_schedule(sampler, settings):
    ours = picture(**settings, sampler_name=sampler, scheduler="karras")
    theirs = reference(SCHEDULERS[sampler], **settings, **KARRAS)
    assert difference(ours, theirs) <= TOLERANCE


@pytest.mark.parametrize(
    ("sampler", "settings"),
    [
        ("ddim", {"timestep_spacing": "leading"}),
        ("ddim", {"set_alpha_to_one": True}),
        ("ddim", {"prediction_type": "epsilon"}),
        ("euler", {"timestep_spacing": "leading"}),
        ("euler", {"timestep_spacing": None}),
        ("euler", {"beta_schedule": "linear"}),
        ("euler", {"rescale_betas_zero_snr": True}),
        ("dpmpp_2m", {"beta_schedule": "squaredcos_cap_v2"}),
        ("dpmpp_2m", {"prediction_type": "sample"}),
    ],
)
def test_every_setting_of_the_config_counts(tmp_path, sampler, settings):
    copy = copied_checkpoint(tmp_path, scheduler=settings)
    ctx = TestContext(folders(tmp_path, tmp_path))
    model, clip, vae = CheckpointLoaderSimple(ctx, copy.name)
    positive, negative = (CLIPTextEncode(ctx, clip, text) for text in (PROMPT, ""))
    latent = EmptyLatentImage(SIDE, SIDE)
    samples = KSampler(ctx, model, positive, negative, latent, 3, 5, 2.5, sampler)
    ours = VAEDecode(ctx, samples, vae)

    config = {**checkpoint_scheduler_config(), **settings}
    config = {name: value for name, value in config.items() if value is not None}
    theirs = reference(SCHEDULERS[sampler], steps=5, config=config)
    assert difference(ours.pixels, theirs) <= 0.1
    assert difference(ours.pixels, decoded(sampled(steps=5, sampler_name=sampler)).pixels) > 1


def test_ddim_is_its_equation_where_the_steps_do_not_divide_the_timesteps():
    """diffusers' own DDIM then moves by whole ⌊T/steps⌋ timesteps and misses the next one it visits."""
    steps, model = 30, checkpoint().model
    unet = pipeline().unet
    alpha_bar = 1 / (training_sigmas(model.schedule) ** 2 + 1)
    visited = timesteps(model.schedule, steps).long().tolist()
    context_pair = torch.cat([encoded("").prompts[0].embeddings, encoded().prompts[0].embeddings])
    z = torch.randn(1, 4, 16, 16, generator=torch.Generator().manual_seed(3))
    for timestep, following in zip(visited, [*visited[1:], 0], strict=True):
        now, then = alpha_bar[timestep].float(), alpha_bar[following].float()
        with torch.no_grad():
            away, toward = unet(z.repeat(2, 1, 1, 1), timestep, context_pair).sample.chunk(2)
        v = away + 2.5 * (toward - away)
        clean = now.sqrt() * z - (1 - now).sqrt() * v
        epsilon = now.sqrt() * v + (1 - now).sqrt() * z
        z = then.sqrt() * clean + (1 - then).sqrt() * epsilon
    ours = sampled(steps=steps).samples
    torch.testing.assert_close(ours, z, atol=1e-3, rtol=0)


@pytest.mark.parametrize("sampler", SCHEDULERS)
def test_an_item_of_a_batch_is_the_picture_made_alone(sampler):
    settings = {"steps": 8, "sampler_name": sampler}
    together = decoded(sampled(latent_image=EmptyLatentImage(SIDE, SIDE, 2), **settings))
    for item in range(2):
        alone = decoded(sampled(seed=3 + item, **settings))
        assert difference(together.pixels[item : item + 1], alone.pixels) <= 0.1
