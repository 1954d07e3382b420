"""Pictures from the generators of generative adversarial networks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import torch
from pydantic import Field

from nodegraph import InFolder, NodeContext, node
from nodegraph.errors import FileProblem
from nodegraph.files import Folders
from nodegraph.specs import UNKNOWN, Spec
from nodes.gan.architectures import Design, identify
from nodes.gan.latents import slerp, truncate
from nodes.gan.types import Generator
from nodes.types import Image, Seed
from nodes.weights.header import UnknownFileError, read_header

FOLDER = "gan"
CHUNK = 16

Truncation = Annotated[float, Field(ge=0.0, le=10.0)]


def _design(path: Path, name: str) -> Design:
    try:
        return identify(read_header(path))
    except UnknownFileError as problem:
        raise FileProblem(f"{name!r} is not a generator that can be loaded: {problem}") from problem


def _generator_facts(gan_name: Spec, files: Folders) -> dict[str, int]:
    if gan_name.value is UNKNOWN:
        return {}
    try:
        path = files.path(files.resolve(FOLDER, gan_name.value))
    except FileProblem:
        return {}  # a missing file is reported for itself
    design = _design(path, gan_name.value)
    channels, height, width = design.picture_shape
    return {"latent_size": design.latent_size, "width": width, "height": height, "channels": channels}


@node(category="gan", infer=_generator_facts)
def GANLoader(
    ctx: NodeContext,
    gan_name: Annotated[str, InFolder(FOLDER)],
    output_activation: Literal["auto", "tanh", "sigmoid"] = "auto",
) -> Generator:
    """The generator in a safetensors file: an MLP or a DCGAN, told by the names and shapes of its tensors.

    Args:
        gan_name: the file.
        output_activation: what the network ends in; auto goes by the file's metadata, else it is sigmoid
            for an MLP (Goodfellow et al. 2014) and tanh for a DCGAN (Radford et al. 2015).
    """
    file = ctx.resolve(FOLDER, gan_name)
    design = _design(ctx.path(file), gan_name)
    channels, height, width = design.picture_shape
    activation = design.activation if output_activation == "auto" else output_activation
    return Generator(file, design.latent_size, width, height, channels, activation)


def _generated_facts(generator: Spec, batch_size: Spec) -> dict[str, int]:
    known = generator.known("width", "height", "channels")
    return known if batch_size.value is UNKNOWN else known | {"batch": batch_size.value}


@node(category="gan", device=True, infer=_generated_facts)
def GenerateImages(
    ctx: NodeContext,
    generator: Generator,
    seed: Seed = 0,
    batch_size: Annotated[int, Field(ge=1, le=4096)] = 1,
    truncation: Truncation = 0.0,
) -> Image:
    """Pictures a generator makes of random latents; picture i is that of seed + i.

    Args:
        generator: the generator.
        seed: the seed of the first picture.
        batch_size: how many pictures.
        truncation: latents are kept within this distance of 0, for pictures that are more typical and
            less varied; 0 leaves them alone.
    """
    latents = [_latent(ctx, generator, seed + item, truncation) for item in range(batch_size)]
    return _generate(ctx, generator, torch.stack(latents))


def _walk_facts(generator: Spec, frames: Spec) -> dict[str, int]:
    return _generated_facts(generator, frames)


@node(category="gan", device=True, infer=_walk_facts)
def LatentWalk(
    ctx: NodeContext,
    generator: Generator,
    seed_from: Seed = 0,
    seed_to: Seed = 1,
    frames: Annotated[int, Field(ge=2, le=4096)] = 8,
    truncation: Truncation = 0.0,
) -> Image:
    """Pictures on the way from one latent to another, along the arc between them.

    Args:
        generator: the generator.
        seed_from: the seed of the first picture.
        seed_to: the seed of the last picture.
        frames: how many pictures, both ends included.
        truncation: both ends are kept within this distance of 0; 0 leaves them alone.
    """
    start, end = (_latent(ctx, generator, seed, truncation) for seed in (seed_from, seed_to))
    return _generate(ctx, generator, slerp(start, end, torch.linspace(0, 1, frames, dtype=torch.float64)))


def _latent(ctx: NodeContext, generator: Generator, seed: int, truncation: float) -> torch.Tensor:
    latent = torch.randn(generator.latent_size, generator=ctx.generator(seed))
    return truncate(latent, truncation) if truncation else latent


def _generate(ctx: NodeContext, generator: Generator, latents: torch.Tensor) -> Image:
    pixels = []
    with ctx.lease(generator) as network:
        for done in range(0, len(latents), CHUNK):
            ctx.progress(done, len(latents))
            pictures = network(latents[done : done + CHUNK].to(ctx.device, ctx.dtype))
            pixels.append(pictures.movedim(1, -1).float().cpu())
    ctx.progress(len(latents), len(latents))
    return Image(torch.cat(pixels).contiguous())
