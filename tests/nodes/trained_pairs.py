"""The same picture made twice with adapters that were taught something: by our nodes, and by diffusers."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import torch
from adapter_training import (
    GUIDANCE,
    SIDE,
    colourless_lora,
    lesson,
    placed,
    silhouette_controlnet,
    silhouettes,
)
from diffusion_support import BUNDLED, PROMPT, TestContext, checkpoint, decoded, encoded, folders
from torch import Tensor

from nodes.adapters.lora.nodes import LoraLoaderModelOnly
from nodes.controlnet.nodes import ControlNetApplyAdvanced, ControlNetLoader
from nodes.latents.nodes import EmptyLatentImage
from nodes.sampling.nodes import KSampler
from nodes.types import Image, Latent

SEEDS, STEPS = (3, 4, 5), 8
LORA, CONTROLNET = "colourless.safetensors", "silhouettes"


class Trained(NamedTuple):
    """An adapter at work on a prompt that it was not taught.

    Attributes:
        plain: our latents without it, one for each seed.
        ours: our latents with it.
        theirs: those of diffusers' pipeline.
        measured: what it was taught to change, of pictures ``[count, height, width, 3]``.
    """

    plain: Tensor
    ours: Tensor
    theirs: Tensor
    measured: Callable[[Tensor], float]

    @property
    def difference(self) -> float:
        """The largest one of ours from theirs."""
        return float((self.ours - self.theirs).abs().max())

    @property
    def effect(self) -> tuple[float, float]:
        """What was measured without the adapter, and with it."""
        without, with_it = (self.measured(decoded(Latent(made)).pixels) for made in (self.plain, self.ours))
        return without, with_it


@cache
def hints() -> Tensor:
    """Silhouettes that were no part of the lesson, one for each seed, ``[count, height, width, 3]``."""
    return silhouettes(placed(lesson(), len(SEEDS), seed=77).pictures).expand(-1, -1, -1, 3).contiguous()


def colourfulness(pictures: Tensor) -> float:
    """How far apart the channels of a pixel are, on average."""
    return float((pictures.amax(-1) - pictures.amin(-1)).mean())


def likeness(pictures: Tensor) -> float:
    """Correlation of silhouettes with those that were shown."""
    found = silhouettes(pictures)[..., 0].flatten()
    return float(torch.corrcoef(torch.stack([found, hints()[..., 0].flatten()]))[0, 1])


def saved(root: Path) -> TestContext:
    """A folder with both adapters as trainers save them."""
    from diffusers import StableDiffusionPipeline
    from peft import get_peft_model_state_dict

    lora = colourless_lora()
    layers = {n.removeprefix("base_model.model."): t for n, t in get_peft_model_state_dict(lora).items()}
    settings = {
        k: list(v) if isinstance(v, set) else v for k, v in lora.peft_config["default"].to_dict().items()
    }
    StableDiffusionPipeline.save_lora_weights(
        root / "loras", unet_lora_layers=layers, weight_name=LORA, unet_lora_adapter_metadata=settings
    )
    silhouette_controlnet().save_pretrained(root / "controlnet" / CONTROLNET)
    return TestContext(folders(root, root))


def sampled(ctx: TestContext, *, lora: bool, controlnet: bool) -> Tensor:
    """Our latents, one for each seed."""
    model = checkpoint().model
    if lora:
        model = LoraLoaderModelOnly(ctx, model, LORA)
    return torch.cat([_sampled(ctx, model, index, controlnet) for index in range(len(SEEDS))])


def _sampled(ctx: TestContext, model: Any, index: int, controlnet: bool) -> Tensor:
    positive, negative = encoded(), encoded("")
    if controlnet:
        net, hint = ControlNetLoader(ctx, CONTROLNET), Image(hints()[index : index + 1])
        positive, negative = ControlNetApplyAdvanced(positive, negative, net, hint)
    empty = EmptyLatentImage(SIDE, SIDE)
    given = (positive, negative, empty, SEEDS[index], STEPS, GUIDANCE, "ddim", "normal")
    return KSampler(ctx, model, *given).samples


def piped(ctx: TestContext, *, lora: bool, controlnet: bool) -> Tensor:
    """The latents of diffusers' pipeline."""
    import diffusers

    parts = {"controlnet": silhouette_controlnet()} if controlnet else {}
    name = "StableDiffusionControlNetPipeline" if controlnet else "StableDiffusionPipeline"
    pipeline = getattr(diffusers, name).from_pretrained(BUNDLED, dtype=torch.float32, **parts)
    pipeline.set_progress_bar_config(disable=True)
    if lora:
        pipeline.load_lora_weights(ctx.folders.models[-1] / "loras", weight_name=LORA)
    planes = hints().movedim(-1, 1)
    made = [
        pipeline(
            PROMPT,
            generator=torch.Generator().manual_seed(seed),
            num_inference_steps=STEPS,
            guidance_scale=GUIDANCE,
            height=SIDE,
            width=SIDE,
            output_type="latent",
            **({"image": planes[index : index + 1]} if controlnet else {}),
        ).images
        for index, seed in enumerate(SEEDS)
    ]
    return torch.cat(made)


def trained(ctx: TestContext, *, lora: bool = False, controlnet: bool = False) -> Trained:
    """One or both adapters at work."""
    which = {"lora": lora, "controlnet": controlnet}
    plain = sampled(ctx, lora=False, controlnet=False)
    measured = likeness if controlnet else colourfulness
    return Trained(plain, sampled(ctx, **which), piped(ctx, **which), measured)


TRAINED: dict[tuple[str, str, str], Callable[[TestContext], Trained]] = {
    ("LoRA, no colours", "StableDiffusionPipeline", "distance of the channels"): lambda ctx: trained(
        ctx, lora=True
    ),
    ("ControlNet, silhouettes", "StableDiffusionControlNetPipeline", "correlation"): lambda ctx: trained(
        ctx, controlnet=True
    ),
    ("both", "StableDiffusionControlNetPipeline", "correlation"): lambda ctx: trained(
        ctx, lora=True, controlnet=True
    ),
}
"""By the adapter and what it was taught, diffusers' class, and what is measured."""
