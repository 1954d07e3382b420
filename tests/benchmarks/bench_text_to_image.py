"""Text-to-image through the engine against the loop one writes by hand with diffusers.

    python tests/benchmarks/bench_text_to_image.py [--rounds 9] [--steps 20]

Both make the same pictures from the same prompts with weights already in memory; rounds alternate, so that a
busy machine slows both alike; medians are compared.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch

import nodes
from nodegraph import locations, with_id
from nodegraph.cache.results import ResultCache
from nodegraph.devices import DeviceManager
from nodegraph.engine import Engine
from nodegraph.registry import NodeRegistry
from nodegraph.workflow import Workflow
from nodes.checkpoints.nodes import CheckpointLoaderSimple
from nodes.conditioning.nodes import CLIPTextEncode
from nodes.latents.nodes import EmptyLatentImage
from nodes.sampling.nodes import KSampler
from nodes.vae.nodes import VAEDecode

MODELS = Path(nodes.__file__).parent / "models"
PROMPT, NEGATIVE = "a red apple on a blue background", ""
SIDE, CFG = 128, 2.5

Painter = Callable[[int], torch.Tensor]
"""From a seed to pixels ``[1, height, width, 3]``."""


def by_engine(steps: int) -> Painter:
    """The whole way: graph, validation, plan, executor, with no cache, so that every node runs."""
    registry = NodeRegistry.with_plugins()
    folders = locations.default_folders(registry, Path(tempfile.mkdtemp()))
    devices = DeviceManager(torch.device("cpu"), folders)
    engine = Engine(registry, ResultCache(), folders, devices)

    def paint(seed: int) -> torch.Tensor:
        model, clip, vae = CheckpointLoaderSimple.node()
        positive, negative = (CLIPTextEncode.node(clip, text) for text in (PROMPT, NEGATIVE))
        latent = EmptyLatentImage.node(SIDE, SIDE)
        samples = KSampler.node(model, positive, negative, latent, seed, steps, CFG, "ddim")
        workflow = Workflow.from_outputs(with_id(VAEDecode.node(samples, vae), "decode"))
        pixels: torch.Tensor = engine.run_sync(workflow).outputs["decode"]["image"].pixels
        return pixels

    return paint


def by_hand(steps: int) -> Painter:
    """The loop of diffusers' own tutorial."""
    from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
    from transformers import CLIPTextModel, CLIPTokenizer

    folder = MODELS / "checkpoints" / "emoji-sd"
    tokenizer = CLIPTokenizer.from_pretrained(folder, subfolder="tokenizer")
    text_encoder = CLIPTextModel.from_pretrained(folder, subfolder="text_encoder", dtype=torch.float32)
    unet = UNet2DConditionModel.from_pretrained(folder, subfolder="unet", dtype=torch.float32)
    vae = AutoencoderKL.from_pretrained(folder, subfolder="vae", dtype=torch.float32)
    scheduler = DDIMScheduler.from_pretrained(folder, subfolder="scheduler")

    def encode(text: str) -> torch.Tensor:
        ids = tokenizer(text, padding="max_length", truncation=True, return_tensors="pt").input_ids
        return text_encoder(ids)[0]

    @torch.no_grad()
    def paint(seed: int) -> torch.Tensor:
        embeddings = torch.cat([encode(NEGATIVE), encode(PROMPT)])
        latents = torch.randn(1, 4, SIDE // 8, SIDE // 8, generator=torch.Generator().manual_seed(seed))
        scheduler.set_timesteps(steps)
        for timestep in scheduler.timesteps:
            predicted = unet(torch.cat([latents] * 2), timestep, encoder_hidden_states=embeddings).sample
            away, toward = predicted.chunk(2)
            latents = scheduler.step(away + CFG * (toward - away), timestep, latents).prev_sample
        pixels = vae.decode(latents / vae.config.scaling_factor).sample
        return (pixels / 2 + 0.5).clamp(0, 1).movedim(1, -1)

    return paint


def in_a_thread(paint: Painter, seed: int) -> torch.Tensor:
    """Paint in a thread of its own, as the engine does.

    OpenMP keeps its helper threads for each thread that used them, and once there are more of them than
    cores they all wait in a slower way: a loop in the main thread would slow the engine, not be compared
    with it.
    """
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(paint, seed).result()


def seconds(paint: Painter, seed: int) -> float:
    """How long one picture takes."""
    start = time.perf_counter()
    in_a_thread(paint, seed)
    return time.perf_counter() - start


def main() -> None:
    """Print medians and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--steps", type=int, default=20)
    options = parser.parse_args()

    painters = {"by hand": by_hand(options.steps), "engine": by_engine(options.steps)}
    warm = [in_a_thread(paint, 0) for paint in painters.values()]
    print(f"largest difference: {float((warm[0] - warm[1]).abs().max()) * 255:.4f}/255")

    times: dict[str, list[float]] = {name: [] for name in painters}
    for turn in range(options.rounds):
        order = list(painters) if turn % 2 else list(reversed(painters))
        for name in order:
            times[name].append(seconds(painters[name], seed=turn))
    for name, taken in times.items():
        print(f"{name:8} {statistics.median(taken):.3f} s  ({min(taken):.3f} to {max(taken):.3f})")
    print(f"ratio    {statistics.median(times['engine']) / statistics.median(times['by hand']):.3f}")
    paired = [ours / theirs for ours, theirs in zip(times["engine"], times["by hand"], strict=True)]
    print(f"ratio    {statistics.median(paired):.3f}  (median over rounds)")


if __name__ == "__main__":
    main()
