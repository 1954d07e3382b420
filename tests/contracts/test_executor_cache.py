"""Where results come from, and what happens when one is gone that was thought to be there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from contract_support import STAGE

from nodegraph import node, with_id
from nodegraph.cache.memory import MemoryStore
from nodegraph.workflow import Workflow


@node()
def Add(a: int = 0, b: int = 1, name: str = "add", after: Any = None) -> int:
    STAGE.call(name)
    return a + b


@node(cache=False)
def Draw(name: str = "draw") -> int:
    return STAGE.call(name)


@node(terminal=True)
def Show(value: int, also: Any = None) -> int:
    STAGE.call("show")
    return value


@node()
def Signal(value: int) -> int:
    STAGE.signal("source is used up")
    return value


@node()
def Ones(count: int) -> torch.Tensor:
    return torch.ones(count)


@node()
def Sum(tensor: torch.Tensor) -> float:
    return float(tensor.sum())


@node()
def Gather(values: list[Any]) -> list[Any]:
    return values


def chain(last: int = 1) -> Workflow:
    one = with_id(Add.node(1, name="one"), "one")
    two = with_id(Add.node(one, name="two"), "two")
    three = with_id(Add.node(two, last, name="three"), "three")
    return Workflow.from_outputs(with_id(Show.node(three), "show"))


def origins(result: Any) -> dict[str, str]:
    assert result.status == "done", [error.traceback or str(error) for error in result.errors]
    return {id: record.origin for id, record in result.nodes.items()}


def test_the_first_run_runs_everything(engine_of, run):
    result = run(engine_of(), chain())
    assert origins(result) == {"one": "run", "two": "run", "three": "run", "show": "run"}
    assert result.executed == 4


def test_the_second_run_takes_the_last_result_from_memory_and_nothing_before(engine_of, run):
    engine = engine_of()
    run(engine, chain())
    result = run(engine, chain())
    assert origins(result) == {"one": "memory", "two": "memory", "three": "memory", "show": "memory"}
    assert [id for id, record in result.nodes.items() if record.via] == ["one", "two", "three"]
    assert result.executed == 0
    assert result.outputs == {"show": {"int": 4}}


def test_after_a_restart_the_last_result_comes_from_disk(engine_of, run):
    run(engine_of(disk=True), chain())
    result = run(engine_of(disk=True), chain())
    assert set(origins(result).values()) == {"disk"}
    assert result.executed == 0
    assert result.outputs == {"show": {"int": 4}}


def test_a_change_runs_what_follows_it_and_nothing_before(engine_of, run):
    engine = engine_of()
    run(engine, chain())
    result = run(engine, chain(last=10))
    assert origins(result) == {"one": "memory", "two": "memory", "three": "run", "show": "run"}
    assert result.nodes["one"].via
    assert not result.nodes["two"].via
    assert STAGE.calls["one"] == STAGE.calls["two"] == 1


def test_without_a_cache_every_run_runs_everything(engine_of, run):
    engine = engine_of(memory=False)
    run(engine, chain())
    assert run(engine, chain()).executed == 4


def test_a_node_that_is_not_cacheable_runs_in_every_run_and_so_does_what_follows(engine_of, run):
    engine = engine_of()
    before = with_id(Add.node(5), "before")
    drawn = with_id(Draw.node(), "draw")
    workflow = Workflow.from_outputs(with_id(Add.node(before, with_id(Add.node(drawn), "after")), "sum"))
    assert run(engine, workflow).outputs["sum"] == {"int": 8}
    result = run(engine, workflow)
    assert result.outputs["sum"] == {"int": 9}
    assert origins(result) == {"before": "memory", "draw": "run", "after": "run", "sum": "run"}


def test_a_node_that_is_not_cacheable_runs_once_in_a_run(engine_of, run):
    drawn = Draw.node()
    workflow = Workflow.from_outputs(Gather.node([drawn, Add.node(drawn, 0), Add.node(drawn, 10)]))
    (values,) = run(engine_of(), workflow).outputs.values()
    assert values == {"results": [1, 1, 11]}


def test_equal_nodes_of_a_graph_give_equal_results(engine_of, run):
    workflow = Workflow.from_outputs(Gather.node([Add.node(1, 2) for _ in range(10)]))
    (values,) = run(engine_of(), workflow).outputs.values()
    assert values == {"results": [3] * 10}


# --- results that are gone ------------------------------------------------------------------------------


class Boastful(MemoryStore):
    """A store that goes on saying it has what it has forgotten, as one that was damaged may."""

    def __init__(self) -> None:
        super().__init__(1 << 20)
        self.claims: set[bytes] = set()
        self.before_miss = lambda: None

    def contains(self, key: bytes) -> bool:
        return key in self.claims or super().contains(key)

    def get(self, key: bytes) -> Any:
        found = super().get(key)
        if found is None and key in self.claims:
            self.before_miss()
        return found


@pytest.fixture
def boastful_engine(engine_of):
    engine = engine_of(memory=False)
    engine.cache.disk = Boastful()
    return engine


@pytest.mark.parametrize("forgotten", [["show"], ["two"], ["one", "two", "three", "show"]])
def test_a_result_that_is_gone_when_it_is_fetched_is_computed_again(boastful_engine, run, forgotten):
    engine = boastful_engine
    run(engine, chain())
    store = engine.cache.disk
    keys = engine.plan(chain()).keys
    for id in forgotten:
        store.claims.add(keys[id])
        store.delete(keys[id])
    store.delete(keys["show"])
    store.delete(keys["three"])
    result = run(engine, chain())
    assert result.outputs == {"show": {"int": 4}}
    assert result.nodes["show"].origin == "run"


@pytest.mark.parallel
def test_a_result_that_was_let_go_is_computed_again_for_one_that_turns_out_to_be_gone(boastful_engine, run):
    """``gone`` is thought to be cached; when that proves wrong, its source has been used up and let go."""
    engine, store = boastful_engine, boastful_engine.cache.disk
    root = with_id(Add.node(1, name="root"), "root")
    source = with_id(Add.node(root, name="source"), "source")
    gone = with_id(Add.node(source, 10, name="gone"), "gone")
    other = with_id(Signal.node(with_id(Add.node(source, 20, name="other"), "other")), "signal")
    workflow = Workflow.from_outputs(Gather.node([gone, other]))
    store.claims.add(engine.plan(workflow).keys["gone"])
    store.before_miss = lambda: STAGE.wait_for("source is used up")
    store.put = lambda key, entry: True  # and it keeps nothing at all
    events: list[Any] = []
    result = run(engine, workflow, on_event=events.append)
    assert result.outputs == {"gather_1": {"results": [13, 23]}}
    ends = [event.node for event in events if type(event).__name__ == "NodeFinished"]
    assert sorted(ends) == ["gather_1", "gone", "other", "root", "signal", "source"]


@pytest.mark.parametrize("suffix", [".json", ".safetensors"])
def test_a_damaged_file_is_computed_again_and_never_served(engine_of, run, tmp_path: Path, suffix):
    workflow = Workflow.from_outputs(with_id(Sum.node(with_id(Ones.node(100), "ones")), "sum"))
    assert run(engine_of(disk=True), workflow).outputs["sum"] == {"float": 100.0}
    damaged = 0
    for path in (tmp_path / "results").rglob(f"*{suffix}"):
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
        damaged += 1
    assert damaged
    engine = engine_of(disk=True)
    result = run(engine, Workflow.from_outputs(with_id(Ones.node(100), "ones")))
    assert result.outputs["ones"]["tensor"].sum() == 100
    assert result.nodes["ones"].origin == "run"


def test_a_store_that_cannot_write_costs_no_result(engine_of, run, tmp_path: Path):
    (tmp_path / "results").write_text("a file where the store wants a folder")
    assert run(engine_of(disk=True), chain()).outputs == {"show": {"int": 4}}
