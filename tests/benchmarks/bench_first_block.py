"""How much time FirstBlockCache saves, and what it does to the pictures of a small trained transformer.

    python tests/benchmarks/bench_first_block.py [--minutes 6] [--rounds 5] [--weights FILE]

No transformer is bundled, and random weights say nothing of how much the first block changes from step to
step. So one of Stable Diffusion 3's architecture, with six narrow blocks, is first taught what the bundled
model paints (rectified flow, Liu et al. 2023), and then sampled with and without the cache, in turns: the
ratio of the median times stands beside the signal-to-noise ratio of the pictures.
"""

from __future__ import annotations

import argparse
import dataclasses
import statistics
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from bench_step_caching import SIDE, Painter, psnr
from safetensors.torch import load_file, save_file
from torch import Tensor

from nodegraph import FileLocator
from nodes.conditioning.nodes import CLIPTextEncode
from nodes.latents.nodes import EmptyLatentImage
from nodes.sampling.caching.nodes import FirstBlockCache
from nodes.sampling.flow_schedule import TIMESTEP_SCALE, FlowSchedule
from nodes.sampling.nodes import KSampler
from nodes.types import Conditioning, Model
from nodes.vae.nodes import VAEDecode

SUBJECTS = ("a red apple", "an owl", "a yellow star", "a green tree", "a white cat", "a blue fish")
THRESHOLDS = (0.0, 0.05, 0.1, 0.15, 0.2, 0.3)
EACH, BATCH, STEPS, CFG, DROPPED = 16, 16, 20, 2.5, 0.1
WIDTH, POOLED = 192, 32
"""Of the bundled model's text embeddings, and of a pooled vector that the transformer is not told."""


@dataclass(frozen=True, eq=False)
class Made:
    """A recipe of what is there already."""

    module: Any

    def build(self, files: FileLocator, dtype: torch.dtype) -> Any:
        """The module."""
        return self.module


def transformer() -> Any:
    """A small network of Stable Diffusion 3's architecture, for latents of the bundled autoencoder."""
    from diffusers import SD3Transformer2DModel

    torch.manual_seed(0)
    return SD3Transformer2DModel(
        sample_size=SIDE // 8,
        patch_size=2,
        in_channels=4,
        num_layers=6,
        attention_head_dim=32,
        num_attention_heads=4,
        joint_attention_dim=WIDTH,
        caption_projection_dim=128,
        pooled_projection_dim=POOLED,
        out_channels=4,
        pos_embed_max_size=SIDE // 16,
    )


class Teacher:
    """Pictures of the bundled model as latents, each with the embeddings of its prompt."""

    def __init__(self, painter: Painter) -> None:
        self.painter = painter
        self.texts = torch.cat([self.said(subject) for subject in SUBJECTS])
        self.nothing = self.said("")
        self.latents = torch.stack([self.painted(subject) for subject in SUBJECTS])

    def prompt(self, text: str) -> Conditioning:
        """The bundled model's."""
        return CLIPTextEncode(self.painter.ctx, self.painter.clip, text)

    def said(self, text: str) -> Tensor:
        """``[1, tokens, width]``."""
        return self.prompt(text).prompts[0].embeddings

    def painted(self, text: str) -> Tensor:
        """Latents ``[pictures, 4, height, width]``."""
        ctx, model = self.painter.ctx, self.painter.model
        start, sides = EmptyLatentImage(SIDE, SIDE, EACH), (self.prompt(text), self.prompt(""))
        return KSampler(ctx, model, *sides, start, 1, 12, CFG, "dpmpp_2m", "karras").samples

    def batch(self, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Latents and embeddings, some of them those of no prompt."""
        subjects = torch.randint(len(SUBJECTS), (BATCH,), generator=generator)
        pictures = self.latents[subjects, torch.randint(EACH, (BATCH,), generator=generator)]
        dropped = torch.rand(BATCH, 1, 1, generator=generator) < DROPPED
        return pictures, torch.where(dropped, self.nothing, self.texts[subjects])


def teach(module: Any, teacher: Teacher, minutes: float) -> None:
    """Train until the time is up, and say how far it came."""
    optimiser = torch.optim.AdamW(module.parameters(), lr=1e-3, weight_decay=0.0)
    generator, until, losses = torch.Generator().manual_seed(0), time.monotonic() + 60 * minutes, [0.0]
    while time.monotonic() < until:
        pictures, texts = teacher.batch(generator)
        noise = torch.randn(pictures.shape, generator=generator)
        t = torch.rand(BATCH, generator=generator)
        noisy = torch.lerp(pictures, noise, t[:, None, None, None])
        told = {"encoder_hidden_states": texts, "pooled_projections": torch.zeros(BATCH, POOLED)}
        velocity = module(noisy, timestep=TIMESTEP_SCALE * t, **told, return_dict=False)[0]
        loss = (velocity - (noise - pictures)).square().mean()
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(module.parameters(), 1.0)
        optimiser.step()
        losses.append(float(loss.detach()))
    recent = statistics.mean(losses[-50:])
    print(f"taught for {len(losses) - 1} steps, {minutes:g} minutes; squared error {recent:.3f}", flush=True)


def as_model(module: Any) -> Model:
    """The transformer as nodes take it."""
    recipe = Made(module.eval().requires_grad_(False))
    return Model(recipe, "sd3", 4, WIDTH, FlowSchedule(), "flow")


def for_transformer(prompt: Conditioning) -> Conditioning:
    """The bundled model's prompt, as if it were one of Stable Diffusion 3."""
    prompts = (dataclasses.replace(one, pooled=torch.zeros(1, POOLED)) for one in prompt.prompts)
    return dataclasses.replace(prompt, prompts=tuple(prompts), family="sd3")


def main() -> None:
    """Teach, then print a row for each threshold."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=6.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--weights", type=Path, help="what was taught before; written where it is not there")
    options = parser.parse_args()
    painter = Painter(STEPS)
    module = taught(painter, options.minutes, options.weights)
    painter.positive, painter.negative = map(for_transformer, (painter.positive, painter.negative))
    print("threshold  faster   PSNR (least)")
    for threshold in THRESHOLDS:
        print(row(painter, as_model(module), threshold, options.rounds), flush=True)


def taught(painter: Painter, minutes: float, weights: Path | None) -> Any:
    """The transformer with its weights."""
    module = transformer()
    if weights and weights.is_file():
        module.load_state_dict(load_file(weights))
        return module
    teach(module, Teacher(painter), minutes)
    if weights:
        save_file(module.state_dict(), weights)
    return module


def row(painter: Painter, model: Model, threshold: float, rounds: int) -> str:
    """What one threshold does."""
    patched = FirstBlockCache(model, threshold)
    plain, cached, quality = [], [], []
    for seed in range(rounds):
        whole, seconds = paint(painter, model, seed)
        plain.append(seconds)
        near, seconds = paint(painter, patched, seed)
        cached.append(seconds)
        quality.append(psnr(near, whole))
    faster = statistics.median(plain) / statistics.median(cached)
    return f"{threshold:9} {faster:6.2f}x {statistics.median(quality):6.1f} dB ({min(quality):.1f})"


def paint(painter: Painter, model: Model, seed: int) -> tuple[Tensor, float]:
    """Pixels of one picture, and the processor's seconds that sampling took, whatever else it did."""
    start, latent = time.process_time(), EmptyLatentImage(SIDE, SIDE)
    sides = (painter.positive, painter.negative)
    made = KSampler(painter.ctx, model, *sides, latent, seed, STEPS, CFG, "euler", "simple")
    seconds = time.process_time() - start
    return VAEDecode(painter.ctx, made, painter.vae).pixels, seconds


if __name__ == "__main__":
    main()
