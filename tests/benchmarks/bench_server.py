"""The server under load from another process: submit rate, latency of events, and how late its event loop is.

    python tests/benchmarks/bench_server.py [--seconds 5] [--clients 1 50 500]

The baseline is a bare aiohttp handler that commits one row to SQLite, in the same run. All over loopback.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aiohttp
from server_support import ANSWER, Served, milliseconds, serving, workflow

SETTINGS = {"max_sockets": 1000, "lag_every": 0.005}
WORKING = 4
QUEUED = 10_000
BATCH = 250
NODES = 1000
BARE = """
import asyncio, sqlite3, sys
from aiohttp import web

db = sqlite3.connect(sys.argv[1], isolation_level=None, check_same_thread=False)
for pragma in ("journal_mode = WAL", "synchronous = FULL"):
    db.execute(f"PRAGMA {pragma}")
db.execute("CREATE TABLE jobs (id INTEGER PRIMARY KEY, document TEXT)")

def keep(document):
    db.execute("BEGIN IMMEDIATE")
    db.execute("INSERT INTO jobs (document) VALUES (?)", (document,))
    db.execute("COMMIT")

lock = asyncio.Lock()

async def submit(request):
    document = await request.text()
    async with lock:
        await asyncio.to_thread(keep, document)
    return web.json_response({}, status=201)

app = web.Application()
app.router.add_post("/api/v1/jobs", submit)
web.run_app(app, host="127.0.0.1", port=int(sys.argv[2]), print=lambda text: print(text, flush=True))
"""


async def hammer(action: Callable[[], Awaitable[None]], seconds: float) -> list[float]:
    """Do something again and again from a few clients at once; how long each time took."""
    until, taken = time.perf_counter() + seconds, []

    async def client() -> None:
        while (start := time.perf_counter()) < until:
            await action()
            taken.append(time.perf_counter() - start)

    await asyncio.gather(*(client() for _ in range(WORKING)))
    return taken


async def submits(url: str, seconds: float) -> list[float]:
    """Seconds from sending a job to its being accepted."""
    async with aiohttp.ClientSession(url) as session:

        async def submit() -> None:
            async with session.post("/api/v1/jobs", json=workflow(ANSWER)) as reply:
                assert reply.status == 201, await reply.text()
                await reply.read()

        await submit()
        return await hammer(submit, seconds)


def bare(seconds: float) -> list[float]:
    """The same of a handler that does nothing but commit."""
    with TemporaryDirectory() as folder:
        database = str(Path(folder) / "bare.sqlite")
        process = subprocess.Popen(
            [sys.executable, "-c", BARE, database, "8193"], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        process.stdout.readline()
        try:
            return asyncio.run(submits("http://127.0.0.1:8193", seconds))
        finally:
            process.terminate()
            process.wait()
            process.stdout.close()


@asynccontextmanager
async def listening(url: str, count: int, latencies: list[float], sizes: list[int]) -> AsyncIterator[None]:
    """That many WebSocket clients while the block lasts; how old events are that come."""
    async with aiohttp.ClientSession(url, connector=aiohttp.TCPConnector(limit=0)) as session:
        sockets = [await session.ws_connect("/api/v1/events") for _ in range(count)]

        async def listen(socket: aiohttp.ClientWebSocketResponse) -> None:
            async for message in socket:
                now = time.time()
                sizes.append(len(message.data))
                latencies.append(now - json.loads(message.data)["time"])

        tasks = [asyncio.create_task(listen(socket)) for socket in sockets]
        yield
        await asyncio.sleep(0.5)
        for task, socket in zip(tasks, sockets, strict=True):
            await socket.close()
            await task


async def events(url: str, clients: int, jobs: int) -> tuple[list[float], int]:
    """Latency of the events of small jobs, one after the other, and bytes per client."""
    latencies: list[float] = []
    sizes: list[int] = []
    async with listening(url, clients, latencies, sizes), aiohttp.ClientSession(url) as session:
        for number in range(jobs):
            nodes = {"a": {"type": "bench.Stamp", "inputs": {"x": time.time_ns() + number}}}
            async with session.post("/api/v1/jobs?wait=30", json=workflow(nodes)) as reply:
                assert (await reply.json())["state"] == "done"
    return latencies, sum(sizes) // clients


async def large_run(url: str) -> int:
    """Bytes that one client gets of a run of many trivial nodes."""
    chain: dict[str, Any] = {"n0": {"type": "bench.Next", "inputs": {"x": time.time_ns()}}}
    for number in range(1, NODES - 1):
        chain[f"n{number}"] = {"type": "bench.Next", "links": {"x": [f"n{number - 1}", "int"]}}
    chain["end"] = {"type": "bench.Answer", "links": {"x": [f"n{NODES - 2}", "int"]}}
    sizes: list[int] = []
    async with listening(url, 1, [], sizes), aiohttp.ClientSession(url) as session:
        reply = await session.post("/api/v1/jobs?wait=60", json=workflow(chain))
        assert (await reply.json())["state"] == "done"
    return sum(sizes)


async def fill_queue(url: str) -> None:
    """Pause the queue and let many jobs wait."""
    async with aiohttp.ClientSession(url) as session:
        await session.post("/api/v1/queue/pause", json={})
        for _ in range(QUEUED // BATCH):
            body = workflow(ANSWER) | {"variants": [{"a.x": number} for number in range(BATCH)]}
            async with session.post("/api/v1/jobs/batch", json=body) as reply:
                assert reply.status == 201, await reply.text()


async def listings(url: str, seconds: float) -> dict[str, list[float]]:
    """Seconds that looking at the queue takes."""
    found = {}
    async with aiohttp.ClientSession(url) as session:
        for path in ("/api/v1/queue", "/api/v1/jobs?limit=100", "/queue"):

            async def look(path: str = path) -> None:
                async with session.get(path) as reply:
                    assert reply.status == 200, await reply.text()
                    await reply.read()

            found[path] = await hammer(look, seconds)
    return found


def longest_block(served: Served) -> float:
    """Milliseconds that the server has held its event loop up at most."""
    text = served.ask("GET", "/api/v1/metrics").body.decode()
    [line] = [
        line for line in text.splitlines() if line.startswith("nodegraph_event_loop_blocked_seconds_max ")
    ]
    return 1000 * float(line.split()[1])


def row(name: str, taken: list[float], seconds: float | None) -> None:
    """Print one row of the table."""
    rate = f"{len(taken) / seconds:.0f}" if seconds else ""
    print(f"| {name} | {rate} | {milliseconds(taken)} |", flush=True)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 50, 500])
    options = parser.parse_args()
    seconds = options.seconds
    print("| what | per second | p50, ms | p99, ms |\n|---|---:|---:|---:|")
    with serving(**SETTINGS, max_queued=10**6) as served:
        url = served.url
        served.submit(ANSWER, wait=60)
        size = asyncio.run(large_run(url))
        for count in options.clients:
            latencies, _ = asyncio.run(events(url, count, 20))
            row(f"published → received, {count} clients", latencies, None)
        row("bare handler, one commit", bare(seconds), seconds)
        row("submit → accepted", asyncio.run(submits(url, seconds)), seconds)
        asyncio.run(fill_queue(url))
        row("submit → accepted, 10,000 waiting", asyncio.run(submits(url, seconds)), seconds)
        for path, taken in asyncio.run(listings(url, seconds / 2)).items():
            row(f"`GET {path}`, 10,000 waiting", taken, seconds / 2)
        print(f"\nA run of {NODES:,} trivial nodes sends {size / 1e6:.2f} MB to a client.")
        print(f"The event loop was held up for {longest_block(served):.0f} ms at most.")


if __name__ == "__main__":
    main()
