"""diffusers' own pipelines over the tiny models of ``family_files``."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from functools import cache, partial
from pathlib import Path
from typing import Any

import diffusers
import torch
from adapter_files import clip_vision
from family_files import Tensors, tiny
from torch import Tensor

from nodes.text_encoders.tokenizers import clip_tokenizer, t5_tokenizer

PROMPT, NEGATIVE = "a red fox in the snow", "blurred"
STEPS, CFG, SEED, SIDE = 4, 5.0, 7, 128
TOLERANCE = 1e-4
NO_CHECKER = {"safety_checker": None, "feature_extractor": None, "requires_safety_checker": False}


def noise(channels: int) -> Tensor:
    shape = (1, channels, SIDE // 8, SIDE // 8)
    return torch.randn(shape, generator=torch.Generator().manual_seed(SEED))


@cache
def tokenizer(pad: str = "<|endoftext|>") -> Any:
    made = clip_tokenizer()
    made.pad_token = pad
    return made


def euler() -> Any:
    return diffusers.EulerDiscreteScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        timestep_spacing="linspace",
        steps_offset=1,
    )


def flow_euler() -> Any:
    """diffusers' scheduler, which is given our noise levels; it shifts them no more."""
    return diffusers.FlowMatchEulerDiscreteScheduler(shift=1.0)


def close(ours: Tensor, theirs: Tensor) -> None:
    """Two runs ended with the same latents, and those are something."""
    difference = float((ours - theirs).abs().max())
    assert difference <= TOLERANCE, difference
    assert float(theirs.std()) > 0.05


def latents_of(pipeline: Any, *, steps: int = STEPS, **inputs: Any) -> Tensor:
    """What a pipeline ends with for the prompt of these tests."""
    pipeline.set_progress_bar_config(disable=True)
    made: Tensor = pipeline(prompt=PROMPT, num_inference_steps=steps, output_type="latent", **inputs).images
    return made


def stable_diffusion(kind: str, name: str = "StableDiffusionPipeline", **parts: Any) -> Any:
    """A pipeline of Stable Diffusion 1 or 2."""
    ((place, encoder),) = tiny(kind).encoders.items()
    given = {
        "vae": tiny(kind).vae,
        "text_encoder": first_layers(encoder) if place == "h" else encoder,
        "tokenizer": tokenizer("!" if place == "h" else "<|endoftext|>"),
        "unet": tiny(kind).network,
        "scheduler": euler(),
    }
    return getattr(diffusers, name)(**{**given, **NO_CHECKER, **parts})


def first_layers(encoder: Any) -> Any:
    """Stable Diffusion 2's text encoder as diffusers has it: without its last layer, which goes unused."""
    text = deepcopy(encoder.text_model)
    del text.encoder.layers[-1]
    return text


def latent_consistency(unet: Any) -> Any:
    """The pipeline of distilled models, whose U-Net is told the guidance scale."""
    scheduler = diffusers.LCMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear")
    return stable_diffusion("sd1", "LatentConsistencyModelPipeline", unet=unet, scheduler=scheduler)


def controlled(kind: str, net: Any) -> Any:
    """A pipeline with one ControlNet, or several in a list."""
    if kind == "sdxl":
        return stable_diffusion_xl("StableDiffusionXLControlNetPipeline", controlnet=net)
    return stable_diffusion(kind, "StableDiffusionControlNetPipeline", controlnet=net)


def stable_diffusion_xl(name: str = "StableDiffusionXLPipeline", **parts: Any) -> Any:
    return getattr(diffusers, name)(**{**xl_parts(), "add_watermarker": False, **parts})


def xl_parts() -> dict[str, Any]:
    model = tiny("sdxl")
    return {
        "vae": model.vae,
        "text_encoder": model.encoders["l"],
        "text_encoder_2": model.encoders["g"],
        "tokenizer": tokenizer(),
        "tokenizer_2": tokenizer("!"),
        "unet": model.network,
        "scheduler": euler(),
    }


def t2i_adapted(kind: str, adapters: Sequence[Any], **parts: Any) -> Any:
    """A pipeline with one T2I-Adapter or several."""
    adapter = adapters[0] if len(adapters) == 1 else diffusers.MultiAdapter(list(adapters))
    if kind == "sdxl":
        return diffusers.StableDiffusionXLAdapterPipeline(**xl_parts(), adapter=adapter, **parts)
    return stable_diffusion(kind, "StableDiffusionAdapterPipeline", adapter=adapter, **parts)


def ip_adapted(kind: str, adapters: Sequence[dict[str, Tensors]], scales: list[float]) -> Any:
    """A pipeline that IP-Adapters were loaded into, over a U-Net of its own, which they change."""
    make = stable_diffusion_xl if kind == "sdxl" else partial(stable_diffusion, kind)
    pipeline = make(unet=deepcopy(tiny(kind).network), image_encoder=clip_vision())
    pipeline.unet._load_ip_adapter_weights(deepcopy(list(adapters)))
    pipeline.set_ip_adapter_scale(scales)
    return pipeline


def refiner() -> Any:
    model = tiny("sdxl_refiner")
    return diffusers.StableDiffusionXLImg2ImgPipeline(
        vae=model.vae,
        text_encoder=None,
        text_encoder_2=model.encoders["g"],
        tokenizer=None,
        tokenizer_2=tokenizer("!"),
        unet=model.network,
        scheduler=euler(),
        requires_aesthetics_score=True,
        add_watermarker=False,
    )


def stable_diffusion_3(kind: str, root: Path) -> Any:
    model = tiny(kind)
    return diffusers.StableDiffusion3Pipeline(
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


def flux(kind: str, root: Path) -> Any:
    model = tiny(kind)
    return diffusers.FluxPipeline(
        scheduler=flow_euler(),
        vae=model.vae,
        text_encoder=model.encoders["l"],
        tokenizer=tokenizer(),
        text_encoder_2=model.encoders["t5xxl"],
        tokenizer_2=t5_tokenizer(root / "tokenizers" / "t5xxl"),
        transformer=model.network,
    )
