"""Stable Diffusion 1.5 and XL at their true size on an NVIDIA card, against diffusers' pipelines.

    python tests/benchmarks/bench_cuda.py [--models sd15 sdxl] [--rounds 5] [--compile] [--budget 6]

Random float16 weights, in memory; both sides run the very same modules, from encoded prompts to pixels on the
CPU, 20 steps of euler with guidance; rounds alternate, medians are compared. Ours is the whole engine. With
``--budget``, the process may take no more than so many GiB of the card, and every picture has prompts of its
own, so that encoders, network and autoencoder take turns on it.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "nodes"))

import diffusers
from family_files import true_size, write_file

from nodegraph import Workflow, with_id
from nodegraph.cache.memory import MemoryStore
from nodegraph.cache.results import ResultCache
from nodegraph.devices import DeviceManager
from nodegraph.engine import Engine
from nodegraph.files import Folders
from nodegraph.registry import NodeRegistry
from nodes import (
    CheckpointLoaderSimple,
    CLIPTextEncode,
    EmptyLatentImage,
    KSampler,
    TorchCompileModel,
    VAEDecode,
)

GIB = 1 << 30
SIDES = {"sd15": 512, "sdxl": 1024}
PIPELINES = {"sd15": "StableDiffusionPipeline", "sdxl": "StableDiffusionXLPipeline"}
PROMPT, NEGATIVE = "a red fox in the snow", "blurred"
STEPS, CFG = 20, 7.0
CUDA = torch.device("cuda:0")

Painter = Callable[[int], torch.Tensor]
"""From a seed to pixels ``[batch, height, width, 3]`` on the CPU."""


class Ours:
    """The engine over one checkpoint."""

    def __init__(self, root: Path, name: str, *, batch: int = 1, model_bytes: int | None = None) -> None:
        registry = NodeRegistry.with_plugins()
        folders = Folders(output=root / "output", models=(root,))
        self.devices = DeviceManager(CUDA, folders, model_bytes)
        self._engine = Engine(registry, ResultCache(MemoryStore(GIB)), folders, self.devices)
        self._name, self._batch = name, batch

    def painter(self, *, compiled: bool = False, new_prompts: bool = False) -> Painter:
        """Paints by the whole engine; encoded prompts come from the cache unless they are new."""

        def paint(seed: int) -> torch.Tensor:
            suffix = f" {seed}" if new_prompts else ""
            return self._run(seed, suffix, compiled=compiled)["decode"]["image"].pixels

        return paint

    def _run(self, seed: int, suffix: str, *, compiled: bool) -> Any:
        model, clip, vae = CheckpointLoaderSimple.node(self._name)
        sides = [CLIPTextEncode.node(clip, text + suffix) for text in (PROMPT, NEGATIVE)]
        network = TorchCompileModel.node(model) if compiled else model
        latent = EmptyLatentImage.node(*[SIDES[Path(self._name).stem]] * 2, self._batch)
        samples = KSampler.node(network, *sides, latent, seed, STEPS, CFG, "euler")
        kept = [with_id(VAEDecode.node(samples, vae), "decode"), with_id(model, "loader")]
        kept += [with_id(side, id) for side, id in zip(sides, ("positive", "negative"), strict=True)]
        return self._engine.run_sync(Workflow.from_outputs(*kept)).outputs

    def parts(self) -> tuple[Any, Any, Any, Any]:
        """The model, the autoencoder and both prompts as they lie on the wires."""
        found = self._run(0, "", compiled=False)
        loaded = found["loader"]
        return loaded["model"], loaded["vae"], *(found[id]["conditioning"] for id in ("positive", "negative"))


def by_pipeline(kind: str, unet: Any, vae: Any, positive: Any, negative: Any, batch: int) -> Painter:
    """diffusers' pipeline over the modules of ours, with the prompts encoded."""
    scheduler = diffusers.EulerDiscreteScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        timestep_spacing="linspace",
        steps_offset=1,
    )
    nothing = {"text_encoder": None, "tokenizer": None}
    if kind == "sd15":
        nothing |= {"safety_checker": None, "feature_extractor": None, "requires_safety_checker": False}
    else:
        nothing |= {"text_encoder_2": None, "tokenizer_2": None, "add_watermarker": False}
    pipeline = getattr(diffusers, PIPELINES[kind])(vae=vae, unet=unet, scheduler=scheduler, **nothing)
    pipeline.set_progress_bar_config(disable=True)

    def told(side: Any, suffix: str) -> dict[str, torch.Tensor]:
        prompt = side.prompts[0]
        kinds = {"prompt_embeds": prompt.embeddings, "pooled_prompt_embeds": prompt.pooled}
        if kind == "sd15":
            del kinds["pooled_prompt_embeds"]
        return {suffix + name: tensor.to(CUDA, unet.dtype) for name, tensor in kinds.items()}

    prompts = {**told(positive, ""), **told(negative, "negative_")}
    size = {"height": SIDES[kind], "width": SIDES[kind], "num_images_per_prompt": batch}

    @torch.no_grad()
    def paint(seed: int) -> torch.Tensor:
        latents = pipeline(
            **prompts,
            **size,
            num_inference_steps=STEPS,
            guidance_scale=CFG,
            generator=torch.Generator().manual_seed(seed),
            output_type="latent",
        ).images
        pixels = vae.decode(latents.to(vae.dtype) / vae.config.scaling_factor).sample
        return (pixels.float() / 2 + 0.5).clamp(0, 1).movedim(1, -1).cpu()

    return paint


def seconds(paint: Painter, seed: int) -> float:
    """How long one run takes, its pixels on the CPU."""
    torch.cuda.synchronize()
    start = time.perf_counter()
    paint(seed)
    return time.perf_counter() - start


def compared(ours: Painter, theirs: Painter, rounds: int) -> tuple[float, float, float]:
    """Median seconds of both and the median of the rounds' ratios; the first round warms up."""
    times: tuple[list[float], list[float]] = ([], [])
    for turn in range(rounds + 1):
        for way in (0, 1) if turn % 2 else (1, 0):
            times[way].append(seconds((ours, theirs)[way], turn + 1))
    mine, others = (taken[1:] for taken in times)
    ratios = [a / b for a, b in zip(mine, others, strict=True)]
    return statistics.median(mine), statistics.median(others), statistics.median(ratios)


def row(kind: str, what: str, batch: int, figures: tuple[float, float, float]) -> None:
    """Print one line of the table."""
    ours, theirs, ratio = figures
    name = f"{kind}, {SIDES[kind]} x {SIDES[kind]}, batch {batch}, {what}"
    print(f"| {name} | {batch / ours:.2f} | {batch / theirs:.2f} | {ratio:.3f} |", flush=True)


def bench(root: Path, kind: str, batch: int, rounds: int, *, compiled: bool) -> None:
    """One model without and, where asked for, with the compiler."""
    ours = Ours(root, f"{kind}.safetensors", batch=batch)
    model, vae, positive, negative = ours.parts()
    with ours.devices.lease(model.weights) as unet, ours.devices.lease(vae.weights) as autoencoder:
        theirs = by_pipeline(kind, unet, autoencoder, positive, negative, batch)
        row(kind, "eager", batch, compared(ours.painter(), theirs, rounds))
        if compiled:
            start = time.perf_counter()
            ours.painter(compiled=True)(0)
            print(f"(compiling took {time.perf_counter() - start:.0f} s)", flush=True)

            def compiled_theirs(seed: int) -> torch.Tensor:
                unet.compile()
                try:
                    return theirs(seed)
                finally:
                    unet._compiled_call_impl = None

            row(kind, "compiled", batch, compared(ours.painter(compiled=True), compiled_theirs, rounds))


def offloaded(root: Path, kind: str, budget: float, rounds: int) -> None:
    """A picture after the other, with new prompts each, on a card that is made small."""
    total = torch.cuda.mem_get_info(CUDA)[1]
    gc.collect()  # of the engine before
    torch.cuda.empty_cache()
    torch.cuda.set_per_process_memory_fraction(budget * GIB / total)
    torch.cuda.reset_peak_memory_stats()
    ours = Ours(root, f"{kind}.safetensors", model_bytes=int(0.75 * budget * GIB))
    taken = [seconds(ours.painter(new_prompts=True), seed) for seed in range(rounds + 1)]
    where = ", ".join(f"{model.bytes / GIB:.2f} GiB {model.place}" for model in ours.devices.loaded())
    print(
        f"{kind} within {budget} GiB: first {taken[0]:.1f} s, then {statistics.median(taken[1:]):.2f} s "
        f"a picture; at most {torch.cuda.max_memory_reserved() / GIB:.2f} GiB; "
        f"{ours.devices.builds} built; at the end {where}",
        flush=True,
    )
    torch.cuda.set_per_process_memory_fraction(1.0)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--models", nargs="+", choices=SIDES, default=list(SIDES))
    parser.add_argument("--batches", nargs="+", type=int, default=[1, 4])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--budget", type=float, help="GiB that the card shall seem to have")
    options = parser.parse_args()
    print(f"{torch.cuda.get_device_name()}, torch {torch.__version__}, diffusers {diffusers.__version__}")
    print("| what | ours, pictures/s | diffusers, pictures/s | time / time |\n|---|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for kind in options.models:
            with CUDA:
                write_file(root / "checkpoints" / f"{kind}.safetensors", true_size(kind))
            for batch in options.batches:
                first = options.compile and batch == options.batches[0]
                bench(root, kind, batch, options.rounds, compiled=first)
            if options.budget:
                offloaded(root, kind, options.budget, options.rounds)


if __name__ == "__main__":
    main()
