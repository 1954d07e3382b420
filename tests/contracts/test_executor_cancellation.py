"""Stopping a run: from any thread, at any moment, between two steps of a node."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from contract_support import PATIENCE, STAGE

from nodegraph import NodeContext, Subgraph, node, with_id
from nodegraph.errors import Cancelled
from nodegraph.events import NodeCancelled, NodeFinished, NodeProgress, NodeStarted, RunFinished
from nodegraph.execution.base import CancelToken
from nodegraph.workflow import Workflow

STEPS = 1000


@node()
def Add(a: int = 0, b: int = 1, after: Any = None) -> int:
    STAGE.call("add")
    return a + b


@node()
def Sample(ctx: NodeContext, name: str = "sample") -> int:
    for step in range(STEPS):
        STAGE.call(name)
        ctx.progress(step, STEPS)
    return STEPS


@node(device=True)
def SampleOnDevice(ctx: NodeContext, name: str = "sample") -> int:
    for step in range(STEPS):
        STAGE.call(name)
        ctx.progress(step, STEPS)
    return STEPS


@node()
def CheckInALoop(ctx: NodeContext) -> int:
    STAGE.signal("looping")
    while True:
        ctx.check_cancelled()


@node()
def Deaf(name: str = "deaf") -> int:
    """Never looks whether it was cancelled."""
    STAGE.signal(f"{name} started")
    STAGE.wait_for("deaf may end")
    return 1


@node()
def DeafLoop() -> int | Subgraph:
    STAGE.signal("deaf started")
    STAGE.wait_for("deaf may end")
    return Subgraph(int=Add.node(Add.node(1)))


@node()
async def Sleep(seconds: float = 60.0) -> int:
    STAGE.signal("asleep")
    try:
        await asyncio.sleep(seconds)
    except asyncio.CancelledError:
        STAGE.call("woken")
        raise
    return 1


@node()
async def SleepStepwise(ctx: NodeContext) -> int:
    for step in range(100_000):
        ctx.progress(step, 100_000)
        await asyncio.sleep(0.001)
    return 1


@node()
def GiveUp() -> int:
    raise Cancelled("I do not want to")


@node()
def Gather(values: list[Any]) -> list[Any]:
    return values


def when(kind: type, action: Any, number: int = 1) -> Any:
    """A subscriber that acts on the given event of a kind, on the thread where it happens."""
    seen: list[Any] = []

    def subscriber(event: Any) -> None:
        if isinstance(event, kind):
            seen.append(event)
            if len(seen) == number:
                action()

    return subscriber


def test_a_sampler_stops_between_two_steps(engine_of, run):
    token = CancelToken()
    sampler = with_id(Add.node(Sample.node()), "after")
    stop = when(NodeProgress, token.cancel, number=5)
    result = run(engine_of(), Workflow.from_outputs(sampler), token=token, on_event=stop)
    assert result.status == "cancelled"
    assert result.outputs == {}
    assert result.errors == []
    assert STAGE.calls == {"sample": 6}


def test_a_sampler_on_the_device_stops_between_two_steps(engine_of, run):
    token = CancelToken()
    workflow = Workflow.from_outputs(Gather.node([SampleOnDevice.node(name) for name in "ab"]))
    stop = when(NodeProgress, token.cancel, number=5)
    result = run(engine_of(), workflow, token=token, on_event=stop)
    assert result.status == "cancelled"
    assert sum(STAGE.calls.values()) == 6


def test_a_run_is_cancelled_from_another_thread(engine_of, run):
    token = CancelToken()

    def cancel_later() -> None:
        STAGE.wait_for("looping")
        token.cancel()

    threading.Thread(target=cancel_later, daemon=True).start()
    result = run(engine_of(), Workflow.from_outputs(Add.node(CheckInALoop.node())), token=token)
    assert result.status == "cancelled"


def test_an_engine_cancels_all_of_its_runs(engine_of):
    engine = engine_of()

    async def both() -> Any:
        runs = (engine.run(Workflow.from_outputs(Sleep.node(seconds))) for seconds in (50.0, 60.0))
        both = asyncio.gather(*runs)
        while not STAGE.signalled("asleep"):
            await asyncio.sleep(0.001)
        engine.cancel()
        return await asyncio.wait_for(both, PATIENCE)

    assert [result.status for result in asyncio.run(both())] == ["cancelled", "cancelled"]


def test_a_run_cancelled_before_it_starts_runs_nothing(engine_of, run):
    token = CancelToken()
    token.cancel()
    result = run(engine_of(), Workflow.from_outputs(Add.node(Add.node(1))), token=token)
    assert result.status == "cancelled"
    assert STAGE.calls["add"] == 0


def test_cancelling_a_run_that_is_over_changes_nothing(engine_of, run):
    token = CancelToken()
    result = run(engine_of(), Workflow.from_outputs(Add.node(1)), token=token)
    token.cancel()
    assert result.status == "done"


def test_a_run_whose_last_node_finishes_although_it_was_cancelled_is_done(engine_of, run):
    token = CancelToken()
    stop = when(NodeFinished, token.cancel)
    assert run(engine_of(), Workflow.from_outputs(Add.node(1)), token=token, on_event=stop).status == "done"


def test_a_sleeping_async_node_is_woken(engine_of, run):
    token = CancelToken()

    def cancel_later() -> None:
        STAGE.wait_for("asleep")
        token.cancel()

    threading.Thread(target=cancel_later, daemon=True).start()
    result = run(engine_of(), Workflow.from_outputs(Add.node(Sleep.node())), token=token)
    assert result.status == "cancelled"
    assert STAGE.calls["woken"] == 1


def test_an_async_node_that_is_only_about_to_sleep_is_stopped_too(engine_of, run):
    token = CancelToken()
    stop = when(NodeStarted, token.cancel)
    result = run(engine_of(), Workflow.from_outputs(Sleep.node()), token=token, on_event=stop)
    assert result.status == "cancelled"


def test_an_async_node_that_reports_progress_is_cancelled_not_failed(engine_of, run):
    token = CancelToken()
    stop = when(NodeProgress, token.cancel, number=3)
    result = run(engine_of(), Workflow.from_outputs(SleepStepwise.node()), token=token, on_event=stop)
    assert result.status == "cancelled"
    assert result.errors == []


@pytest.mark.parametrize("function", [Deaf, DeafLoop])
def test_what_follows_a_node_that_does_not_listen_does_not_run(engine_of, run, function):
    token = CancelToken()

    def cancel_later() -> None:
        STAGE.wait_for("deaf started")
        token.cancel()
        STAGE.signal("deaf may end")

    threading.Thread(target=cancel_later, daemon=True).start()
    deaf = with_id(function.node(), "deaf")
    result = run(engine_of(), Workflow.from_outputs(Add.node(deaf)), token=token)
    assert result.status == "cancelled"
    assert STAGE.calls["add"] == 0


def test_what_finished_before_the_cancellation_is_kept(engine_of, run):
    engine, token = engine_of(), CancelToken()
    source = with_id(Add.node(1), "source")
    workflow = Workflow.from_outputs(with_id(Sample.node(name="s"), "sample"), Add.node(source, 5))
    stop = when(NodeProgress, token.cancel)
    run(engine, Workflow.from_outputs(source))
    run(engine, workflow, token=token, on_event=stop)
    assert run(engine, Workflow.from_outputs(source)).nodes["source"].origin == "memory"


def test_every_node_that_will_not_run_is_told_before_the_run_is_over(engine_of, run):
    token, events = CancelToken(), []
    handle = with_id(Sample.node(), "sample")
    for number in range(3):
        handle = with_id(Add.node(handle), f"after{number}")

    def subscriber(event: Any) -> None:
        events.append(event)
        if isinstance(event, NodeProgress):
            token.cancel()

    run(engine_of(), Workflow.from_outputs(handle), token=token, on_event=subscriber)
    cancelled = [event.node for event in events if isinstance(event, NodeCancelled)]
    assert sorted(cancelled) == ["after0", "after1", "after2", "sample"]
    assert isinstance(events[-1], RunFinished)
    assert events[-1].status == "cancelled"


def test_a_node_that_calls_itself_cancelled_has_failed_for_nobody_asked_it_to_stop(engine_of, run):
    given_up = with_id(Add.node(with_id(GiveUp.node(), "bored")), "after")
    result = run(engine_of(), Workflow.from_outputs(given_up, with_id(Add.node(1), "apart")))
    assert result.status == "failed"
    assert [error.node_id for error in result.errors] == ["bored"]
    assert result.outputs == {"apart": {"int": 2}}


def test_cancelling_the_awaiting_task_stops_the_run(engine_of):
    engine = engine_of()

    async def abandon() -> None:
        task = asyncio.create_task(engine.run(Workflow.from_outputs(Sleep.node())))
        while not STAGE.signalled("asleep"):
            await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(task, PATIENCE)

    asyncio.run(abandon())
    assert STAGE.calls["woken"] == 1


def test_an_engine_runs_on_after_a_cancellation(engine_of, run):
    engine, token = engine_of(), CancelToken()
    token.cancel()
    workflow = Workflow.from_outputs(Add.node(1))
    assert run(engine, workflow, token=token).status == "cancelled"
    assert run(engine, workflow).status == "done"
