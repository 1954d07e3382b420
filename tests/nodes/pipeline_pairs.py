"""The same picture made twice: by our nodes from a checkpoint file, and by diffusers' pipeline.

Same tiny weights, prompt and noise; what is compared are the latents at the end of the run.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import diffusers_pipelines as theirs
import torch
from diffusers_pipelines import CFG, NEGATIVE, PROMPT, SEED, SIDE, STEPS, latents_of, noise
from diffusion_support import TestContext, folders
from family_files import fit_to_noise, made, single_file, t5_tokenizer_file, tiny, write_file
from torch import Tensor

from nodes.checkpoints.nodes import CheckpointLoaderSimple
from nodes.conditioning.nodes import CLIPTextEncode
from nodes.controlnet.nodes import ControlNetApplyAdvanced, ControlNetLoader
from nodes.editing.nodes import InpaintModelConditioning, InstructPixToPixConditioning
from nodes.sampling.custom.nodes import (
    BasicScheduler,
    DualCFGGuider,
    KSamplerSelect,
    RandomNoise,
    SamplerCustomAdvanced,
)
from nodes.sampling.nodes import KSampler
from nodes.sampling.patching.nodes import ModelSamplingDiscrete
from nodes.sampling.schedules import sigmas_for
from nodes.types import Conditioning, Image, Latent, Mask, Model, Vae
from nodes.vae.nodes import VAEEncode


class Pair(NamedTuple):
    """What both made."""

    ours: Tensor
    theirs: Tensor


class Loaded(NamedTuple):
    """A checkpoint with the prompt of these tests encoded."""

    ctx: TestContext
    model: Model
    positive: Conditioning
    negative: Conditioning
    vae: Vae


def prepared(root: Path) -> Path:
    """A folder of models, with the tokenizer that T5 needs."""
    t5_tokenizer_file(root / "tokenizers" / "t5xxl")
    return root


def loaded(root: Path, name: str) -> Loaded:
    """A checkpoint; written from the tiny model of that kind where there is none of its name."""
    if not (root / "checkpoints" / name).exists():
        write_file(root / "checkpoints" / f"{name}.safetensors", single_file(name))
        name = f"{name}.safetensors"
    ctx = TestContext(folders(root, root))
    model, clip, vae = CheckpointLoaderSimple(ctx, name)
    positive, negative = (CLIPTextEncode(ctx, clip, text) for text in (PROMPT, NEGATIVE))
    return Loaded(ctx, model, positive, negative, vae)


def sampled(parts: Loaded, latent: Latent | None = None, **changes: Any) -> Tensor:
    """KSampler's latents; every input has a default."""
    empty = Latent(torch.zeros(1, parts.model.latent_channels, SIDE // 8, SIDE // 8))
    inputs: dict[str, Any] = {
        "model": parts.model,
        "positive": parts.positive,
        "negative": parts.negative,
        "latent_image": latent or empty,
        "seed": SEED,
        "steps": STEPS,
        "cfg": CFG,
        "sampler_name": "euler",
        "scheduler": "normal",
    }
    return KSampler(parts.ctx, **{**inputs, **changes}).samples


@cache
def picture() -> Tensor:
    """``[1, height, width, 3]``."""
    return torch.rand(1, SIDE, SIDE, 3, generator=torch.Generator().manual_seed(4))


@cache
def hole() -> Tensor:
    """A mask, ``[1, height, width]``."""
    mask = torch.zeros(1, SIDE, SIDE)
    mask[:, 32:96, 48:112] = 1
    return mask


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(SEED)


def levels(model: Model) -> list[float]:
    """The noise levels that a flow model's pipeline is told."""
    return sigmas_for(model.schedule, "simple", STEPS, 1.0)[:-1].tolist()


def text_to_image(kind: str, root: Path) -> Pair:
    inputs = {"negative_prompt": NEGATIVE, "guidance_scale": CFG, "latents": noise(4)}
    pipeline = theirs.stable_diffusion_xl() if kind == "sdxl" else theirs.stable_diffusion(kind)
    return Pair(sampled(loaded(root, kind)), latents_of(pipeline, height=SIDE, width=SIDE, **inputs))


def image_to_image(root: Path) -> Pair:
    parts = loaded(root, "sd1")
    start = VAEEncode(parts.ctx, Image(picture()), parts.vae)
    pipeline = theirs.stable_diffusion("sd1", "StableDiffusionImg2ImgPipeline")
    expected = latents_of(
        pipeline,
        steps=10,
        image=start.samples,
        strength=0.6,
        negative_prompt=NEGATIVE,
        guidance_scale=CFG,
        generator=generator(),
    )
    return Pair(sampled(parts, start, steps=6, denoise=0.6), expected)


def refined(root: Path) -> Pair:
    parts = loaded(root, "sdxl_refiner")
    start = VAEEncode(parts.ctx, Image(picture()), parts.vae)
    expected = latents_of(
        theirs.refiner(),
        steps=10,
        image=start.samples,
        strength=0.3,
        original_size=(SIDE, SIDE),
        target_size=(SIDE, SIDE),
        negative_prompt=NEGATIVE,
        guidance_scale=CFG,
        generator=generator(),
    )
    return Pair(sampled(parts, start, steps=3, denoise=0.3), expected)


def inpainting(root: Path) -> Pair:
    parts = loaded(root, "sd1_inpaint")
    ctx, mask = parts.ctx, hole()
    positive, negative, _ = InpaintModelConditioning(
        ctx, parts.positive, parts.negative, parts.vae, Image(picture()), Mask(mask), noise_mask=False
    )
    hidden = picture() * (1 - mask[..., None]) + 0.5 * mask[..., None]
    expected = latents_of(
        theirs.stable_diffusion("sd1_inpaint", "StableDiffusionInpaintPipeline"),
        image=picture().movedim(-1, 1),
        mask_image=mask[:, None],
        masked_image_latents=VAEEncode(ctx, Image(hidden), parts.vae).samples,
        strength=1.0,
        height=SIDE,
        width=SIDE,
        negative_prompt=NEGATIVE,
        guidance_scale=CFG,
        latents=noise(4),
    )
    return Pair(sampled(parts, positive=positive, negative=negative), expected)


def instructed(root: Path) -> Pair:
    image_cfg, parts = 1.6, loaded(root, "sd1_instruct")
    positive, negative, start = InstructPixToPixConditioning(
        parts.ctx, parts.positive, parts.negative, Image(picture()), parts.vae
    )
    guider = DualCFGGuider(parts.model, positive, negative, parts.negative, CFG, image_cfg)
    sigmas, sampler = BasicScheduler(parts.model, "normal", STEPS, 1.0), KSamplerSelect("euler")
    ours = SamplerCustomAdvanced(parts.ctx, RandomNoise(SEED), guider, sampler, sigmas, start)[0].samples
    expected = latents_of(
        theirs.stable_diffusion("sd1_instruct", "StableDiffusionInstructPix2PixPipeline"),
        image=picture().movedim(-1, 1),
        image_guidance_scale=image_cfg,
        negative_prompt=NEGATIVE,
        guidance_scale=CFG,
        latents=noise(4),
    )
    return Pair(ours, expected)


@cache
def control_net(kind: str, seed: int) -> Any:
    """A ControlNet for the tiny U-Net, its zero convolutions included in what is random."""
    from diffusers import ControlNetModel

    net = ControlNetModel.from_unet(tiny(kind).network, conditioning_embedding_out_channels=(16, 32, 64, 96))
    return made(net, seed)


def controlled(kind: str, count: int, root: Path) -> Pair:
    parts, strength = loaded(root, kind), 0.8
    positive, negative = parts.positive, parts.negative
    for seed in range(count):
        name = f"{kind}_{seed}"
        control_net(kind, seed).save_pretrained(root / "controlnet" / name)
        net = ControlNetLoader(parts.ctx, name)
        positive, negative = ControlNetApplyAdvanced(positive, negative, net, Image(picture()), strength)
    nets = [control_net(kind, seed) for seed in range(count)]
    single = count == 1
    expected = latents_of(
        theirs.controlled(kind, nets[0] if single else nets),
        image=picture().movedim(-1, 1) if single else [picture().movedim(-1, 1)] * count,
        controlnet_conditioning_scale=strength if single else [strength] * count,
        negative_prompt=NEGATIVE,
        guidance_scale=CFG,
        latents=noise(4),
        height=SIDE,
        width=SIDE,
    )
    return Pair(sampled(parts, positive=positive, negative=negative), expected)


@cache
def distilled_unet() -> Any:
    """A U-Net that is told the guidance scale, as latent consistency models are."""
    from diffusers import UNet2DConditionModel

    plain = {k: v for k, v in tiny("sd1").network.config.items() if not k.startswith("_")}
    unet = made(UNet2DConditionModel.from_config({**plain, "time_cond_proj_dim": 32}))
    fit_to_noise(unet)
    return unet


def latent_consistency(root: Path) -> Pair:
    pipeline = theirs.latent_consistency(distilled_unet())
    pipeline.save_pretrained(root / "checkpoints" / "lcm")
    parts = loaded(root, "lcm")
    ours = sampled(
        parts,
        model=ModelSamplingDiscrete(parts.model, "lcm"),
        cfg=1.0,
        sampler_name="lcm",
        scheduler="simple",
    )
    step_noise = torch.Generator().manual_seed(SEED + 1)
    expected = latents_of(pipeline, latents=noise(4), generator=step_noise, height=SIDE, width=SIDE)
    return Pair(ours, expected)


def stable_diffusion_3(kind: str, root: Path) -> Pair:
    parts = loaded(root, kind)
    expected = latents_of(
        theirs.stable_diffusion_3(kind, root),
        height=SIDE,
        width=SIDE,
        negative_prompt=NEGATIVE,
        guidance_scale=CFG,
        latents=noise(16),
        sigmas=levels(parts.model),
        max_sequence_length=77,
    )
    return Pair(sampled(parts, scheduler="simple"), expected)


def flux(kind: str, root: Path) -> Pair:
    parts, pipeline, side = loaded(root, kind), theirs.flux(kind, root), SIDE // 8
    expected = latents_of(
        pipeline,
        height=SIDE,
        width=SIDE,
        guidance_scale=3.5,
        latents=pipeline._pack_latents(noise(16), 1, 16, side, side),
        sigmas=levels(parts.model),
        max_sequence_length=77,
    )
    ours = sampled(parts, scheduler="simple", cfg=1.0)
    return Pair(ours, pipeline._unpack_latents(expected, SIDE, SIDE, 8))


PAIRS: dict[tuple[str, str], Callable[[Path], Pair]] = {
    ("text to image, SD 1", "StableDiffusionPipeline"): lambda root: text_to_image("sd1", root),
    ("text to image, SD 2", "StableDiffusionPipeline"): lambda root: text_to_image("sd2", root),
    ("image to image, SD 1", "StableDiffusionImg2ImgPipeline"): image_to_image,
    ("inpainting, SD 1 of 9 channels", "StableDiffusionInpaintPipeline"): inpainting,
    ("one ControlNet, SD 1", "StableDiffusionControlNetPipeline"): lambda root: controlled("sd1", 1, root),
    ("two ControlNets, SD 1", "StableDiffusionControlNetPipeline"): lambda root: controlled("sd1", 2, root),
    ("InstructPix2Pix", "StableDiffusionInstructPix2PixPipeline"): instructed,
    ("LCM", "LatentConsistencyModelPipeline"): latent_consistency,
    ("text to image, SDXL", "StableDiffusionXLPipeline"): lambda root: text_to_image("sdxl", root),
    ("one ControlNet, SDXL", "StableDiffusionXLControlNetPipeline"): lambda root: controlled("sdxl", 1, root),
    ("image to image, SDXL refiner", "StableDiffusionXLImg2ImgPipeline"): refined,
    ("text to image, SD 3", "StableDiffusion3Pipeline"): lambda root: stable_diffusion_3("sd3", root),
    ("text to image, SD 3.5", "StableDiffusion3Pipeline"): lambda root: stable_diffusion_3("sd35", root),
    ("text to image, FLUX.1 dev", "FluxPipeline"): lambda root: flux("flux", root),
    ("text to image, FLUX.1 schnell", "FluxPipeline"): lambda root: flux("schnell", root),
}
"""By what is made and diffusers' class for it."""
