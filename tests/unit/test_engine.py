from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest

from nodegraph import InFolder, NodeContext, OutputFile, node, with_id
from nodegraph.cache.results import KeepPolicy
from nodegraph.engine import Engine, RunResult
from nodegraph.errors import NodeError, ValidationError
from nodegraph.graph import build_graph
from nodegraph.registry import NodeRegistry
from nodegraph.targets import runnable_ends
from nodegraph.validation import validate
from nodegraph.workflow import Workflow

FORECAST = {"Rome": "sun"}
COUNTS: dict[str, int] = {}


def count(name: str) -> None:
    COUNTS[name] = COUNTS.get(name, 0) + 1


@pytest.fixture(autouse=True)
def no_counts() -> Iterator[None]:
    COUNTS.clear()
    yield


@node()
def Add(a: int = 0, b: int = 1) -> int:
    count("Add")
    return a + b


@node()
def Read(file: Annotated[str, InFolder("inputs")]) -> str:
    return file


@node(cache=False)
def Now() -> int:
    return 1


@node(terminal=True)
def Save(ctx: NodeContext, value: Any, prefix: str = "value") -> OutputFile:
    count("Save")
    return ctx.save(repr(value).encode(), prefix=prefix, suffix=".txt", media_type="text/plain")


@node(terminal=True)
def SaveBoth(ctx: NodeContext, value: Any) -> list[OutputFile]:
    return [ctx.save(b"data", prefix=name, suffix=".txt", media_type="text/plain") for name in "ab"]


@node(terminal=True)
def SaveMetadata(ctx: NodeContext, value: Any) -> OutputFile:
    text = "\n".join(sorted(ctx.metadata))
    return ctx.save(text.encode(), prefix="metadata", suffix=".txt", media_type="text/plain")


@node(fingerprint=lambda path: 1 / 0)
def BadFingerprint(path: str = "") -> str:
    return path


@node(fingerprint=lambda city: FORECAST[city])
def Weather(city: str = "Rome") -> str:
    return FORECAST[city]


@node()
def Fail(value: int) -> int:
    if COUNTS.get("repaired"):
        return value
    raise ValueError("not yet")


def chain(start: int = 1, prefix: str = "value") -> Workflow:
    one = with_id(Add.node(start), "one")
    two = with_id(Add.node(one, 10), "two")
    return Workflow.from_outputs(with_id(Save.node(two, prefix), "save"))


def origins(result: RunResult) -> dict[str, str]:
    assert result.status == "done", result.errors
    return {id: record.origin for id, record in result.nodes.items()}


# --- engines and what they hold -------------------------------------------------------------------------


def test_a_workflow_built_in_python_needs_no_registry(make_engine):
    assert make_engine().run_sync(Workflow.from_outputs(Add.node(2, 3))).outputs == {"add_1": {"int": 5}}


def test_a_workflow_from_a_file_needs_the_nodes_it_names(make_engine, workflow_of):
    nodes = {
        "add": {"type": "Add", "inputs": {"a": 2}},
        "save": {"type": "Save", "links": {"value": ["add", "int"]}},
    }
    with pytest.raises(ValidationError) as caught:
        make_engine().run_sync(workflow_of(nodes))
    assert [(issue.code, issue.node) for issue in caught.value.issues] == [
        ("unknown_node", "add"),
        ("unknown_node", "save"),
    ]
    assert make_engine(Add, Save).run_sync(workflow_of(nodes)).status == "done"


def test_two_engines_do_not_see_each_other(make_engine, tmp_path):
    one, other = make_engine(Add, output="one"), make_engine(Save, output="other")
    heard: list[Any] = []
    other.bus.subscribe(heard.append)
    one.run_sync(chain())
    assert other.registry.get("Add") is None
    assert other.cache.memory.info().entries == 0
    assert heard == []
    assert origins(other.run_sync(chain())) == {"one": "run", "two": "run", "save": "run"}
    assert (tmp_path / "one" / "value_00001.txt").read_text() == "12"
    assert (tmp_path / "other" / "value_00001.txt").read_text() == "12"


def test_cancelling_one_engine_leaves_another_alone(make_engine):
    one, other = make_engine(), make_engine()
    other.bus.subscribe(lambda event: one.cancel())
    assert other.run_sync(chain()).status == "done"


def test_an_engine_made_with_the_default_parts_runs_the_built_in_nodes(tmp_path, monkeypatch):
    monkeypatch.setenv("NODEGRAPH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("NODEGRAPH_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    engine = Engine.create(device="cpu")
    assert engine.registry.get("KSampler") is not None
    assert engine.run_sync(chain()).status == "done"
    assert (tmp_path / "output" / "value_00001.txt").is_file()


def test_an_engine_made_with_a_registry_of_its_own_discovers_nothing(tmp_path):
    engine = Engine.create(registry=NodeRegistry(), cache_folder=tmp_path / "cache", device="cpu")
    assert engine.registry.ids() == []


# --- targets --------------------------------------------------------------------------------------------


def test_the_targets_are_the_handles_a_workflow_was_built_from(make_engine):
    one, two = with_id(Add.node(1), "one"), with_id(Add.node(2), "two")
    assert make_engine().run_sync(Workflow.from_outputs(one, two)).outputs.keys() == {"one", "two"}


def test_the_targets_of_a_file_are_its_output_nodes(make_engine, workflow_of):
    nodes = {
        "add": {"type": "Add"},
        "unused": {"type": "Add", "inputs": {"a": 9}},
        "save": {"type": "Save", "links": {"value": ["add", "int"]}},
    }
    result = make_engine(Add, Save).run_sync(workflow_of(nodes))
    assert result.outputs.keys() == {"save"}
    assert result.nodes["unused"].origin == "pruned"


def test_targets_may_be_named(make_engine):
    result = make_engine().run_sync(chain(), targets=["one"])
    assert result.outputs == {"one": {"int": 2}}
    assert (result.nodes["two"].origin, result.nodes["save"].origin) == ("pruned", "pruned")
    assert result.executed == 1


def test_a_file_without_an_output_node_runs_where_targets_are_named(make_engine, workflow_of):
    result = make_engine(Add).run_sync(workflow_of({"add": {"type": "Add"}}), targets=["add"])
    assert result.outputs == {"add": {"int": 1}}


def test_an_unknown_target_is_an_issue_with_suggestions(make_engine):
    with pytest.raises(ValidationError) as caught:
        make_engine().run_sync(chain(), targets=["oen"])
    (issue,) = caught.value.issues
    assert (issue.code, issue.given, issue.suggestions) == ("unknown_target", "oen", ("one",))


# --- validating and planning ----------------------------------------------------------------------------


def test_validate_finds_what_run_would_refuse(make_engine, workflow_of):
    engine = make_engine(Add, Save)
    workflow = workflow_of({"add": {"type": "Add", "inputs": {"a": "x"}}})
    issues = engine.validate(workflow)
    assert {issue.code for issue in issues} == {"wrong_type", "no_output"}
    with pytest.raises(ValidationError) as caught:
        engine.run_sync(workflow)
    assert list(caught.value.issues) == issues
    assert COUNTS == {}


def test_a_warning_keeps_nothing_from_running(make_engine, workflow_of):
    engine = make_engine(Add, Save)
    nodes = {
        "add": {"type": "Add", "input": {"a": 2}},
        "save": {"type": "Save", "links": {"value": ["add", "int"]}},
    }
    result = engine.run_sync(workflow_of(nodes))
    assert result.status == "done"
    assert result.warnings == engine.validate(workflow_of(nodes))
    assert [(issue.code, issue.node) for issue in result.warnings] == [("unknown_key", "add")]


def test_an_invalid_workflow_tells_its_warnings_too(make_engine, workflow_of):
    with pytest.raises(ValidationError) as caught:
        make_engine(Add, Save).run_sync(workflow_of({"save": {"type": "Save", "input": {"value": 1}}}))
    assert [(issue.code, issue.severity) for issue in caught.value.issues] == [
        ("unknown_key", "warning"),
        ("missing_input", "error"),
    ]


def test_a_plan_says_what_would_run_before_anything_does(make_engine):
    engine = make_engine()
    assert engine.plan(chain()).steps == {"save": "run", "two": "run", "one": "run"}
    assert COUNTS == {}
    engine.run_sync(chain())
    assert engine.plan(chain()).steps == {"save": "memory"}


def test_a_fingerprint_that_fails_is_an_error_that_names_its_node(make_engine):
    workflow = Workflow.from_outputs(with_id(BadFingerprint.node(), "bad"))
    with pytest.raises(NodeError, match="ZeroDivisionError") as caught:
        make_engine().run_sync(workflow)
    assert caught.value.node_id == "bad"


# --- files that are saved -------------------------------------------------------------------------------


def test_the_result_names_the_files_that_were_saved(make_engine, tmp_path):
    result = make_engine().run_sync(chain())
    (file,) = result.files
    assert file.path == str(tmp_path / "output" / "value_00001.txt")
    assert file.media_type == "text/plain"
    assert Path(file.path).read_text() == "12"


def test_files_in_a_list_are_named_too(make_engine):
    result = make_engine().run_sync(Workflow.from_outputs(SaveBoth.node(Add.node())))
    assert [Path(file.path).name for file in result.files] == ["a_00001.txt", "b_00001.txt"]


def test_a_second_run_serves_the_file_of_the_first(make_engine):
    engine = make_engine()
    first, second = engine.run_sync(chain()), engine.run_sync(chain())
    assert second.files == first.files
    assert second.executed == 0


def test_a_file_that_was_deleted_is_saved_again_and_nothing_else_runs(make_engine):
    engine = make_engine()
    (file,) = engine.run_sync(chain()).files
    Path(file.path).unlink()
    again = engine.run_sync(chain())
    assert origins(again) == {"one": "memory", "two": "memory", "save": "run"}
    assert Path(again.files[0].path).read_text() == "12"


def test_a_file_that_was_changed_is_saved_again_beside_it(make_engine):
    engine = make_engine()
    (file,) = engine.run_sync(chain()).files
    Path(file.path).write_text("mine")
    (again,) = engine.run_sync(chain()).files
    assert Path(file.path).read_text() == "mine"
    assert Path(again.path).read_text() == "12"


def test_one_of_several_files_that_was_deleted_is_saved_again(make_engine):
    engine, workflow = make_engine(), Workflow.from_outputs(SaveBoth.node(Add.node()))
    Path(engine.run_sync(workflow).files[1].path).unlink()
    assert all(Path(file.path).is_file() for file in engine.run_sync(workflow).files)


def test_another_output_folder_gets_its_own_file_from_the_cached_results(make_engine, tmp_path):
    make_engine(disk=True).run_sync(chain())
    result = make_engine(disk=True, output="elsewhere").run_sync(chain())
    assert origins(result) == {"one": "disk", "two": "disk", "save": "run"}
    assert result.files[0].path == str(tmp_path / "elsewhere" / "value_00001.txt")


def test_a_saved_file_is_remembered_across_a_restart_however_cheap_it_was(make_engine):
    costly_only = KeepPolicy(min_seconds=1000)
    first = make_engine(disk=True, policy=costly_only).run_sync(chain())
    second = make_engine(disk=True, policy=costly_only).run_sync(chain())
    assert second.files == first.files
    assert second.executed == 0


def test_saved_files_carry_the_workflow_unless_the_user_wants_none(make_engine):
    workflow = Workflow.from_outputs(SaveMetadata.node(Add.node()))
    engine = make_engine()
    with_metadata = Path(engine.run_sync(workflow).files[0].path).read_text()
    plain = Engine(engine.registry, engine.cache, engine.folders, engine.devices, metadata=False).run_sync(
        workflow
    )
    assert "prompt" in with_metadata.split()
    assert Path(plain.files[0].path).read_text() == ""
    assert plain.executed == 1


# --- events and cancellation ----------------------------------------------------------------------------


def test_events_go_to_the_run_and_to_the_engine(make_engine):
    engine = make_engine()
    of_engine: list[Any] = []
    of_run: list[Any] = []
    engine.bus.subscribe(of_engine.append)
    engine.run_sync(chain(), on_event=of_run.append, run_id="r")
    assert of_run == of_engine
    assert {event.run for event in of_run} == {"r"}


def test_every_run_has_an_id_of_its_own(make_engine):
    engine = make_engine()
    assert engine.run_sync(chain()).run != engine.run_sync(chain()).run


def test_cancel_stops_the_runs_there_are_and_not_those_to_come(make_engine):
    engine = make_engine()
    engine.cancel()
    assert engine.run_sync(chain()).status == "done"
    stopped = engine.run_sync(chain(start=5), on_event=lambda event: engine.cancel())
    assert stopped.status == "cancelled"
    assert engine.run_sync(chain(start=5)).status == "done"


def test_runs_may_be_awaited(make_engine):
    assert asyncio.run(make_engine().run(chain())).status == "done"


# --- explanations ---------------------------------------------------------------------------------------


def explanations(engine: Engine, workflow: Workflow) -> dict[str, str]:
    return engine.run_sync(workflow, scope="test").explanations


def test_nothing_is_explained_where_nobody_asked(make_engine):
    assert make_engine().run_sync(chain()).explanations == {}


def test_a_first_run_has_new_nodes(make_engine):
    assert explanations(make_engine(), chain()) == dict.fromkeys(("one", "two", "save"), "miss: new node")


def test_a_second_run_hits_the_last_result_and_needs_no_other(make_engine):
    engine = make_engine()
    explanations(engine, chain())
    assert explanations(engine, chain()) == {
        "one": "not needed: a later result is in memory",
        "two": "not needed: a later result is in memory",
        "save": "hit: in memory",
    }


def test_after_a_restart_the_hit_is_on_disk(make_engine):
    explanations(make_engine(disk=True), chain())
    assert explanations(make_engine(disk=True), chain()) == {
        "one": "not needed: a later result is on disk",
        "two": "not needed: a later result is on disk",
        "save": "hit: on disk",
    }


def test_a_changed_input_is_named_and_what_follows_names_the_input_it_comes_by(make_engine):
    engine = make_engine()
    explanations(engine, chain())
    assert explanations(engine, chain(start=2)) == {
        "one": "miss: input a changed",
        "two": "miss: input a changed",
        "save": "miss: input value changed",
    }


def test_only_what_follows_a_change_misses(make_engine):
    engine = make_engine()
    explanations(engine, chain())
    assert explanations(engine, chain(prefix="other")) == {
        "one": "not needed: a later result is in memory",
        "two": "hit: in memory",
        "save": "miss: input prefix changed",
    }


def test_a_rewired_input_has_changed(make_engine):
    engine = make_engine()
    one, other = with_id(Add.node(1), "one"), with_id(Add.node(1), "other")
    explanations(engine, Workflow.from_outputs(one, other, with_id(Add.node(one, 5), "end")))
    found = explanations(engine, Workflow.from_outputs(one, other, with_id(Add.node(other, 6), "end")))
    assert found["end"] == "miss: input a, b changed"


def test_a_changed_file_is_named(make_engine, tmp_path):
    (tmp_path / "inputs").mkdir()
    picture = tmp_path / "inputs" / "cat.png"
    picture.write_bytes(b"one")
    engine, workflow = make_engine(), Workflow.from_outputs(with_id(Read.node("cat.png"), "read"))
    explanations(engine, workflow)
    picture.write_bytes(b"two")
    assert explanations(engine, workflow) == {"read": "miss: file changed: file"}


def test_changed_code_is_named(make_engine, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    engine = make_engine()
    for body in ("return value + helper()", "return value + helper() + 1"):
        source = (
            "from nodegraph import node\n\n\ndef helper() -> int:\n    return 1\n\n\n"
            f"@node()\ndef Step(value: int = 0) -> int:\n    {body}\n"
        )
        (tmp_path / "changing_pack.py").write_text(source)
        sys.modules.pop("changing_pack", None)
        from changing_pack import Step  # type: ignore[import-not-found]

        found = explanations(engine, Workflow.from_outputs(with_id(Step.node(), "step")))
    del sys.modules["changing_pack"]
    assert found == {"step": "miss: code changed"}


def test_a_changed_fingerprint_is_named(make_engine, monkeypatch):
    engine, workflow = make_engine(), Workflow.from_outputs(with_id(Weather.node(), "weather"))
    explanations(engine, workflow)
    assert explanations(engine, workflow) == {"weather": "hit: in memory"}
    monkeypatch.setitem(FORECAST, "Rome", "rain")
    assert explanations(engine, workflow) == {"weather": "miss: its fingerprint changed"}


def test_a_node_that_is_not_cacheable_says_so(make_engine):
    engine = make_engine()
    workflow = Workflow.from_outputs(with_id(Add.node(with_id(Now.node(), "now")), "after"))
    explanations(engine, workflow)
    assert explanations(engine, workflow) == {
        "now": "miss: not cacheable",
        "after": "miss: input a changed",
    }


def test_a_result_too_cheap_to_store_says_so_after_a_restart(make_engine):
    costly_only = KeepPolicy(min_seconds=1000)
    workflow = Workflow.from_outputs(with_id(Add.node(1), "add"))
    explanations(make_engine(disk=True, policy=costly_only), workflow)
    found = explanations(make_engine(disk=True, policy=costly_only), workflow)
    assert found == {"add": "miss: too cheap to keep: it took under 1 ms"}


def test_a_saved_file_that_is_gone_says_so(make_engine):
    engine = make_engine()
    Path(engine.run_sync(chain(), scope="test").files[0].path).unlink()
    assert explanations(engine, chain())["save"] == "miss: its file is gone, or was changed"


def test_a_node_that_did_not_finish_last_time_says_so(make_engine):
    engine = make_engine()
    workflow = Workflow.from_outputs(
        with_id(Add.node(with_id(Fail.node(with_id(Add.node(), "a")), "f")), "b")
    )
    assert engine.run_sync(workflow, scope="test").status == "failed"
    count("repaired")
    assert explanations(engine, workflow) == {
        "a": "hit: in memory",
        "f": "miss: it did not finish last time",
        "b": "miss: it did not finish last time",
    }


def test_an_unchosen_target_is_not_explained_as_a_miss(make_engine):
    engine = make_engine()
    found = engine.run_sync(chain(), scope="test", targets=["one"]).explanations
    assert found == {"one": "miss: new node"}


def test_a_run_of_one_target_forgets_nothing_about_the_other_nodes(make_engine):
    engine = make_engine()
    explanations(engine, chain())
    engine.run_sync(chain(start=2), scope="test", targets=["one"])
    assert explanations(engine, chain()) == {
        "one": "not needed: a later result is in memory",
        "two": "not needed: a later result is in memory",
        "save": "hit: in memory",
    }


def test_what_a_run_of_one_target_changed_explains_what_follows_in_the_next_whole_run(make_engine):
    engine = make_engine()
    explanations(engine, chain())
    engine.run_sync(chain(start=2), scope="test", targets=["one"])
    assert explanations(engine, chain(start=2, prefix="other")) == {
        "one": "hit: in memory",
        "two": "miss: input a changed",
        "save": "miss: input prefix, value changed",
    }


def test_a_node_that_was_removed_and_put_back_is_new(make_engine):
    engine = make_engine(memory=False)
    explanations(engine, chain())
    explanations(engine, Workflow.from_outputs(with_id(Add.node(1), "one")))
    assert explanations(engine, chain())["two"] == "miss: new node"


def test_workflows_of_different_names_are_compared_with_their_own_past(make_engine):
    engine = make_engine()
    engine.run_sync(chain(), scope="one")
    found = engine.run_sync(chain(start=7), scope="other").explanations
    assert set(found.values()) == {"miss: new node"}


def test_a_log_that_cannot_be_written_costs_no_run(make_engine, tmp_path, caplog):
    (tmp_path / "runs").write_text("a file where a folder should be")
    result = make_engine().run_sync(chain(), scope="test")
    assert result.status == "done"
    assert "could not be remembered" in caplog.text


def test_a_damaged_log_is_no_log(make_engine, tmp_path):
    engine = make_engine()
    engine.run_sync(chain(), scope="test")
    for path in (tmp_path / "runs").iterdir():
        path.write_text('{"one": 5}')
    assert set(explanations(make_engine(), chain()).values()) == {"miss: new node"}


@node()
def Needs(value: int) -> int:
    return value


TWO_ENDS = {
    "one": {"type": "Add"},
    "good": {"type": "Save", "links": {"value": ["one", "int"]}},
    "unwired": {"type": "Needs"},
    "bad": {"type": "Save", "links": {"value": ["unwired", "int"]}},
    "alone": {"type": "Needs"},
}


def test_targets_run_although_nodes_that_they_do_not_need_are_at_fault(make_engine, workflow_of):
    engine = make_engine(Add, Save, Needs)
    with pytest.raises(ValidationError) as caught:
        engine.run_sync(workflow_of(TWO_ENDS))
    assert [issue.node for issue in caught.value.issues] == ["unwired", "alone"]
    assert list(engine.run_sync(workflow_of(TWO_ENDS), targets=["good"]).or_raise().outputs) == ["good"]
    with pytest.raises(ValidationError) as caught:
        engine.run_sync(workflow_of(TWO_ENDS), targets=["good", "bad"])
    assert [issue.node for issue in caught.value.issues] == ["unwired"]


def ends(workflow: Workflow, registry: NodeRegistry) -> list[str]:
    graph = build_graph(workflow, registry)
    return runnable_ends(graph, validate(graph))


def test_ends_that_need_no_node_at_fault_can_run(make_engine, workflow_of):
    registry = make_engine(Add, Save, Needs).registry
    assert ends(workflow_of(TWO_ENDS), registry) == ["good"]
    circle = {
        "a": {"type": "Needs", "links": {"value": ["b", "int"]}},
        "b": {"type": "Needs", "links": {"value": ["a", "int"]}},
    }
    assert ends(workflow_of({**TWO_ENDS, **circle}), registry) == []
    dangling = {"lost": {"type": "Save", "links": {"value": ["nobody", "int"]}}}
    assert ends(workflow_of({**TWO_ENDS, **dangling}), registry) == ["good"]


def test_an_issue_inside_a_subgraph_counts_for_what_needs_it(make_engine, workflow_of):
    registry = make_engine(Add, Save, Needs).registry
    part = {
        "nodes": {"inner": {"type": "Needs"}, "end": {"type": "Save", "inputs": {"value": 1}}},
        "outputs": {"out": ["inner", "int"]},
    }
    nodes = {
        "part": {"type": "subgraph/Part"},
        "bad": {"type": "Save", "links": {"value": ["part", "out"]}},
    }
    assert ends(workflow_of(nodes, {"Part": part}), registry) == ["part/end"]
