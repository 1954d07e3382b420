"""What the tests of the diffusion nodes share: the bundled checkpoint, and diffusers' own pipelines."""

from __future__ import annotations

import json
import shutil
from functools import cache
from pathlib import Path
from typing import Any

import torch

import nodes
from nodegraph.files import Folders
from nodegraph.testing import TestContext
from nodes.checkpoints.nodes import CheckpointLoaderSimple
from nodes.conditioning.nodes import CLIPTextEncode
from nodes.latents.nodes import EmptyLatentImage
from nodes.sampling.nodes import KSampler
from nodes.types import Conditioning, Image, Latent
from nodes.vae.nodes import VAEDecode

MODELS = Path(nodes.__file__).parent / "models"
BUNDLED = MODELS / "checkpoints" / "emoji-sd"
PROMPT = "a red apple on a blue background"
SIDE = 128


def folders(output: Path = Path("/nonexistent"), *extra: Path) -> Folders:
    return Folders(output=output, models=(MODELS, *extra))


@cache
def context() -> TestContext:
    """One context for all tests that only compute, so that weights are read once."""
    return TestContext(folders())


@cache
def checkpoint() -> Any:
    return CheckpointLoaderSimple(context())


@cache
def encoded(text: str = PROMPT) -> Conditioning:
    return CLIPTextEncode(context(), checkpoint().clip, text)


def sampled(**inputs: Any) -> Latent:
    """KSampler on the bundled model; every input has a default."""
    given: dict[str, Any] = {
        "model": checkpoint().model,
        "positive": encoded(),
        "negative": encoded(""),
        "latent_image": EmptyLatentImage(SIDE, SIDE),
        "seed": 3,
        "steps": 20,
        "cfg": 2.5,
        "sampler_name": "ddim",
    }
    return KSampler(context(), **{**given, **inputs})


def decoded(latent: Latent) -> Image:
    return VAEDecode(context(), latent, checkpoint().vae)


@cache
def pipeline() -> Any:
    """diffusers' own text-to-image pipeline on the bundled checkpoint, in float32."""
    from diffusers import StableDiffusionPipeline

    pipe = StableDiffusionPipeline.from_pretrained(BUNDLED, dtype=torch.float32)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def copied_checkpoint(root: Path, **changes: dict[str, Any]) -> Path:
    """A copy of the bundled checkpoint as ``root/checkpoints/copy``, with settings of its configs changed.

    Args:
        changes: by component; a setting of ``None`` is left out of the config.
    """
    copy = root / "checkpoints" / "copy"
    shutil.copytree(BUNDLED, copy)
    for component, settings in changes.items():
        name = "scheduler_config.json" if component == "scheduler" else "config.json"
        path = copy / component / name
        config = {**json.loads(path.read_text()), **settings}
        path.write_text(json.dumps({key: value for key, value in config.items() if value is not None}))
    return copy


def difference(one: torch.Tensor, other: torch.Tensor) -> float:
    """Largest difference of two pictures, in 8-bit steps."""
    return float((one - other).abs().max()) * 255
