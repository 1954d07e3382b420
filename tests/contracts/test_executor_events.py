"""What a run tells while it runs: everything, in order, each thing once."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import Counter, defaultdict
from typing import Any

import pytest
from contract_support import STAGE

from nodegraph import NodeContext, node, with_id
from nodegraph.events import (
    NodeCancelled,
    NodeExpanded,
    NodeFailed,
    NodeFinished,
    NodePreview,
    NodeProgress,
    NodeStarted,
    RunFinished,
    RunStarted,
)
from nodegraph.tracing import trace
from nodegraph.workflow import Workflow
from nodes.flow.nodes import Repeat

ENDS = (NodeFinished, NodeFailed, NodeCancelled)


@node()
def Add(a: int = 0, b: int = 1) -> int:
    return a + b


@node()
async def AddAsync(a: int = 0, b: int = 1) -> int:
    await asyncio.sleep(0)
    return a + b


@node(device=True)
def Sample(ctx: NodeContext, value: int, steps: int = 3) -> int:
    for step in range(steps):
        ctx.progress(step + 1, steps, f"step {step + 1}")
        ctx.preview(("image", step))
    return value


@node()
def Fail(value: int) -> int:
    raise ValueError("no")


@node()
def Gather(values: list[Any]) -> list[Any]:
    return values


class Recorder:
    """Keeps every event, and the thread it came on."""

    def __init__(self) -> None:
        self.events: list[Any] = []
        self._lock = threading.Lock()

    def __call__(self, event: Any) -> None:
        with self._lock:
            self.events.append(event)

    def of(self, id: str) -> list[Any]:
        return [event for event in self.events if getattr(event, "node", None) == id]

    def kinds_of(self, id: str) -> list[type]:
        return [type(event) for event in self.of(id)]


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


def everything() -> Workflow:
    """A graph with a bit of everything, in which one branch fails."""
    source = with_id(Add.node(1), "source")
    sampled = with_id(Sample.node(with_id(AddAsync.node(source), "async")), "sampled")
    loop = with_id(Repeat.node(trace(lambda value: Add.node(value, 1)), source, 3), "loop")
    failing = with_id(Add.node(with_id(Fail.node(source), "bad")), "after bad")
    return Workflow.from_outputs(with_id(Gather.node([sampled, loop]), "end"), failing)


def test_every_node_ends_exactly_once(engine_of, run, recorder):
    result = run(engine_of(), everything(), on_event=recorder)
    ends = Counter(event.node for event in recorder.events if isinstance(event, ENDS))
    expected = {"source", "async", "sampled", "loop", "bad", "after bad", "end"}
    expected |= {f"loop/Add1-{number}" for number in (1, 2, 3)}
    assert ends == Counter(expected)
    finished = {event.node for event in recorder.events if isinstance(event, NodeFinished)}
    assert finished == set(result.nodes)


def test_the_run_is_the_first_to_start_and_the_last_to_finish(engine_of, run, recorder):
    result = run(engine_of(), everything(), on_event=recorder, run_id="my run")
    assert recorder.events[0] == RunStarted("my run", nodes=7, planned=7)
    assert recorder.events[-1] == RunFinished("my run", "failed", result.seconds)
    assert {event.run for event in recorder.events} == {"my run"}


def test_a_node_starts_then_tells_then_ends(engine_of, run, recorder):
    run(engine_of(), everything(), on_event=recorder)
    order = [NodeStarted, *[NodeProgress, NodePreview] * 3, NodeFinished]
    assert recorder.kinds_of("sampled") == order
    assert recorder.kinds_of("async") == [NodeStarted, NodeFinished]
    assert recorder.kinds_of("bad") == [NodeStarted, NodeFailed]
    assert recorder.kinds_of("after bad") == [NodeCancelled]
    assert recorder.kinds_of("loop") == [NodeStarted, NodeExpanded, NodeFinished]


def test_no_node_starts_before_what_it_depends_on_has_finished(engine_of, run, recorder):
    run(engine_of(), everything(), on_event=recorder)
    at = {(type(event), getattr(event, "node", "")): i for i, event in enumerate(recorder.events)}
    for before, after in (("source", "async"), ("async", "sampled"), ("source", "bad"), ("loop", "end")):
        assert at[NodeFinished, before] < at[NodeStarted, after]
    assert at[NodeExpanded, "loop"] < at[NodeStarted, "loop/Add1-1"]


def test_a_loop_tells_its_iterations(engine_of, run, recorder):
    run(engine_of(), everything(), on_event=recorder, run_id="r")
    (told,) = [event for event in recorder.events if isinstance(event, NodeExpanded)]
    assert told == NodeExpanded("r", "loop", added=3, iterations=3)


def test_progress_and_previews_arrive_as_they_were_given(engine_of, run, recorder):
    run(engine_of(), everything(), on_event=recorder, run_id="r")
    told = [event for event in recorder.of("sampled") if isinstance(event, NodeProgress)]
    assert told == [NodeProgress("r", "sampled", step, 3, f"step {step}") for step in (1, 2, 3)]
    shown = [event.image for event in recorder.of("sampled") if isinstance(event, NodePreview)]
    assert shown == [("image", 0), ("image", 1), ("image", 2)]


def test_a_result_from_the_cache_finishes_without_starting(engine_of, run, recorder):
    engine, workflow = engine_of(), Workflow.from_outputs(with_id(Add.node(Add.node(1)), "end"))
    run(engine, workflow)
    run(engine, workflow, on_event=recorder, run_id="r")
    assert recorder.events[:-1] == [
        RunStarted("r", nodes=2, planned=0),
        NodeFinished("r", "end", "memory", 0.0),
    ]


def test_a_run_of_nothing_starts_and_finishes(engine_of, run, recorder):
    workflow = Workflow.from_outputs(Add.node(1))
    result = run(engine_of(), workflow, targets=[], on_event=recorder)
    assert [type(event) for event in recorder.events] == [RunStarted, RunFinished]
    assert result.status == "done"


def test_a_subscriber_that_fails_breaks_nothing_and_keeps_its_place(engine_of, run, recorder, caplog):
    def fail(event: Any) -> None:
        STAGE.call("failing subscriber")
        raise RuntimeError("no")

    engine = engine_of()
    engine.bus.subscribe(fail)
    with caplog.at_level(logging.CRITICAL, logger="nodegraph.events"):
        result = run(engine, Workflow.from_outputs(Add.node(1)), on_event=recorder)
    assert result.status == "done"
    assert STAGE.calls["failing subscriber"] == len(recorder.events) == 4


def test_a_subscriber_of_the_engine_hears_every_run_until_it_leaves(engine_of, run):
    engine, heard = engine_of(), []
    leave = engine.bus.subscribe(heard.append)
    run(engine, Workflow.from_outputs(Add.node(1)), run_id="one")
    run(engine, Workflow.from_outputs(Add.node(2)), run_id="two")
    leave()
    run(engine, Workflow.from_outputs(Add.node(3)), run_id="three")
    assert {event.run for event in heard} == {"one", "two"}


def test_a_subscriber_of_a_run_hears_no_other_run(engine_of):
    engine, heard = engine_of(), defaultdict(list)

    async def both() -> None:
        workflows = {name: Workflow.from_outputs(Add.node(n)) for n, name in enumerate(("one", "two"))}
        runs = (
            engine.run(workflow, on_event=heard[name].append, run_id=name)
            for name, workflow in workflows.items()
        )
        await asyncio.gather(*runs)

    asyncio.run(both())
    assert {name: {event.run for event in events} for name, events in heard.items()} == {
        "one": {"one"},
        "two": {"two"},
    }


@pytest.mark.parallel
def test_the_run_is_not_over_while_a_subscriber_is_still_being_told_of_a_node(engine_of, run):
    """One branch fails and another goes on; a slow listener must not hear of the cancelled node too late."""
    events: list[Any] = []

    def slow(event: Any) -> None:
        if isinstance(event, NodeCancelled):
            STAGE.signal("telling")
            STAGE.wait_for("other branch is done")
            threading.Event().wait(0.05)  # as much time as it takes to end the run by mistake
        events.append(event)
        if isinstance(event, NodeFinished) and event.node == "other":
            STAGE.signal("other branch is done")

    failing = with_id(Add.node(Fail.node(1)), "cancelled")
    other = with_id(WaitForTelling.node(), "other")
    run(engine_of(), Workflow.from_outputs(failing, other), on_event=slow)
    assert isinstance(events[-1], RunFinished)
    assert any(isinstance(event, NodeCancelled) for event in events)


@node()
def WaitForTelling() -> int:
    STAGE.wait_for("telling")
    return 1
