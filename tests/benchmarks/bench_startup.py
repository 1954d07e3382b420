"""How long the command line and the server take to start, beside what importing torch takes by itself.

    python tests/benchmarks/bench_startup.py [--rounds 9]

Every figure is the median over fresh processes; the commands take turns. A server is ready once ``/health``
answers; its memory is that of all its processes.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from server_support import ANSWER, resident, serving

WORKFLOW = Path(__file__).parents[2] / "workflows" / "text_to_image.json"
COMMANDS = {
    "python -c pass": ("-c", "pass"),
    "import torch": ("-c", "import torch"),
    "nodegraph --help": ("-m", "nodegraph", "--help"),
    "nodegraph nodes": ("-m", "nodegraph", "nodes"),
    "nodegraph validate text_to_image.json": (
        "-m",
        "nodegraph",
        "validate",
        str(WORKFLOW),
    ),
}


def run(arguments: tuple[str, ...], home: str) -> tuple[float, float]:
    """Wall and processor seconds of one process."""
    environment = {**os.environ, "NODEGRAPH_HOME": home, "NODEGRAPH_CACHE": home, "COLUMNS": "100"}
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL, env=environment)
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def serve() -> tuple[float, ...]:
    """Seconds until a server answers, of its first job and of its second; MiB before and after them."""
    started = time.perf_counter()
    with serving() as served:
        assert served.ask("GET", "/api/v1/health").status == 200
        ready, idle = time.perf_counter() - started, sum(resident(served))
        jobs = []
        for x in (1, 2):
            began = time.perf_counter()
            nodes = {"a": {**ANSWER["a"], "inputs": {"x": x}}}
            assert served.submit(nodes, wait=60)["state"] == "done"
            jobs.append(time.perf_counter() - began)
        return ready, *jobs, idle, sum(resident(served))


def print_servers(rounds: int) -> None:
    """Print the table of the server."""
    print("\n| `nodegraph serve` | ready, s | first job, s | second job, s | idle, MiB | after a job, MiB |")
    print("|---|---:|---:|---:|---:|---:|")
    medians = [statistics.median(figures) for figures in zip(*(serve() for _ in range(rounds)), strict=True)]
    print(
        "| |" + "|".join(f" {figure:.2f} " if figure < 100 else f" {figure:.0f} " for figure in medians) + "|"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in COMMANDS}
    with tempfile.TemporaryDirectory() as home:
        for turn in range(options.rounds + 1):
            for name, arguments in COMMANDS.items():
                taken = run(arguments, home)
                if turn:  # the first reads the files from disk
                    seconds[name].append(taken)
    print("| process | seconds | processor seconds |")
    print("|---|---:|---:|")
    for name, found in seconds.items():
        wall, processor = (statistics.median(figures) for figures in zip(*found, strict=True))
        print(f"| `{name}` | {wall:.2f} | {processor:.2f} |")
    print_servers(options.rounds)


if __name__ == "__main__":
    main()
