"""Two independent branches of processor work, side by side and one after the other.

    python tests/benchmarks/bench_branches.py [--rounds 9] [--steps 4]

Each branch is a chain of nodes that do real single-threaded work outside the interpreter lock: convolutions
in torch on one thread, compression in zlib. The same graph runs with one worker and with two; rounds
alternate, medians are compared, and the results must be equal to the last bit.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
import zlib
from hashlib import sha256
from pathlib import Path

import torch
from torch.nn.functional import conv2d

from nodegraph import node, with_id
from nodegraph.cache.results import ResultCache
from nodegraph.devices import DeviceManager
from nodegraph.engine import Engine
from nodegraph.execution.local import LocalExecutor
from nodegraph.files import Folders
from nodegraph.registry import NodeRegistry
from nodegraph.workflow import Workflow

SIDE, CHANNELS, LAYERS = 96, 32, 12
BYTES = 6 << 20


@node()
def Noise(seed: int) -> torch.Tensor:
    """Where a branch of convolutions starts."""
    return torch.randn(1, CHANNELS, SIDE, SIDE, generator=torch.Generator().manual_seed(seed))


@node()
def Convolve(image: torch.Tensor, seed: int) -> torch.Tensor:
    """Some layers of a small network."""
    generator = torch.Generator().manual_seed(seed)
    kernels = torch.randn(LAYERS, CHANNELS, CHANNELS, 3, 3, generator=generator) / CHANNELS
    for kernel in kernels:
        image = torch.tanh(conv2d(image, kernel, padding=1))
    return image


@node(outputs=["digest"])
def Digest(image: torch.Tensor) -> str:
    """SHA-256 of the values."""
    return sha256(image.numpy()).hexdigest()


@node(outputs=["data"])
def Bytes(seed: int) -> bytes:
    """Where a branch of compression starts: bytes with some order in them."""
    values = torch.randint(0, 16, (BYTES,), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))
    return bytes(values.numpy())


@node(outputs=["data"])
def Compress(data: bytes, level: int = 6) -> bytes:
    """Compressed, and as many bytes as before, so that the next node has as much to do."""
    return (zlib.compress(data, level) * 4)[: len(data)]


@node(outputs=["digest"])
def DigestBytes(data: bytes) -> str:
    """SHA-256 of the bytes."""
    return sha256(data).hexdigest()


def convolutions(steps: int) -> Workflow:
    """Two branches of convolutions."""
    ends = []
    for branch in range(2):
        image = Noise.node(branch)
        for step in range(steps):
            image = Convolve.node(image, step)
        ends.append(with_id(Digest.node(image), f"branch {branch}"))
    return Workflow.from_outputs(*ends)


def compression(steps: int) -> Workflow:
    """Two branches of compression."""
    ends = []
    for branch in range(2):
        data = Bytes.node(branch)
        for _ in range(max(1, steps // 2)):
            data = Compress.node(data)
        ends.append(with_id(DigestBytes.node(data), f"branch {branch}"))
    return Workflow.from_outputs(*ends)


def make_engine(workers: int, folder: Path) -> Engine:
    """An engine that keeps nothing, so that every round does all of the work."""
    folders = Folders(folder / "output")
    devices = DeviceManager(torch.device("cpu"), folders)
    return Engine(NodeRegistry(), ResultCache(), folders, devices, executor=LocalExecutor(workers))


def run(engine: Engine, workflow: Workflow) -> tuple[float, list[str]]:
    """Seconds, and the digests of both branches."""
    started = time.perf_counter()
    result = engine.run_sync(workflow)
    seconds = time.perf_counter() - started
    assert result.status == "done", result.errors
    return seconds, [outputs["digest"] for _, outputs in sorted(result.outputs.items())]


def compare(name: str, workflow: Workflow, rounds: int, folder: Path) -> None:
    """Print one row."""
    engines = {workers: make_engine(workers, folder) for workers in (1, 2)}
    seconds: dict[int, list[float]] = {1: [], 2: []}
    digests = {tuple(run(engine, workflow)[1]) for engine in engines.values()}  # warm
    for _ in range(rounds):
        for workers, engine in engines.items():
            taken, found = run(engine, workflow)
            seconds[workers].append(taken)
            digests.add(tuple(found))
    one, two = (statistics.median(seconds[workers]) for workers in (1, 2))
    equal = "equal" if len(digests) == 1 else "DIFFERENT"
    print(f"| {name} | {one:.3f} s | {two:.3f} s | {one / two:.2f} x | {equal} |", flush=True)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--steps", type=int, default=4, help="heavy nodes per branch")
    options = parser.parse_args()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before\n")
    print("| two branches of | one after the other | side by side | faster | hashes |")
    print("|---|---:|---:|---:|---|")
    with tempfile.TemporaryDirectory() as folder:
        compare("convolutions (torch)", convolutions(options.steps), options.rounds, Path(folder))
        compare("compression (zlib)", compression(options.steps), options.rounds, Path(folder))


if __name__ == "__main__":
    main()
