"""How much time DeepCache saves on the bundled model, and what it does to the pictures.

    python tests/benchmarks/bench_step_caching.py [--rounds 5] [--steps 20]

For each setting the same pictures are made with and without it, in turns; the ratio of the median times
stands beside the signal-to-noise ratio of the pictures, those without it being the signal.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import torch

import nodes
from nodegraph.files import Folders
from nodegraph.testing import TestContext
from nodes.checkpoints.nodes import CheckpointLoaderSimple
from nodes.conditioning.nodes import CLIPTextEncode
from nodes.latents.nodes import EmptyLatentImage
from nodes.sampling.caching.nodes import DeepCache
from nodes.sampling.nodes import KSampler
from nodes.types import Model
from nodes.vae.nodes import VAEDecode

MODELS = Path(nodes.__file__).parent / "models"
PROMPT, SIDE, CFG = "a red apple on a blue background", 128, 2.5
SETTINGS = ((1, 1), (2, 1), (2, 3), (3, 0), (3, 1), (3, 3), (5, 1), (5, 3))
"""Interval and depth."""


class Painter:
    """Makes latents from seeds, with weights already in memory."""

    def __init__(self, steps: int) -> None:
        self.steps = steps
        self.ctx = TestContext(Folders(output=Path(tempfile.mkdtemp()), models=(MODELS,)))
        self.model, self.clip, self.vae = CheckpointLoaderSimple(self.ctx)
        self.positive, self.negative = (CLIPTextEncode(self.ctx, self.clip, text) for text in (PROMPT, ""))

    def paint(self, model: Model, seed: int) -> tuple[torch.Tensor, float]:
        """Pixels of one picture, and the seconds that sampling took."""
        latent = EmptyLatentImage(SIDE, SIDE)
        start = time.perf_counter()
        made = KSampler(
            self.ctx, model, self.positive, self.negative, latent, seed, self.steps, CFG, "dpmpp_2m", "karras"
        )
        seconds = time.perf_counter() - start
        return VAEDecode(self.ctx, made, self.vae).pixels, seconds


def psnr(picture: torch.Tensor, signal: torch.Tensor) -> float:
    """In decibels, of pixels in 0..1."""
    return float(-10 * torch.log10((picture - signal).square().mean().clamp(min=1e-12)))


def main() -> None:
    """Print a row for each setting."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=20)
    options = parser.parse_args()
    painter = Painter(options.steps)
    painter.paint(painter.model, 0)
    print("interval  depth  faster   PSNR (least)")
    for interval, depth in SETTINGS:
        patched = DeepCache(painter.model, interval, depth)
        plain, cached, quality = [], [], []
        for seed in range(options.rounds):
            whole, seconds = painter.paint(painter.model, seed)
            plain.append(seconds)
            near, seconds = painter.paint(patched, seed)
            cached.append(seconds)
            quality.append(psnr(near, whole))
        faster = statistics.median(plain) / statistics.median(cached)
        print(
            f"{interval:8} {depth:6} {faster:6.2f}x {statistics.median(quality):6.1f} dB ({min(quality):.1f})"
        )


if __name__ == "__main__":
    main()
