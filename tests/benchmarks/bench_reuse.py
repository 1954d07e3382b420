"""What a second run reads and takes: another LoRA strength, no LoRA, another prompt, on loaded weights.

    python tests/benchmarks/bench_reuse.py

The bundled model and a LoRA of rank 8 with random weights, through the engine with its memory cache.
``mapped`` are the safetensors files whose weights were mapped (what is read of them, at most), ``read`` all
other bytes that went through the system's read calls (Linux).
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file

import nodes
from nodegraph import with_id
from nodegraph.cache.memory import MemoryStore
from nodegraph.cache.results import ResultCache
from nodegraph.devices import DeviceManager
from nodegraph.engine import Engine
from nodegraph.files import Folders
from nodegraph.registry import NodeRegistry
from nodegraph.workflow import Workflow
from nodes import CheckpointLoaderSimple, CLIPTextEncode, EmptyLatentImage, KSampler, LoraLoader, VAEDecode

MODELS = Path(nodes.__file__).parent / "models"
RANK, STEPS, SIDE = 8, 20, 128
MIB = 2**20


class Read:
    """Counts what the process reads from now on."""

    def __init__(self) -> None:
        self._mapped = 0
        sys.addaudithook(self._hook)

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "mmap.__new__":
            file, length = arguments[0], arguments[1]
            self._mapped += length or Path(f"/proc/self/fd/{file}").stat().st_size

    def totals(self) -> tuple[int, int]:
        """Bytes of files mapped, and bytes read, so far."""
        counters = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
        return self._mapped, int(counters["rchar"])


def make_lora(path: Path) -> None:
    """A LoRA over every attention of the bundled U-Net, under diffusers' names."""
    weights = MODELS / "checkpoints" / "emoji-sd" / "unet" / "diffusion_pytorch_model.safetensors"
    tensors = {}
    with safe_open(weights, framework="pt") as file:
        for name in file.keys():  # noqa: SIM118 - it is no mapping
            shape = file.get_slice(name).get_shape()
            if ".attn" in name and name.endswith(".weight") and len(shape) == 2:
                module = f"unet.{name.removesuffix('.weight')}"
                tensors[f"{module}.lora_A.weight"] = 0.02 * torch.randn(RANK, shape[1])
                tensors[f"{module}.lora_B.weight"] = 0.02 * torch.randn(shape[0], RANK)
    path.parent.mkdir(parents=True)
    save_file(tensors, path)


def workflow(prompt: str, strength: float) -> Workflow:
    """Text to image with a LoRA."""
    model, clip, vae = CheckpointLoaderSimple.node()
    model, clip = LoraLoader.node(model, clip, "random.safetensors", strength, strength)
    positive, negative = CLIPTextEncode.node(clip, prompt), CLIPTextEncode.node(clip, "")
    samples = KSampler.node(
        model, positive, negative, EmptyLatentImage.node(SIDE, SIDE), 1, STEPS, 2.5, "ddim"
    )
    return Workflow.from_outputs(with_id(VAEDecode.node(samples, vae), "decode"))


def main() -> None:
    """Print one line per run."""
    runs = {
        "first run": ("a red apple", 1.0),
        "another strength": ("a red apple", 0.5),
        "no LoRA": ("a red apple", 0.0),
        "another prompt": ("a green pear", 0.0),
        "the same again": ("a green pear", 0.0),
    }
    with tempfile.TemporaryDirectory() as folder:
        make_lora(Path(folder) / "loras" / "random.safetensors")
        folders = Folders(output=Path(folder), models=(MODELS, Path(folder)))
        registry = NodeRegistry.with_plugins()
        cache = ResultCache(MemoryStore(256 * MIB))
        engine = Engine(registry, cache, folders, DeviceManager(torch.device("cpu"), folders))
        counts = Read()
        print("| run | seconds | mapped, MiB | read, MiB |\n|---|---:|---:|---:|")
        for name, (prompt, strength) in runs.items():
            before, start = counts.totals(), time.perf_counter()
            engine.run_sync(workflow(prompt, strength))
            seconds, after = time.perf_counter() - start, counts.totals()
            mapped, read = ((late - early) / MIB for early, late in zip(before, after, strict=True))
            print(f"| {name} | {seconds:.2f} | {mapped:.1f} | {read:.1f} |", flush=True)


if __name__ == "__main__":
    main()
