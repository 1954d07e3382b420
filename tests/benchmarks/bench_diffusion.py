"""Every pipeline through our nodes against diffusers' own, at equal settings and with weights in memory.

    python tests/benchmarks/bench_diffusion.py [--rounds 15] [--only SDXL]

The pairs are those of the table in docs/fidelity.md: from a prompt to latents, tiny weights, 16 x 16 latents,
so that what the Python around the network costs shows most. Rounds alternate, so that a busy machine slows
both alike. Nodes are called as functions; what the engine adds is in ``bench_overhead.py``.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "nodes"))
warnings.filterwarnings("ignore")

from pipeline_pairs import PAIRS, Pair, prepared  # noqa: E402

GOAL = 1.02


def seconds(make: Callable[[], object]) -> float:
    """How long one run takes."""
    start = time.perf_counter()
    make()
    return time.perf_counter() - start


def compared(pair: Pair, rounds: int) -> tuple[float, float, float]:
    """Median seconds of ours and of theirs, and the median of the rounds' ratios."""
    ways, times = (pair.ours, pair.theirs), ([], [])
    for turn in range(rounds + 1):
        for way in (0, 1) if turn % 2 else (1, 0):
            times[way].append(seconds(ways[way]))
    ours, theirs = (taken[1:] for taken in times)  # the first round loads and warms up
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    return statistics.median(ours), statistics.median(theirs), statistics.median(ratios)


def main() -> None:
    """Print one line per pipeline."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--only", default="", help="part of a pipeline's name")
    options = parser.parse_args()
    print("| what | ours, ms | diffusers, ms | ratio |\n|---|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as folder:
        place = prepared(Path(folder))
        for (what, _), make in PAIRS.items():
            if options.only in what:
                ours, theirs, ratio = compared(make(place), options.rounds)
                missed = "" if ratio <= GOAL else " (!)"
                print(
                    f"| {what} | {1000 * ours:.0f} | {1000 * theirs:.0f} | {ratio:.3f}{missed} |", flush=True
                )


if __name__ == "__main__":
    main()
