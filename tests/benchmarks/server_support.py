"""What the benchmarks of the server share: servers, workflows, memory and percentiles."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil

sys.path.insert(0, str(Path(__file__).parents[1] / "server"))

from served import Served

MIB = 1 << 20
ANSWER = {"a": {"type": "bench.Answer", "inputs": {"x": 0}}}
PACK = '''
import time

from nodegraph import node


@node(terminal=True)
def Answer(x: int = 0) -> int:
    """x + 1."""
    return x + 1


@node()
def Next(x: int = 0) -> int:
    """x + 1, not yet the end."""
    return x + 1


@node(terminal=True)
def Stamp(x: int = 0, times: int = 1, pause: float = 0.01) -> float:
    """Takes its time."""
    time.sleep(times * pause)
    return time.time()
'''


@contextmanager
def serving(*options: str, **settings: Any) -> Iterator[Served]:
    """A server in a process of its own, on folders that go with it."""
    with TemporaryDirectory() as folder:
        served = Served(Path(folder), *options, settings=settings or None, first=True)
        served.plugins.mkdir(parents=True)
        (served.plugins / "bench.py").write_text(PACK)
        served.start()
        try:
            yield served
        finally:
            if served.process is not None:
                served.end()


def workflow(nodes: dict[str, Any]) -> dict[str, Any]:
    """The body that submits these nodes."""
    return {"workflow": {"format": "nodegraph", "version": 1, "nodes": nodes}}


def processes_of(served: Served) -> tuple[psutil.Process, list[psutil.Process]]:
    """The server's process, and those of its workers."""
    assert served.process is not None
    server = psutil.Process(served.process.pid)
    return server, server.children()


def resident(served: Served) -> tuple[float, float]:
    """MiB in memory, of the server and of its workers."""
    server, workers = processes_of(served)
    return _resident(server), sum(map(_resident, workers))


def _resident(process: psutil.Process) -> float:
    """By the pages it has; the kernel's own count is off by ten MiB on a machine of many cores."""
    return sum(region.rss for region in process.memory_maps()) / MIB


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest of the values that at least this share of them does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def milliseconds(values: Sequence[float]) -> str:
    """Median and 99th percentile of seconds, as two cells of a table."""
    return f"{1000 * percentile(values, 0.5):.1f} | {1000 * percentile(values, 0.99):.1f}"
