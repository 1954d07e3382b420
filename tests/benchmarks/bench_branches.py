"""Two independent branches of processor work, side by side and one after the other.

    python tests/benchmarks/bench_branches.py [--rounds 9] [--steps 4]

Each branch is a chain of nodes that do real single-threaded work outside the interpreter lock: convolutions
in torch on one thread, compression in zlib. The same graph runs with one worker and with two; rounds
alternate, medians are compared, and the results must be equal to the last bit. Beside it the bare functions
in plain threads: no engine can do better than these, and on a busy machine they gain little, too.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import Any

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
    return sha256(image.numpy().tobytes()).hexdigest()


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


Branch = Callable[[int], Any]
"""From the number of a branch to its end, in a graph or, with bare functions, at once."""


def convolutions(steps: int, *, bare: bool = False) -> Branch:
    """A branch of convolutions."""
    noise, convolve, digest = (Noise, Convolve, Digest) if bare else (Noise.node, Convolve.node, Digest.node)

    def branch(number: int) -> str:
        image = noise(number)
        for step in range(steps):
            image = convolve(image, step)
        return digest(image)

    return branch


def compression(steps: int, *, bare: bool = False) -> Branch:
    """A branch of compression."""
    make, compress, digest = (
        (Bytes, Compress, DigestBytes) if bare else (Bytes.node, Compress.node, DigestBytes.node)
    )

    def branch(number: int) -> str:
        data = make(number)
        for _ in range(max(1, steps // 2)):
            data = compress(data)
        return digest(data)

    return branch


def by_engine(branch: Branch, workers: int, folder: Path) -> Callable[[], list[str]]:
    """Runs both branches on an engine that keeps nothing, so that every round does all of the work."""
    workflow = Workflow.from_outputs(*(with_id(branch(number), f"branch {number}") for number in range(2)))
    folders = Folders(folder / "output")
    devices = DeviceManager(torch.device("cpu"), folders)
    engine = Engine(NodeRegistry(), ResultCache(), folders, devices, executor=LocalExecutor(workers))

    def run() -> list[str]:
        result = engine.run_sync(workflow)
        assert result.status == "done", result.errors
        return [outputs["digest"] for _, outputs in sorted(result.outputs.items())]

    return run


def by_threads(branch: Branch, workers: int) -> Callable[[], list[str]]:
    """Calls the bare functions of both branches in threads: what the machine gives."""

    def prepare() -> None:
        torch.set_num_threads(1)
        torch.set_grad_enabled(False)

    def run() -> list[str]:
        with ThreadPoolExecutor(workers, initializer=prepare) as threads:
            return list(threads.map(branch, range(2)))

    return run


def compare(name: str, ways: dict[tuple[str, int], Callable[[], list[str]]], rounds: int) -> None:
    """Print one row for the engine and one for bare threads."""
    digests = {tuple(way()) for way in ways.values()}  # and warm up
    seconds: dict[tuple[str, int], list[float]] = {key: [] for key in ways}
    for _ in range(rounds):
        for key, way in ways.items():
            started = time.perf_counter()
            digests.add(tuple(way()))
            seconds[key].append(time.perf_counter() - started)
    equal = "equal" if len(digests) == 1 else "DIFFERENT"
    for who in ("engine", "bare threads"):
        one, two = (statistics.median(seconds[who, workers]) for workers in (1, 2))
        print(f"| {name}, {who} | {one:.3f} s | {two:.3f} s | {one / two:.2f} x | {equal} |", flush=True)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--steps", type=int, default=4, help="heavy nodes per branch")
    options = parser.parse_args()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before\n")
    print("| two branches | one after the other | side by side | faster | hashes |")
    print("|---|---:|---:|---:|---|")
    with tempfile.TemporaryDirectory() as folder:
        for name, make in (("convolutions (torch)", convolutions), ("compression (zlib)", compression)):
            ways = {}
            for workers in (1, 2):
                ways["engine", workers] = by_engine(make(options.steps), workers, Path(folder))
                ways["bare threads", workers] = by_threads(make(options.steps, bare=True), workers)
            compare(name, ways, options.rounds)


if __name__ == "__main__":
    main()
