"""The work of a run grows with the number of nodes, no faster; told by counting, not by the clock."""

import sys
import threading
from collections import Counter

import pytest
from engines import make_engine
from toy_nodes import toy_registry

from nodegraph import NodeContext, node
from nodegraph.workflow import Workflow

SMALL, LARGE = 300, 3000


def chain(count):
    nodes = {"n0": {"type": "Add", "inputs": {"a": 1}}}
    for i in range(1, count):
        nodes[f"n{i}"] = {"type": "Add", "links": {"a": [f"n{i - 1}", "int"]}}
    return Workflow.model_validate({"nodes": nodes}), [f"n{count - 1}"]


def wide(count):
    nodes = {f"n{i}": {"type": "Add", "inputs": {"a": i}} for i in range(count - 1)}
    nodes["all"] = {"type": "Total", "links": {"items": [[id, "int"] for id in nodes]}}
    return Workflow.model_validate({"nodes": nodes}), ["all"]


def ladder(count):
    """Two nodes side by side, each wired to both before it: 2 to the power of count paths."""
    nodes = {name: {"type": "Add", "inputs": {"a": 1}} for name in ("a0", "b0")}
    for i in range(1, count // 2):
        links = {"a": [f"a{i - 1}", "int"], "b": [f"b{i - 1}", "int"]}
        nodes |= {f"a{i}": {"type": "Add", "links": links}, f"b{i}": {"type": "Add", "links": links}}
    return Workflow.model_validate({"nodes": nodes}), [f"a{count // 2 - 1}", f"b{count // 2 - 1}"]


def loop(count):
    body = {
        "inputs": {"value": [["add", "a"]]},
        "outputs": {"value": ["add", "int"]},
        "nodes": {"add": {"type": "Add"}},
    }
    entry = {"type": "Repeat", "inputs": {"body": "body", "value": 0, "times": count}}
    return Workflow.model_validate({"nodes": {"loop": entry}, "subgraphs": {"body": body}}), ["loop"]


def nested(count):
    """Subgraphs inside one another, ``count`` deep."""
    subgraphs = {
        f"s{i}": {"outputs": {"out": ["n", "out"]}, "nodes": {"n": {"type": f"subgraph/s{i + 1}"}}}
        for i in range(count)
    }
    subgraphs[f"s{count}"] = {
        "outputs": {"out": ["n", "int"]},
        "nodes": {"n": {"type": "Add", "inputs": {"a": 1}}},
    }
    nodes = {"top": {"type": "subgraph/s0"}, "end": {"type": "Same", "links": {"value": ["top", "out"]}}}
    return Workflow.model_validate({"nodes": nodes, "subgraphs": subgraphs}), ["end"]


def calls_in(function, *args, **kwargs):
    """How many functions are called, in Python and in C, on all threads."""
    calls = Counter()

    def count(frame, event, argument):
        calls[event] += 1

    before = threading.getprofile(), sys.getprofile()
    threading.setprofile(count)
    sys.setprofile(count)
    try:
        function(*args, **kwargs)
    finally:
        threading.setprofile(before[0])
        sys.setprofile(before[1])
    return calls["call"] + calls["c_call"]


@pytest.mark.parametrize("shape", [chain, wide, ladder, loop])
def test_calls_and_events_per_node_do_not_grow(shape, tmp_path):
    figures = {}
    for count in (SMALL, LARGE):
        engine = make_engine(toy_registry(), tmp_path / str(count), workers=1)
        engine.run_sync(chain(2)[0], targets=["n1"])  # digests of the code are taken once
        workflow, targets = shape(count)
        events = []
        options = {"targets": targets, "on_event": events.append}
        cold = calls_in(engine.run_sync, workflow, **options)
        cached = calls_in(engine.run_sync, workflow, **options)
        figures[count] = cold, cached, len(events)
    for small, large in zip(figures[SMALL], figures[LARGE], strict=True):
        assert large <= small * LARGE / SMALL * 1.1


@node()
def Talk(ctx: NodeContext, steps: int) -> int:
    for step in range(steps):
        ctx.progress(step + 1, steps)
    return steps


def test_progress_is_told_once_for_every_step(tmp_path):
    registry = toy_registry()
    registry.add(Talk)
    nodes = {f"n{i}": {"type": "Talk", "inputs": {"steps": 50 + i}} for i in range(20)}
    events = []
    engine = make_engine(registry, tmp_path)
    engine.run_sync(Workflow.model_validate({"nodes": nodes}), targets=list(nodes), on_event=events.append)
    kinds = Counter(type(event).__name__ for event in events)
    assert kinds == {
        "RunStarted": 1,
        "NodeStarted": 20,
        "NodeProgress": sum(range(50, 70)),
        "NodeFinished": 20,
        "RunFinished": 1,
    }


@pytest.mark.parametrize(
    "shape", [chain, *(pytest.param(shape, marks=pytest.mark.slow) for shape in (wide, ladder))]
)
def test_a_hundred_thousand_nodes(shape, tmp_path):
    count = 100_000
    workflow, targets = shape(count)
    engine = make_engine(toy_registry(), tmp_path, memory_bytes=1 << 30)
    events = []
    cold = engine.run_sync(workflow, targets=targets, on_event=events.append)
    assert cold.status == "done"
    assert cold.executed == len(cold.nodes) == count
    assert len(events) == 2 * count + 2
    cached = engine.run_sync(workflow, targets=targets)
    assert cached.executed == 0
    assert cached.outputs == cold.outputs
    assert len(cached.nodes) == count


def test_subgraphs_nested_far_deeper_than_python_recurses(tmp_path):
    workflow, targets = nested(5 * sys.getrecursionlimit())
    result = make_engine(toy_registry(), tmp_path).run_sync(workflow, targets=targets)
    assert result.outputs["end"] == {"value": 2}
