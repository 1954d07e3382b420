"""What is said of results that are gone, and of what happens inside loops."""

from __future__ import annotations

import time
from typing import Annotated, Any

import pytest
import torch

from nodegraph import Body, Lazy, NodeContext, OutputFile, Subgraph, node, trace, with_id
from nodegraph.cache.results import KeepPolicy
from nodegraph.engine import Engine
from nodegraph.workflow import Workflow
from nodes.flow.nodes import ForEach, Repeat, Switch

COSTLY_ONLY = KeepPolicy(min_seconds=1000)


@node()
def Add(a: int = 0, b: int = 1) -> int:
    return a + b


@node()
def Zeros(length: int) -> torch.Tensor:
    return torch.zeros(length)


@node()
def Slowly(a: int, b: int) -> int:
    time.sleep(0.003)
    return a + b


class Handle:
    """A value that no file can hold."""


@node()
def Open() -> Handle:
    time.sleep(0.001)
    return Handle()


@node()
def Is(condition: bool = True) -> bool:
    return condition


@node(terminal=True)
def Save(ctx: NodeContext, value: Any) -> OutputFile:
    return ctx.save(repr(value).encode(), prefix="value", suffix=".txt", media_type="text/plain")


@node(outputs=["sum"])
def AddTwice(ctx: NodeContext, value: int = 0) -> int | Subgraph:
    return Subgraph(sum=Add.node(Add.node(ctx.input("value"), 1), 10))


@node(outputs=["value"])
def TwiceAs(ctx: NodeContext, body: Body, value: Annotated[int, Lazy()] = 0) -> int | Subgraph:
    once, _ = body.call(value=ctx.input("value"))
    again, _ = body.call(value=once["result"])
    return Subgraph(value=again["result"])


def explanations(engine: Engine, handle: Any) -> dict[str, str]:
    result = engine.run_sync(Workflow.from_outputs(handle), scope="test")
    assert result.status == "done", result.errors
    return result.explanations


def add(a: int = 1) -> Any:
    return with_id(Add.node(a), "add")


# --- results that are gone ------------------------------------------------------------------------------


def test_a_result_that_was_on_disk_and_is_gone_was_evicted(make_engine):
    explanations(make_engine(disk=True), add())
    make_engine(disk=True).cache.disk.clear()
    assert explanations(make_engine(disk=True), add()) == {
        "add": "miss: evicted: it was on disk, and is gone"
    }


def test_that_it_was_on_disk_is_not_forgotten_while_it_is_not_needed(make_engine):
    save = with_id(Save.node(add()), "save")
    explanations(make_engine(disk=True), save)
    other, engine = make_engine(disk=True), make_engine(disk=True)
    other.cache.disk.delete(other.plan(Workflow.from_outputs(save)).keys["add"])
    assert explanations(engine, save)["add"] == "not needed: a later result is on disk"
    engine.cache.disk.clear()
    found = explanations(make_engine(disk=True), save)
    assert found["add"] == "miss: evicted: it was on disk, and is gone"


def test_a_quick_result_was_too_cheap_to_keep(make_engine):
    explanations(make_engine(disk=True, policy=COSTLY_ONLY), add())
    found = explanations(make_engine(disk=True, policy=COSTLY_ONLY), add())
    assert found == {"add": "miss: too cheap to keep: it took under 1 ms"}


def test_a_result_larger_than_its_time_was_too_cheap_to_keep(make_engine):
    policy = KeepPolicy(min_seconds=0.0, bytes_per_second=1.0)
    zeros = with_id(Zeros.node(100_000), "zeros")
    explanations(make_engine(disk=True, policy=policy), zeros)
    found = explanations(make_engine(disk=True, policy=policy), zeros)
    assert found["zeros"].startswith("miss: too cheap to keep: it took ")


def test_a_result_of_a_kind_that_has_no_file_could_not_be_kept(make_engine):
    opened = with_id(Open.node(), "open")
    explanations(make_engine(disk=True), opened)
    assert explanations(make_engine(disk=True), opened) == {"open": "miss: it could not be kept on disk"}


def test_without_a_disk_a_result_may_be_evicted_from_memory(make_engine):
    engine = make_engine()
    explanations(engine, add())
    engine.cache.memory.clear()
    assert explanations(engine, add()) == {"add": "miss: evicted: it was in memory, and is gone"}


def test_a_changed_input_counts_before_all_that(make_engine):
    engine = make_engine(disk=True)
    explanations(engine, add())
    engine.cache.disk.clear()
    assert explanations(engine, add(2)) == {"add": "miss: input a changed"}


def test_what_turned_out_to_be_needed_is_told_as_it_was(make_engine):
    first = with_id(Add.node(1), "first")
    chosen = with_id(Switch.node(with_id(Is.node(), "is"), first, 5), "switch")
    assert explanations(make_engine(), chosen)["first"] == "miss: new node"


# --- loops ----------------------------------------------------------------------------------------------


def step(value: Any) -> Any:
    return Add.node(Add.node(value, 1), 10)


def loop(times: int) -> Any:
    return with_id(Repeat.node(trace(step), add(), times), "loop")


def test_of_a_loop_it_is_told_how_many_iterations_were_cached(make_engine):
    engine = make_engine(disk=True)
    assert explanations(engine, loop(3))["loop"] == "miss: new node; 0 of 3 iterations from the cache"
    again = explanations(make_engine(disk=True), loop(5))
    assert again["loop"] == "miss: input times changed; 3 of 5 iterations from the cache"
    assert explanations(engine, loop(5)) == {
        "add": "not needed: a later result is on disk",
        "loop": "hit: on disk",
    }


def test_an_iteration_counts_as_one_whatever_its_nodes_depend_on(make_engine):
    def slowed(value: Any) -> Any:
        return Slowly.node(Add.node(1, 2), value)  # the first of these is quick, and the same each time

    policy = KeepPolicy(min_seconds=0.002, bytes_per_second=float("inf"))
    explanations(make_engine(disk=True, policy=policy), with_id(Repeat.node(trace(slowed), 1, 2), "loop"))
    engine = make_engine(disk=True, policy=policy)
    result = engine.run_sync(
        Workflow.from_outputs(with_id(Repeat.node(trace(slowed), 1, 3), "loop")), scope="test"
    )
    assert result.explanations["loop"] == "miss: input times changed; 2 of 3 iterations from the cache"
    assert result.nodes["loop/Slowly2-2"].origin == "disk"
    assert {id for id, record in result.nodes.items() if record.origin == "run"} <= {
        "loop",
        "loop/Add1-3",
        "loop/Slowly2-3",
    }


def test_of_a_loop_over_a_list_it_is_told_too(make_engine):
    def each(item: Any) -> Any:
        return Add.node(item, 10)

    engine = make_engine()
    explanations(engine, with_id(ForEach.node(trace(each), [1, 2, 3]), "each"))
    found = explanations(engine, with_id(ForEach.node(trace(each), [1, 7, 3, 8]), "each"))
    assert found == {"each": "miss: input items changed; 2 of 4 iterations from the cache"}


def test_of_a_loop_in_a_loop_the_outer_iterations_are_counted(make_engine):
    def outer(value: Any) -> Any:
        return TwiceAs.node(trace(step), value)

    engine = make_engine()
    explanations(engine, with_id(Repeat.node(trace(outer), 1, 2), "loop"))
    found = explanations(engine, with_id(Repeat.node(trace(outer), 1, 3), "loop"))
    assert found == {"loop": "miss: input times changed; 2 of 3 iterations from the cache"}


def test_a_loop_that_saves_something_says_why_it_never_is_a_hit(make_engine, workflow_of):
    body = {
        "inputs": {"value": [["add", "a"]]},
        "outputs": {"value": ["add", "int"]},
        "nodes": {"add": {"type": "Add"}, "save": {"type": "Save", "links": {"value": ["add", "int"]}}},
    }
    nodes = {
        "loop": {"type": "Repeat", "inputs": {"body": "step", "value": 1, "times": 2}},
        "end": {"type": "Save", "links": {"value": ["loop", "value"]}},
    }
    engine = make_engine(Add, Save, Repeat)
    workflow = workflow_of(nodes, {"step": body})
    engine.run_sync(workflow, scope="test", targets=["loop"])
    found = engine.run_sync(workflow, scope="test", targets=["loop"]).explanations
    assert found["loop"] == (
        "miss: files that are saved inside it are looked after in every run; 2 of 2 iterations from the cache"
    )


def test_of_a_node_that_is_no_loop_the_nodes_inside_are_counted(make_engine):
    twice = with_id(AddTwice.node(3), "twice")
    assert explanations(make_engine(), twice)["twice"] == "miss: new node; 0 of 2 nodes inside from the cache"


def test_a_loop_that_failed_part_way_counts_what_was_cached(make_engine):
    @node()
    def Fragile(value: int) -> int:
        if value > 3:
            raise ValueError("too much")
        return value + 1

    def fragile(value: Any) -> Any:
        return Fragile.node(value)

    engine = make_engine()
    explanations(engine, with_id(Repeat.node(trace(fragile), 0, 3), "loop"))
    workflow = Workflow.from_outputs(with_id(Repeat.node(trace(fragile), 0, 6), "loop"))
    result = engine.run_sync(workflow, scope="test")
    assert result.status == "failed"
    assert result.explanations["loop"] == "miss: input times changed; 3 of 6 iterations from the cache"


@pytest.mark.parametrize("text", ['{"add": {"type": "Add"}}', "[]"])
def test_a_log_of_another_version_is_no_log(make_engine, tmp_path, text):
    explanations(make_engine(), add())
    for path in (tmp_path / "runs").iterdir():
        path.write_text(text)
    assert explanations(make_engine(), add()) == {"add": "miss: new node"}
