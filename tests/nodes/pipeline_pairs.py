"""The same picture made twice: by our nodes from a checkpoint file, and by diffusers' pipeline.

Same tiny weights, prompt and noise; what is compared are the latents at the end of the run. Both encode the
prompt whenever they are called, and have their weights in memory after the first time. A ``Place`` says where
both compute: by default on the CPU, in float32.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import diffusers_pipelines as theirs
import torch
from adapter_files import clip_vision, ip_adapter, ip_adapter_file, original_t2i_adapter, t2i_adapter
from diffusers_pipelines import CFG, NEGATIVE, PROMPT, SEED, SIDE, STEPS, latents_of, noise
from diffusion_support import TestContext, folders
from family_files import fit_to_noise, made, single_file, t5_tokenizer_file, tiny, write_file
from torch import Tensor

from nodes.adapters.ip_adapter.nodes import IPAdapterAdvanced, IPAdapterModelLoader
from nodes.checkpoints.nodes import CheckpointLoaderSimple
from nodes.clip_vision.nodes import CLIPVisionLoader
from nodes.clip_vision.pixels import clip_pixels
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
from nodes.types import Clip, Conditioning, Image, Latent, Mask, Model, Vae
from nodes.vae.nodes import VAEEncode

randn = torch.randn


class Place(NamedTuple):
    """Where a pair computes, in which dtype, and the folder that its files are in."""

    root: Path
    device: str = "cpu"
    dtype: torch.dtype = torch.float32


class Pair(NamedTuple):
    """Both ways to the latents."""

    ours: Callable[[], Tensor]
    theirs: Callable[[], Tensor]


class Loaded(NamedTuple):
    """A checkpoint, and the prompt of these tests encoded with it."""

    ctx: TestContext
    model: Model
    clip: Clip
    vae: Vae

    @property
    def positive(self) -> Conditioning:
        return CLIPTextEncode(self.ctx, self.clip, PROMPT)

    @property
    def negative(self) -> Conditioning:
        return CLIPTextEncode(self.ctx, self.clip, NEGATIVE)


def prepared(root: Path) -> Place:
    """A place with a folder of models, and the tokenizer that T5 needs in it."""
    t5_tokenizer_file(root / "tokenizers" / "t5xxl")
    return Place(root)


def loaded(place: Place, name: str) -> Loaded:
    """A checkpoint; written from the tiny model of that kind where there is none of its name."""
    if not (place.root / "checkpoints" / name).exists():
        write_file(place.root / "checkpoints" / f"{name}.safetensors", single_file(name))
        name = f"{name}.safetensors"
    ctx = TestContext(folders(place.root, place.root), device=place.device, dtype=place.dtype)
    return Loaded(ctx, *CheckpointLoaderSimple(ctx, name))


def sampled(parts: Loaded, latent: Latent | None = None, **changes: Any) -> Tensor:
    """KSampler's latents; every input has a default."""
    settings: dict[str, Any] = {"cfg": CFG, "sampler_name": "euler", "scheduler": "normal", **changes}
    sides = {side: settings.pop(side, None) or getattr(parts, side) for side in ("positive", "negative")}
    model = settings.pop("model", parts.model)
    empty = Latent(torch.zeros(1, model.latent_channels, SIDE // 8, SIDE // 8))
    given = {"seed": SEED, "steps": STEPS, "latent_image": latent or empty, **sides, **settings}
    return KSampler(parts.ctx, model, **given).samples


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


def piped(place: Place, pipeline: Any, **inputs: Any) -> Callable[[], Tensor]:
    """What a pipeline makes of the prompts; of the noise of these tests where it is given none."""
    guided, moved = {"negative_prompt": NEGATIVE, "guidance_scale": CFG}, placed(place, pipeline)

    def made() -> Tensor:
        with patch.object(torch, "randn", randn_in_float32):
            return latents_of(moved, **{**guided, **inputs, "generator": generator()}).float().cpu()

    return made


def placed(place: Place, pipeline: Any) -> Any:
    """The pipeline there; elsewhere than on the CPU in float32 a copy, because the tiny models are shared."""
    if (place.device, place.dtype) == ("cpu", torch.float32):
        return pipeline
    return deepcopy(pipeline).to(place.device, place.dtype)


def randn_in_float32(*shape: Any, dtype: torch.dtype | None = None, **options: Any) -> Tensor:
    """``torch.randn``, whose numbers are others in half precision: the nodes draw theirs in float32."""
    return randn(*shape, dtype=torch.float32, **options).to(dtype or torch.float32)


def text_to_image(kind: str, place: Place) -> Pair:
    parts = loaded(place, kind)
    pipeline = theirs.stable_diffusion_xl() if kind == "sdxl" else theirs.stable_diffusion(kind)
    return Pair(lambda: sampled(parts), piped(place, pipeline, height=SIDE, width=SIDE))


def image_to_image(place: Place) -> Pair:
    parts = loaded(place, "sd1")
    start = VAEEncode(parts.ctx, Image(picture()), parts.vae)
    pipeline = theirs.stable_diffusion("sd1", "StableDiffusionImg2ImgPipeline")
    return Pair(
        lambda: sampled(parts, start, steps=6, denoise=0.6),
        piped(place, pipeline, steps=10, image=start.samples, strength=0.6),
    )


def refined(place: Place) -> Pair:
    parts = loaded(place, "sdxl_refiner")
    start = VAEEncode(parts.ctx, Image(picture()), parts.vae)
    size = {"original_size": (SIDE, SIDE), "target_size": (SIDE, SIDE)}
    return Pair(
        lambda: sampled(parts, start, steps=3, denoise=0.3),
        piped(place, theirs.refiner(), steps=10, image=start.samples, strength=0.3, **size),
    )


def inpainting(place: Place) -> Pair:
    """Both are given the picture encoded, because diffusers would draw its latents at random."""
    parts, mask = loaded(place, "sd1_inpaint"), hole()
    hidden = picture() * (1 - mask[..., None]) + 0.5 * mask[..., None]
    prepared = InpaintModelConditioning(
        parts.ctx, parts.positive, parts.negative, parts.vae, Image(picture()), Mask(mask), False
    )
    shown = prepared.positive.prompts[0].concat

    def beside(side: Conditioning) -> Conditioning:
        return replace(side, prompts=tuple(replace(prompt, concat=shown) for prompt in side.prompts))

    return Pair(
        lambda: sampled(parts, positive=beside(parts.positive), negative=beside(parts.negative)),
        piped(
            place,
            theirs.stable_diffusion("sd1_inpaint", "StableDiffusionInpaintPipeline"),
            image=picture().movedim(-1, 1),
            mask_image=mask[:, None],
            masked_image_latents=VAEEncode(parts.ctx, Image(hidden), parts.vae).samples,
            strength=1.0,
            height=SIDE,
            width=SIDE,
        ),
    )


def instructed(place: Place) -> Pair:
    image_cfg, parts = 1.6, loaded(place, "sd1_instruct")
    sigmas, sampler = BasicScheduler(parts.model, "normal", STEPS, 1.0), KSamplerSelect("euler")

    def ours() -> Tensor:
        without = parts.negative
        positive, negative, start = InstructPixToPixConditioning(
            parts.ctx, parts.positive, without, Image(picture()), parts.vae
        )
        guider = DualCFGGuider(parts.model, positive, negative, without, CFG, image_cfg)
        found = SamplerCustomAdvanced(parts.ctx, RandomNoise(SEED), guider, sampler, sigmas, start)
        return found.output.samples

    pipeline = theirs.stable_diffusion("sd1_instruct", "StableDiffusionInstructPix2PixPipeline")
    return Pair(ours, piped(place, pipeline, image=picture().movedim(-1, 1), image_guidance_scale=image_cfg))


@cache
def control_net(kind: str, seed: int) -> Any:
    """A ControlNet for the tiny U-Net, its zero convolutions included in what is random."""
    from diffusers import ControlNetModel

    net = ControlNetModel.from_unet(tiny(kind).network, conditioning_embedding_out_channels=(16, 32, 64, 96))
    return made(net, seed)


def controlled(kind: str, count: int, place: Place) -> Pair:
    parts, strength = loaded(place, kind), 0.8
    nets = [control_net(kind, seed) for seed in range(count)]
    names = [f"{kind}_{seed}" for seed in range(count)]
    for net, name in zip(nets, names, strict=True):
        net.save_pretrained(place.root / "controlnet" / name)
    recipes = [ControlNetLoader(parts.ctx, name) for name in names]

    def ours() -> Tensor:
        positive, negative = parts.positive, parts.negative
        for net in recipes:
            positive, negative = ControlNetApplyAdvanced(positive, negative, net, Image(picture()), strength)
        return sampled(parts, positive=positive, negative=negative)

    single = count == 1
    pipeline = theirs.controlled(kind, nets[0] if single else nets)
    return Pair(
        ours,
        piped(
            place,
            pipeline,
            image=picture().movedim(-1, 1) if single else [picture().movedim(-1, 1)] * count,
            controlnet_conditioning_scale=strength if single else [strength] * count,
            height=SIDE,
            width=SIDE,
        ),
    )


def t2i_adapted(kind: str, layout: str, place: Place) -> Pair:
    parts, net, strength = loaded(place, kind), t2i_adapter(layout), 0.8
    write_file(place.root / "controlnet" / f"{layout}.safetensors", original_t2i_adapter(net))
    adapter = ControlNetLoader(parts.ctx, f"{layout}.safetensors")

    def ours() -> Tensor:
        positive, negative = ControlNetApplyAdvanced(
            parts.positive, parts.negative, adapter, Image(picture()), strength
        )
        return sampled(parts, positive=positive, negative=negative)

    steered = {"image": picture().movedim(-1, 1), "adapter_conditioning_scale": strength}
    return Pair(ours, piped(place, theirs.t2i_adapted(kind, [net]), height=SIDE, width=SIDE, **steered))


def ip_adapted(kind: str, place: Place) -> Pair:
    parts, halves, weight = loaded(place, kind), ip_adapter(tiny(kind).network, "plain"), 0.8
    write_file(place.root / "ipadapter" / f"{kind}.safetensors", ip_adapter_file(halves))
    write_file(place.root / "clip_vision" / "tiny.safetensors", clip_vision().state_dict())
    adapter = IPAdapterModelLoader(parts.ctx, f"{kind}.safetensors")
    vision = CLIPVisionLoader(parts.ctx, "tiny.safetensors")

    def ours() -> Tensor:
        model = IPAdapterAdvanced(parts.ctx, parts.model, adapter, Image(picture()), vision, weight=weight)
        return sampled(parts, model=model)

    shown = [clip_pixels(picture(), vision.side, crop=True)]
    pipeline = theirs.ip_adapted(kind, [halves], [weight])
    return Pair(ours, piped(place, pipeline, height=SIDE, width=SIDE, ip_adapter_image=shown))


@cache
def distilled_unet() -> Any:
    """A U-Net that is told the guidance scale, as latent consistency models are."""
    from diffusers import UNet2DConditionModel

    plain = {k: v for k, v in tiny("sd1").network.config.items() if not k.startswith("_")}
    unet = made(UNet2DConditionModel.from_config({**plain, "time_cond_proj_dim": 32}))
    fit_to_noise(unet)
    return unet


def latent_consistency(place: Place) -> Pair:
    """diffusers' pipeline goes on with one generator, ours with that of the next seed."""
    pipeline = theirs.latent_consistency(distilled_unet())
    pipeline.save_pretrained(place.root / "checkpoints" / "lcm")
    parts, moved = loaded(place, "lcm"), placed(place, pipeline)
    model = ModelSamplingDiscrete(parts.model, "lcm")

    def expected() -> Tensor:
        steps = torch.Generator().manual_seed(SEED + 1)
        start = noise(4).to(place.device, place.dtype)
        with patch.object(torch, "randn", randn_in_float32):
            return latents_of(moved, latents=start, generator=steps, height=SIDE, width=SIDE).float().cpu()

    settings = {"cfg": 1.0, "sampler_name": "lcm", "scheduler": "simple"}
    return Pair(lambda: sampled(parts, model=model, **settings), expected)


def stable_diffusion_3(kind: str, place: Place) -> Pair:
    parts = loaded(place, kind)
    pipeline = theirs.stable_diffusion_3(kind, place.root)
    settings = {"height": SIDE, "width": SIDE, "sigmas": levels(parts.model), "max_sequence_length": 77}
    return Pair(lambda: sampled(parts, scheduler="simple"), piped(place, pipeline, **settings))


def flux(kind: str, place: Place) -> Pair:
    parts, pipeline = loaded(place, kind), theirs.flux(kind, place.root)
    settings = {"height": SIDE, "width": SIDE, "sigmas": levels(parts.model), "max_sequence_length": 77}
    packed = piped(place, pipeline, negative_prompt=None, guidance_scale=3.5, **settings)
    return Pair(
        lambda: sampled(parts, scheduler="simple", cfg=1.0),
        lambda: pipeline._unpack_latents(packed(), SIDE, SIDE, 8),
    )


PAIRS: dict[tuple[str, str], Callable[[Place], Pair]] = {
    ("text to image, SD 1", "StableDiffusionPipeline"): lambda place: text_to_image("sd1", place),
    ("text to image, SD 2", "StableDiffusionPipeline"): lambda place: text_to_image("sd2", place),
    ("image to image, SD 1", "StableDiffusionImg2ImgPipeline"): image_to_image,
    ("inpainting, SD 1 of 9 channels", "StableDiffusionInpaintPipeline"): inpainting,
    ("one ControlNet, SD 1", "StableDiffusionControlNetPipeline"): lambda place: controlled("sd1", 1, place),
    ("two ControlNets, SD 1", "StableDiffusionControlNetPipeline"): lambda place: controlled("sd1", 2, place),
    ("T2I-Adapter, SD 1", "StableDiffusionAdapterPipeline"): lambda place: t2i_adapted(
        "sd1", "full_adapter", place
    ),
    ("IP-Adapter, SD 1", "StableDiffusionPipeline"): lambda place: ip_adapted("sd1", place),
    ("InstructPix2Pix", "StableDiffusionInstructPix2PixPipeline"): instructed,
    ("LCM", "LatentConsistencyModelPipeline"): latent_consistency,
    ("text to image, SDXL", "StableDiffusionXLPipeline"): lambda place: text_to_image("sdxl", place),
    ("one ControlNet, SDXL", "StableDiffusionXLControlNetPipeline"): lambda place: controlled(
        "sdxl", 1, place
    ),
    ("T2I-Adapter, SDXL", "StableDiffusionXLAdapterPipeline"): lambda place: t2i_adapted(
        "sdxl", "full_adapter_xl", place
    ),
    ("IP-Adapter, SDXL", "StableDiffusionXLPipeline"): lambda place: ip_adapted("sdxl", place),
    ("image to image, SDXL refiner", "StableDiffusionXLImg2ImgPipeline"): refined,
    ("text to image, SD 3", "StableDiffusion3Pipeline"): lambda place: stable_diffusion_3("sd3", place),
    ("text to image, SD 3.5", "StableDiffusion3Pipeline"): lambda place: stable_diffusion_3("sd35", place),
    ("text to image, FLUX.1 dev", "FluxPipeline"): lambda place: flux("flux", place),
    ("text to image, FLUX.1 schnell", "FluxPipeline"): lambda place: flux("schnell", place),
}
"""By what is made and diffusers' class for it."""
