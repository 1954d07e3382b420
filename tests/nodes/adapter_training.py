"""Small adapters taught on the bundled model, each in about half a minute on one quiet core.

The model's own pictures are the lesson: a LoRA learns to draw them without colours, and a ControlNet to draw
them small and anywhere, where it is shown their silhouettes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from itertools import pairwise, product
from typing import Any, NamedTuple

import torch
from diffusion_support import checkpoint, context, encoded, folders
from torch import Tensor
from torch.nn import functional

from nodes.types import Image, Latent
from nodes.vae.nodes import VAEDecode, VAEEncode

SIDE, LATENT_SIDE, TIMESTEPS = 128, 16, 1000
OBJECTS = ("balloon", "lemon", "red heart", "mushroom", "star", "key")
COLOURS = ("blue", "green", "purple")
GUIDANCE = 2.5
BATCH = 8
LORA_MODULES = ["to_q", "to_k", "to_v", "to_out.0", "conv1", "conv2", "conv_out"]


class Lesson(NamedTuple):
    """Pictures and their prompts.

    Attributes:
        pictures: ``[count, height, width, 3]`` in 0..1.
        texts: prompts as the U-Net is given them, ``[count, tokens, width]``.
    """

    pictures: Tensor
    texts: Tensor


class Batch(NamedTuple):
    """What a U-Net is asked in one step, and what it is to say.

    Attributes:
        chosen: numbers of the pictures.
        noisy: their latents with noise.
        timesteps: how much noise.
        texts: their prompts.
        v: α ε - σ x₀ (Salimans & Ho 2022, App. D).
    """

    chosen: Tensor
    noisy: Tensor
    timesteps: Tensor
    texts: Tensor
    v: Tensor


def fresh_unet() -> Any:
    """The bundled U-Net in float32, which takes no gradients."""
    return checkpoint().model.weights.build(folders(), torch.float32)


@cache
def levels() -> Tensor:
    """ᾱ by timestep."""
    betas = torch.linspace(0.00085**0.5, 0.012**0.5, TIMESTEPS) ** 2
    return (1 - betas).cumprod(0)


@cache
def lesson() -> Lesson:
    """What the model draws of every object on every colour."""
    prompts = [f"a {thing} on a {colour} background" for thing, colour in product(OBJECTS, COLOURS)]
    texts = torch.cat([encoded(prompt).prompts[0].embeddings for prompt in prompts])
    return Lesson(drawn(texts), texts)


@torch.no_grad()
def drawn(texts: Tensor, steps: int = 8) -> Tensor:
    """Pictures of the model itself, all prompts at once, by DDIM (Song et al. 2021, Eq. 12 without noise)."""
    unet, empty = fresh_unet(), encoded("").prompts[0].embeddings.expand_as(texts)
    x = torch.randn(len(texts), 4, LATENT_SIDE, LATENT_SIDE, generator=torch.Generator().manual_seed(0))
    times = torch.linspace(TIMESTEPS - 1, 0, steps + 1).long()
    for now, then in pairwise(times):
        told, untold = unet(torch.cat([x, x]), now, torch.cat([texts, empty])).sample.chunk(2)
        v, before, after = untold + GUIDANCE * (told - untold), levels()[now], levels()[then]
        clean = before.sqrt() * x - (1 - before).sqrt() * v
        noise = before.sqrt() * v + (1 - before).sqrt() * x
        x = after.sqrt() * clean + (1 - after).sqrt() * noise
    return VAEDecode(context(), Latent(x), checkpoint().vae).pixels


def backgrounds(pictures: Tensor) -> Tensor:
    """Their colours near the corners, ``[count, 1, 1, 3]``."""
    corners = pictures[:, [2, 2, -3, -3], [2, -3, 2, -3]]
    return corners.median(dim=1).values[:, None, None]


def silhouettes(pictures: Tensor) -> Tensor:
    """Where they differ from their backgrounds, ``[count, height, width, 1]`` in 0..1."""
    distance = (pictures - backgrounds(pictures)).abs().amax(-1, keepdim=True)
    return (4 * distance - 0.6).clamp(0, 1)


def placed(source: Lesson, count: int, seed: int) -> Lesson:
    """Pictures of the lesson made smaller and put anywhere on their backgrounds."""
    generator = torch.Generator().manual_seed(seed)
    chosen = torch.randint(len(source.pictures), (count,), generator=generator)
    canvases = backgrounds(source.pictures[chosen]).repeat(1, SIDE, SIDE, 1)
    for canvas, picture in zip(canvases, source.pictures[chosen], strict=True):
        side = int(torch.randint(SIDE // 2, SIDE * 3 // 4, (), generator=generator))
        top, left = torch.randint(SIDE - side, (2,), generator=generator).tolist()
        small = functional.interpolate(picture.movedim(-1, 0)[None], size=(side, side), mode="area")[0]
        inside = silhouettes(small.movedim(0, -1)[None])[0]
        canvas[top : top + side, left : left + side].lerp_(small.movedim(0, -1), inside)
    return Lesson(canvases, source.texts[chosen])


def without_colours(pictures: Tensor) -> Tensor:
    """Their brightness alone."""
    return pictures.mean(-1, keepdim=True).expand_as(pictures)


def batches(latents: Tensor, texts: Tensor, first: int, steps: int) -> Iterator[Batch]:
    """So many batches, at timesteps from ``first`` on, always the same ones."""
    generator = torch.Generator().manual_seed(0)
    for _ in range(steps):
        chosen = torch.randint(len(latents), (BATCH,), generator=generator)
        timesteps = torch.randint(first, TIMESTEPS, (BATCH,), generator=generator)
        alpha, sigma = (
            part.sqrt().view(-1, 1, 1, 1) for part in (levels()[timesteps], 1 - levels()[timesteps])
        )
        clean, noise = latents[chosen], torch.randn(BATCH, *latents.shape[1:], generator=generator)
        yield Batch(
            chosen, alpha * clean + sigma * noise, timesteps, texts[chosen], alpha * noise - sigma * clean
        )


def teach(
    parameters: Iterable[dict[str, Any]],
    answer: Callable[[Batch], Tensor],
    source: Lesson,
    first: int,
    steps: int,
) -> None:
    """Change parameters, by Adam, until the answers are v."""
    latents = VAEEncode(context(), Image(source.pictures), checkpoint().vae).samples
    optimiser = torch.optim.Adam(parameters)
    for batch in batches(latents, source.texts, first, steps):
        optimiser.zero_grad()
        functional.mse_loss(answer(batch), batch.v).backward()
        torch.nn.utils.clip_grad_norm_([p for group in optimiser.param_groups for p in group["params"]], 1.0)
        optimiser.step()


@cache
def colourless_lora(steps: int = 60) -> Any:
    """The U-Net with a LoRA of peft that draws without colours."""
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(0)
    config = LoraConfig(r=8, lora_alpha=8, target_modules=LORA_MODULES, use_rslora=True)
    unet = get_peft_model(fresh_unet(), config)
    grey = lesson()._replace(pictures=without_colours(lesson().pictures))
    parameters = [parameter for parameter in unet.parameters() if parameter.requires_grad]
    teach(
        [{"params": parameters, "lr": 2e-3}],
        lambda batch: unet(batch.noisy, batch.timesteps, batch.texts).sample,
        grey,
        first=0,
        steps=steps,
    )
    return unet.eval()


@cache
def silhouette_controlnet(steps: int = 90) -> Any:
    """A ControlNet that draws things where it is shown their silhouettes (Zhang et al. 2023)."""
    from diffusers import ControlNetModel

    torch.manual_seed(0)
    unet, source = fresh_unet(), placed(lesson(), 96, seed=1)
    net = ControlNetModel.from_unet(unet, conditioning_embedding_out_channels=(8, 16, 32, 64))
    # Zeros here as well as after the blocks would keep it from learning for long.
    torch.nn.init.normal_(net.controlnet_cond_embedding.conv_out.weight, std=0.05)
    hints = silhouettes(source.pictures).movedim(-1, 1).expand(-1, 3, -1, -1)

    def answer(batch: Batch) -> Tensor:
        asked = (batch.noisy, batch.timesteps, batch.texts)
        skips, middle = net(*asked, hints[batch.chosen], return_dict=False)
        told = {"down_block_additional_residuals": skips, "mid_block_additional_residual": middle}
        predicted: Tensor = unet(*asked, **told).sample
        return predicted

    named = dict(net.named_parameters())
    zeros = [name for name in named if name.startswith(("controlnet_down_blocks", "controlnet_mid_block"))]
    groups = [
        {"params": [named.pop(name) for name in zeros], "lr": 3e-3},
        {"params": list(named.values()), "lr": 1e-3},
    ]
    teach(groups, answer, source, first=300, steps=steps)
    return net.eval()
