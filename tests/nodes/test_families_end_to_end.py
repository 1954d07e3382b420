"""A checkpoint of each family, sampled through the nodes, gives what diffusers' own pipeline gives.

Same tiny weights, prompt and noise; what is compared are the latents at the end of the run.
"""

from __future__ import annotations

import math
from functools import cache

import pytest
import torch
from diffusion_support import TestContext, folders
from family_files import single_file, t5_tokenizer_file, tiny, write_file

from nodes.checkpoints.nodes import CheckpointLoaderSimple
from nodes.conditioning.nodes import CLIPTextEncode
from nodes.sampling.nodes import KSampler
from nodes.sampling.schedules import sigmas_for
from nodes.text_encoders.tokenizers import clip_tokenizer, t5_tokenizer
from nodes.types import Latent

PROMPT, NEGATIVE = "a red fox in the snow", "blurred"
STEPS, CFG, SEED, SIDE = 4, 5.0, 7, 128
TOLERANCE = 1e-4  # of latents whose spread is 1 or less; of wider ones, that much of their spread

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of diffusers


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    t5_tokenizer_file(folder / "tokenizers" / "t5xxl")
    return folder


def noise(channels):
    shape = (1, channels, SIDE // 8, SIDE // 8)
    return torch.randn(shape, generator=torch.Generator().manual_seed(SEED))


def sampled(root, kind, scheduler, cfg=CFG):
    """The model, and the latents that KSampler makes."""
    write_file(root / "checkpoints" / f"{kind}.safetensors", single_file(kind))
    ctx = TestContext(folders(root, root))
    model, clip, _ = CheckpointLoaderSimple(ctx, f"{kind}.safetensors")
    positive, negative = (CLIPTextEncode(ctx, clip, text) for text in (PROMPT, NEGATIVE))
    latent = Latent(torch.zeros(1, model.latent_channels, SIDE // 8, SIDE // 8))
    made = KSampler(ctx, model, positive, negative, latent, SEED, STEPS, cfg, "euler", scheduler)
    return model, made.samples


@cache
def tokenizer(pad="<|endoftext|>"):
    made = clip_tokenizer()
    made.pad_token = pad
    return made


def latents_of(pipeline, **inputs):
    pipeline.set_progress_bar_config(disable=True)
    return pipeline(
        prompt=PROMPT, num_inference_steps=STEPS, height=SIDE, width=SIDE, output_type="latent", **inputs
    ).images


def euler():
    from diffusers import EulerDiscreteScheduler

    return EulerDiscreteScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        timestep_spacing="linspace",
        steps_offset=1,
    )


def flow_euler():
    """diffusers' scheduler, which is given our noise levels; it shifts them no more."""
    from diffusers import FlowMatchEulerDiscreteScheduler

    return FlowMatchEulerDiscreteScheduler(shift=1.0)


def levels(model):
    return [float(sigma) for sigma in sigmas_for(model.schedule, "simple", STEPS, 1.0)[:-1]]


def close(ours, theirs):
    difference = float((ours - theirs).abs().max() / max(1.0, float(theirs.std())))
    assert difference <= TOLERANCE, difference
    assert float(theirs.std()) > 0.05


@pytest.mark.parametrize("kind", ["sd1", "sd2"])
def test_stable_diffusion(root, kind):
    from diffusers import StableDiffusionPipeline

    (name,) = tiny(kind).encoders
    encoder = tiny(kind).encoders[name]
    pipeline = StableDiffusionPipeline(
        vae=tiny(kind).vae,
        text_encoder=encoder if kind == "sd1" else first_layers(encoder),
        tokenizer=tokenizer() if kind == "sd1" else tokenizer("!"),
        unet=tiny(kind).network,
        scheduler=euler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    _, ours = sampled(root, kind, "normal")
    close(ours, latents_of(pipeline, negative_prompt=NEGATIVE, guidance_scale=CFG, latents=noise(4)))


def first_layers(encoder):
    """Stable Diffusion 2's text encoder as diffusers has it: without its last layer, which goes unused."""
    from copy import deepcopy

    text = deepcopy(encoder.text_model)
    del text.encoder.layers[-1]
    return text


def test_stable_diffusion_xl(root):
    from diffusers import StableDiffusionXLPipeline

    model = tiny("sdxl")
    pipeline = StableDiffusionXLPipeline(
        vae=model.vae,
        text_encoder=model.encoders["l"],
        text_encoder_2=model.encoders["g"],
        tokenizer=tokenizer(),
        tokenizer_2=tokenizer("!"),
        unet=model.network,
        scheduler=euler(),
        add_watermarker=False,
    )
    _, ours = sampled(root, "sdxl", "normal")
    close(ours, latents_of(pipeline, negative_prompt=NEGATIVE, guidance_scale=CFG, latents=noise(4)))


@pytest.mark.parametrize("kind", ["sd3", "sd35"])
def test_stable_diffusion_3(root, kind):
    from diffusers import StableDiffusion3Pipeline

    model = tiny(kind)
    pipeline = StableDiffusion3Pipeline(
        transformer=model.network,
        scheduler=flow_euler(),
        vae=model.vae,
        text_encoder=model.encoders["l"],
        tokenizer=tokenizer(),
        text_encoder_2=model.encoders["g"],
        tokenizer_2=tokenizer("!"),
        text_encoder_3=model.encoders["t5xxl"],
        tokenizer_3=t5_tokenizer(root / "tokenizers" / "t5xxl"),
    )
    made, ours = sampled(root, kind, "simple")
    theirs = latents_of(
        pipeline,
        negative_prompt=NEGATIVE,
        guidance_scale=CFG,
        latents=noise(16),
        sigmas=levels(made),
        max_sequence_length=77,
    )
    close(ours, theirs)


@pytest.mark.parametrize("kind", ["flux", "schnell"])
def test_flux(root, kind):
    from diffusers import FluxPipeline

    model = tiny(kind)
    pipeline = FluxPipeline(
        scheduler=flow_euler(),
        vae=model.vae,
        text_encoder=model.encoders["l"],
        tokenizer=tokenizer(),
        text_encoder_2=model.encoders["t5xxl"],
        tokenizer_2=t5_tokenizer(root / "tokenizers" / "t5xxl"),
        transformer=model.network,
    )
    made, ours = sampled(root, kind, "simple", cfg=1.0)
    given = pipeline._pack_latents(noise(16), 1, 16, SIDE // 8, SIDE // 8)
    theirs = latents_of(
        pipeline, guidance_scale=3.5, latents=given, sigmas=levels(made), max_sequence_length=77
    )
    close(ours, pipeline._unpack_latents(theirs, SIDE, SIDE, 8))


def test_the_shift_of_a_schedule_reaches_the_sampler(root):
    model, _ = sampled(root, "schnell", "simple", cfg=1.0)
    assert levels(model) == pytest.approx([1.0, 0.75, 0.5, 0.25])
    shifted, _ = sampled(root, "sd3", "simple")
    assert levels(shifted)[1] == pytest.approx(3 * 0.75 / (1 + 2 * 0.75))
    assert math.isclose(levels(shifted)[0], 1.0)
