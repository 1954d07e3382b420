"""What the engine itself costs: graphs of trivial nodes, from building the graph to the last event.

    python tests/benchmarks/bench_overhead.py [--quick]

Every run goes through ``Engine.run`` with both caches on and a subscriber that receives every event. Shown
are medians of several rounds, in µs per node of wall time, with the processor time of all threads in
brackets: on a busy machine that is the figure to trust.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import networkx as nx
import torch  # noqa: F401 - the built-in nodes bring it, and some checks are made only where it is there

from nodegraph import node
from nodegraph.cache.disk import DiskStore
from nodegraph.cache.memory import MemoryStore
from nodegraph.cache.results import ResultCache
from nodegraph.collector import collector_paused
from nodegraph.declaration import NodeFunction
from nodegraph.devices import DeviceManager, pick_device
from nodegraph.engine import Engine
from nodegraph.files import Folders
from nodegraph.graph import build_graph
from nodegraph.planning import make_plan
from nodegraph.registry import NodeRegistry
from nodegraph.validation import analyse
from nodegraph.workflow import Workflow
from nodes.flow.nodes import Repeat

R = TypeVar("R")

GIB = 1 << 30
SIZES = {1_000: 15, 10_000: 7, 100_000: 3}
ITERATIONS = {100: 9, 1_000: 5, 10_000: 3}
QUICK = 10_000


@node()
def Increment(x: int = 0, by: int = 1) -> int:
    """x + by."""
    return x + by


@node(terminal=True)
def Show(x: int) -> int:
    """The end of a graph."""
    return x


FUNCTIONS: dict[str, NodeFunction[..., int, ..., int]] = {"Increment": Increment, "Show": Show}


def chain(count: int, last: int = 1) -> Workflow:
    """``count`` nodes in a row; ``last`` is a constant of the node three before the end."""
    nodes: dict[str, Any] = {"n0": {"type": "Increment", "inputs": {"x": 0}}}
    for i in range(1, count - 1):
        by = last if i == count - 4 else 1
        nodes[f"n{i}"] = {"type": "Increment", "inputs": {"by": by}, "links": {"x": [f"n{i - 1}", "int"]}}
    nodes["end"] = {"type": "Show", "links": {"x": [f"n{count - 2}", "int"]}}
    return Workflow.model_validate({"nodes": nodes})


def wide(count: int, last: int = 1) -> Workflow:
    """Half as many pairs of nodes that have nothing to do with one another."""
    pairs = count // 2
    sources = {
        f"n{i}": {"type": "Increment", "inputs": {"x": i, "by": last if i == pairs - 1 else 1}}
        for i in range(pairs)
    }
    ends = {f"s{i}": {"type": "Show", "links": {"x": [f"n{i}", "int"]}} for i in range(pairs)}
    return Workflow.model_validate({"nodes": {**sources, **ends}})


SHAPES = {"chain": chain, "wide": wide}


@contextmanager
def new_engine() -> Iterator[Engine]:
    """An engine with empty caches of the default sizes."""
    registry = registry_of_functions()
    registry.add(Repeat)
    with tempfile.TemporaryDirectory() as folder:
        folders = Folders(Path(folder) / "output")
        cache = ResultCache(MemoryStore(2 * GIB), DiskStore(Path(folder) / "results", 20 * GIB))
        yield Engine(registry, cache, folders, DeviceManager(pick_device("cpu"), folders))


class Timing(NamedTuple):
    """Seconds that something took."""

    wall: float
    processor: float


def timed(action: Callable[..., R], *arguments: Any) -> tuple[Timing, R]:
    """Time one call; returns its result as well."""
    wall, processor = time.perf_counter(), time.process_time()
    result = action(*arguments)
    return Timing(time.perf_counter() - wall, time.process_time() - processor), result


def median(timings: list[Timing]) -> Timing:
    """The medians of both figures."""
    walls, processors = zip(*timings, strict=True)
    return Timing(statistics.median(walls), statistics.median(processors))


def run(engine: Engine, workflow: Workflow) -> int:
    """One run; returns how many events there were."""
    events = [0]

    def receive(event: object) -> None:
        events[0] += 1

    result = engine.run_sync(workflow, on_event=receive)
    assert result.status == "done", result.errors
    return events[0]


def states(shape: Callable[..., Workflow], count: int, rounds: int) -> dict[str, Timing]:
    """Cold, fully cached, and with one node changed near the end."""
    workflow, changed = shape(count), [shape(count, last) for last in range(2, rounds + 2)]
    found: dict[str, list[Timing]] = {"cold": [], "cached": [], "one changed": []}
    for turn in range(rounds):
        with new_engine() as engine:
            found["cold"].append(timed(run, engine, workflow)[0])
            found["cached"].append(timed(run, engine, workflow)[0])
            found["one changed"].append(timed(run, engine, changed[turn])[0])
    return {state: median(timings) for state, timings in found.items()}


def baselines(workflow: Workflow, rounds: int) -> dict[str, Timing]:
    """The bare functions in topological order, and networkx finding that order."""
    order = build_graph(workflow, registry_of_functions()).order
    return {
        "bare functions": median([timed(call_in_order, workflow, order)[0] for _ in range(rounds)]),
        "networkx order": median([timed(sort_with_networkx, workflow)[0] for _ in range(rounds)]),
    }


def registry_of_functions() -> NodeRegistry:
    """The nodes of this file."""
    registry = NodeRegistry()
    for function in FUNCTIONS.values():
        registry.add(function)
    return registry


def call_in_order(workflow: Workflow, order: list[str]) -> dict[str, int]:
    """What one would write without an engine."""
    values: dict[str, int] = {}
    for id in order:
        entry = workflow.nodes[id]
        wired = {name: values[link.node] for name, link in entry.links.items()}  # type: ignore[union-attr]
        values[id] = FUNCTIONS[entry.type](**entry.inputs, **wired)
    return values


def sort_with_networkx(workflow: Workflow) -> list[str]:
    """A graph of the links, and its order."""
    edges = ((link.node, id) for id, entry in workflow.nodes.items() for link in entry.links.values())  # type: ignore[union-attr]
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(workflow.nodes)
    graph.add_edges_from(edges)
    return list(nx.topological_sort(graph))


def parts(workflow: Workflow, rounds: int) -> dict[str, Timing]:
    """Where the time of a cold run goes, short of running the nodes."""
    found: dict[str, list[Timing]] = {"build": [], "validate": [], "plan": []}
    for _ in range(rounds):
        with new_engine() as engine, collector_paused():
            timing, graph = timed(build_graph, workflow, engine.registry)
            found["build"].append(timing)
            timing, analysis = timed(analyse, graph, engine.folders)
            found["validate"].append(timing)
            plan = partial(make_plan, folders=engine.folders, analysis=analysis)
            found["plan"].append(timed(plan, graph, None, engine.cache)[0])
    return {part: median(timings) for part, timings in found.items()}


def repeat(times: int, rounds: int) -> Timing:
    """A loop with one trivial node in its body."""
    body = {
        "inputs": {"value": [["add", "x"]]},
        "outputs": {"value": ["add", "int"]},
        "nodes": {"add": {"type": "Increment"}},
    }
    nodes = {
        "loop": {"type": "Repeat", "inputs": {"body": "body", "value": 0, "times": times}},
        "end": {"type": "Show", "links": {"x": ["loop", "value"]}},
    }
    workflow = Workflow.model_validate({"nodes": nodes, "subgraphs": {"body": body}})
    found = []
    for _ in range(rounds):
        with new_engine() as engine:
            found.append(timed(run, engine, workflow)[0])
    return median(found)


def memory_in_child(shape: str, count: int) -> dict[str, float]:
    """Bytes per node of the workflow document and of a run, in a process that does nothing else."""
    command = [sys.executable, __file__, "--measure-memory", shape, str(count)]
    return dict(json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout))


def measure_memory(shape: str, count: int) -> None:
    """Print what ``memory_in_child`` returns."""
    with new_engine() as engine:
        run(engine, SHAPES[shape](10))
        before = peak_bytes()
        workflow = SHAPES[shape](count)
        loaded = peak_bytes()
        events = run(engine, workflow)
        figures = {
            "document": (loaded - before) / count,
            "run": (peak_bytes() - loaded) / count,
            "events": events / count,
        }
    print(json.dumps(figures))


def peak_bytes() -> int:
    """The largest this process has been."""
    for line in Path("/proc/self/status").read_text().splitlines():  # getrusage would tell the parent's
        if line.startswith("VmHWM"):
            return int(line.split()[1]) * 1024
    raise OSError("this kernel does not tell how large a process has been")


def cell(timing: Timing, count: int) -> str:
    """µs per node, wall and processor."""
    return f"{timing.wall / count * 1e6:.1f} ({timing.processor / count * 1e6:.1f})"


def print_table(head: list[str], rows: list[list[str]]) -> None:
    """As markdown."""
    print("| " + " | ".join(head) + " |")
    print("|---" + "|---:" * (len(head) - 1) + "|")
    for row in rows:
        print("| " + " | ".join(row) + " |", flush=True)
    print()


def print_overhead(sizes: dict[int, int]) -> None:
    """The main table."""
    rows = []
    for name, shape in SHAPES.items():
        for count, rounds in sizes.items():
            timings = {**states(shape, count, rounds), **baselines(shape(count), rounds)}
            memory = memory_in_child(name, count)
            rows.append(
                [
                    f"{name}, {count:,}",
                    *(cell(timing, count) for timing in timings.values()),
                    f"{memory['run'] / 1024:.2f}",
                    f"{memory['events']:.2f}",
                ]
            )
    states_and_baselines = ["cold", "cached", "one changed", "bare functions", "networkx order"]
    print("µs per node, wall (processor); memory is what a cold run adds to the peak of the process.\n")
    print_table(["graph, nodes", *states_and_baselines, "KiB per node", "events per node"], rows)


def print_parts(sizes: dict[int, int]) -> None:
    """How much of a cold run comes before the first node runs."""
    rows = [
        [
            f"{name}, {count:,}",
            *(cell(timing, count) for timing in parts(shape(count), rounds).values()),
        ]
        for name, shape in SHAPES.items()
        for count, rounds in sizes.items()
    ]
    print_table(["before the first node runs", "build", "validate", "plan"], rows)


def print_loops(iterations: dict[int, int]) -> None:
    """The cost of a loop, per iteration."""
    rows = [[f"{count:,}", cell(repeat(count, rounds), count)] for count, rounds in iterations.items()]
    print_table(["Repeat, iterations", "µs per iteration"], rows)


def main() -> None:
    """Parse the command line and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help=f"nothing above {QUICK:,} nodes, three rounds")
    parser.add_argument("--measure-memory", nargs=2, metavar=("SHAPE", "NODES"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure_memory:
        measure_memory(options.measure_memory[0], int(options.measure_memory[1]))
        return
    sizes, iterations = SIZES, ITERATIONS
    if options.quick:
        sizes = {count: 3 for count in SIZES if count <= QUICK}
        iterations = {count: 3 for count in ITERATIONS if count < QUICK}
    print_overhead(sizes)
    print_parts(sizes)
    print_loops(iterations)


if __name__ == "__main__":
    main()
