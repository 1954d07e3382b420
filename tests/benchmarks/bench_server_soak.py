"""Whether a server that is used for long stays as large as it was.

    python tests/benchmarks/bench_server_soak.py [--minutes 20]

A steady mix from another process: jobs submitted, some of them cancelled, listings, uploads, event streams
that stay and others that come and go. The history, the event log and the caches are bounded so that they
are full after the warm-up, a quarter of the time; after it, growth is the slope of a linear fit.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable

import aiohttp
import numpy as np
from server_support import MIB, Served, resident, serving, workflow

SAMPLE_SECONDS = 10.0
WARM_UP = 0.25
MAX_WAITING = 20
BOUNDS = {
    "keep_jobs": 200,
    "prune_every": 10.0,
    "event_log": 1000,
    "memory_cache": 8 * MIB,
    "disk_cache": 8 * MIB,
    "keep_previews": 4 * MIB,
}

Sample = tuple[float, float, float]


class Load:
    """Clients of one server; ``counts`` says what they did."""

    def __init__(self, session: aiohttp.ClientSession, seed: int = 1) -> None:
        self._session, self._random = session, random.Random(seed)
        self._numbers = itertools.count()
        self.counts: Counter[str] = Counter()

    async def submit(self) -> None:
        """Queue a job, unless many wait; cancel one in five."""
        async with self._session.get("/api/v1/queue") as reply:
            if len((await reply.json())["waiting"]) > MAX_WAITING:
                return
        async with self._session.post("/api/v1/jobs", json=workflow(self._nodes())) as reply:
            assert reply.status == 201, await reply.text()
            id = (await reply.json())["id"]
        self.counts["jobs"] += 1
        if self._random.random() < 0.2:
            async with self._session.post(f"/api/v1/jobs/{id}/cancel", json={}) as reply:
                assert reply.status == 200, await reply.text()
            self.counts["cancelled"] += 1

    def _nodes(self) -> dict[str, object]:
        number = next(self._numbers)
        image = {"width": 64, "height": 64, "color": f"#{number % (1 << 24):06x}"}
        return {
            "image": {"type": "EmptyImage", "inputs": image},
            "show": {"type": "PreviewImage", "links": {"images": ["image", "image"]}},
            "wait": {"type": "bench.Stamp", "inputs": {"x": number, "times": 2, "pause": 0.02}},
        }

    async def look(self) -> None:
        """List and count."""
        for path in ("/api/v1/jobs?limit=100", "/api/jobs?limit=50", "/history?max_items=20", "/queue"):
            async with self._session.get(path) as reply:
                assert reply.status == 200, await reply.text()
                await reply.read()
            self.counts["listings"] += 1

    async def upload(self) -> None:
        """Upload a file in place of the one before."""
        path = f"/api/v1/uploads?name=note{self._random.randrange(10)}.txt&overwrite=true"
        headers = {"Content-Type": "application/octet-stream"}
        async with self._session.post(path, data=b"hello " * 50_000, headers=headers) as reply:
            assert reply.status == 201, await reply.text()
        self.counts["uploads"] += 1

    async def listen(self, seconds: float) -> None:
        """Follow all events for a while, over one of the two kinds of streams."""
        path = self._random.choice(("/api/v1/events", f"/ws?clientId=soak{self._random.randrange(50)}"))
        async with self._session.ws_connect(path) as socket:
            try:
                async with asyncio.timeout(seconds):
                    async for _ in socket:
                        self.counts["events"] += 1
            except TimeoutError:
                self.counts["streams"] += 1


async def repeat(action: Callable[[], Awaitable[None]], every: float, until: float) -> None:
    """Do something again and again."""
    while time.monotonic() < until:
        await action()
        await asyncio.sleep(every)


async def sample(served: Served, until: float) -> list[Sample]:
    """Seconds, and MiB of server and worker, until the time is up."""
    start, found = time.monotonic(), []
    while time.monotonic() < until:
        server, worker = await asyncio.to_thread(resident, served)
        found.append((time.monotonic() - start, server, worker))
        await asyncio.sleep(SAMPLE_SECONDS)
    return found


async def soak(served: Served, minutes: float) -> tuple[list[Sample], Counter[str]]:
    """Load a server; how large it was, and what was done."""
    until = time.monotonic() + 60 * minutes
    async with aiohttp.ClientSession(served.url) as session:
        load = Load(session)
        tasks = [
            repeat(load.submit, 0.15, until),
            repeat(load.submit, 0.25, until),
            repeat(load.look, 0.5, until),
            repeat(load.upload, 1.0, until),
            repeat(lambda: load.listen(60.0), 0.0, until),
            repeat(lambda: load.listen(2.0), 0.2, until),
            repeat(lambda: load.listen(5.0), 0.2, until),
        ]
        found, *_ = await asyncio.gather(sample(served, until), *tasks)
    return found, load.counts


def report(samples: list[Sample]) -> None:
    """Print the table."""
    times, *columns = np.array(samples).T
    warm = times >= times[-1] * WARM_UP
    print("| process | MiB after the warm-up | MiB at the end | largest | growth, MiB per hour | ± |")
    print("|---|---:|---:|---:|---:|---:|")
    for name, sizes in zip(("server", "worker"), columns, strict=True):
        kept, hours = sizes[warm], times[warm] / 3600
        (slope, _), covariance = np.polyfit(hours, kept, 1, cov=True)
        cells = (kept[0], kept[-1], kept.max(), slope, 2 * covariance[0, 0] ** 0.5)
        print(f"| {name} | " + " | ".join(f"{cell:.1f}" for cell in cells) + " |")


def main() -> None:
    """Soak, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--samples", action="store_true", help="print every sample as well")
    options = parser.parse_args()
    with serving(**BOUNDS) as served:
        samples, counts = asyncio.run(soak(served, options.minutes))
        log = (served.folder / "log").read_text()
    if options.samples:
        for seconds, *sizes in samples:
            print(f"{seconds:7.0f} " + " ".join(f"{size:7.1f}" for size in sizes))
    report(samples)
    print(", ".join(f"{count} {name}" for name, count in sorted(counts.items())))
    print(f"{len(log.splitlines())} lines in the server's log")


if __name__ == "__main__":
    main()
