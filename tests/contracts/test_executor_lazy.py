"""Lazy inputs: what is not chosen is never computed, whether the choice is known beforehand or not."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from contract_support import STAGE

from nodegraph import Lazy, node, with_id
from nodegraph.workflow import Workflow
from nodes.flow.nodes import Switch


@node()
def Counted(name: str, fails: bool = False, after: Any = None) -> str:
    STAGE.call(name)
    if fails:
        raise ValueError(f"{name} must not run")
    return name


@node()
def Flag(value: bool) -> bool:
    return value


@node()
def Flags(pattern: str) -> list[bool]:
    return [letter == "t" for letter in pattern]


@node()
def Numbers(count: int) -> list[int]:
    STAGE.call("numbers")
    return list(range(count))


def wanted(which: str) -> list[str]:
    if which == "crash":
        raise LookupError("no such side")
    return {"both": ["a", "b"], "none": [], "wrong": ["which"]}.get(which, [which])


@node(needs=wanted)
def Pick(
    which: str,
    a: Annotated[int | str | None, Lazy()] = "default",
    b: Annotated[int | str | None, Lazy()] = "default",
) -> list[int | str | None]:
    return [a, b]


@node()
def Text(value: str) -> str:
    return value


def sides(**options: Any) -> dict[str, Any]:
    return {name: with_id(Counted.node(name, **options), name) for name in "ab"}


def value(result: Any) -> Any:
    """The one output of the one target of a run that went well."""
    assert result.status == "done", [error.traceback or str(error) for error in result.errors]
    (target,) = result.outputs.values()
    (found,) = target.values()
    return found


@pytest.mark.parametrize("linked", [False, True], ids=["constant", "linked"])
@pytest.mark.parametrize("condition", [False, True])
def test_the_side_that_is_not_chosen_is_never_computed(engine_of, run, condition, linked):
    choice = Flag.node(condition) if linked else condition
    chosen, other = ("a", "b") if condition else ("b", "a")
    workflow = Workflow.from_outputs(Switch.node(choice, Counted.node("a"), Counted.node("b")))
    assert value(run(engine_of(), workflow)) == chosen
    assert STAGE.calls == {chosen: 1}
    assert STAGE.calls[other] == 0


@pytest.mark.parametrize("linked", [False, True], ids=["constant", "linked"])
def test_what_only_the_other_side_needs_is_not_computed_either(engine_of, run, linked):
    other = Counted.node("other", after=Counted.node("before other", fails=True))
    choice = Flag.node(True) if linked else True
    workflow = Workflow.from_outputs(Switch.node(choice, Counted.node("a"), other))
    assert value(run(engine_of(), workflow)) == "a"


def test_the_other_side_is_recorded_as_pruned(engine_of, run):
    workflow = Workflow.from_outputs(Switch.node(Flag.node(True), **_switch_sides()))
    records = run(engine_of(), workflow).nodes
    assert (records["yes"].origin, records["no"].origin) == ("run", "pruned")


def _switch_sides() -> dict[str, Any]:
    return {"on_true": with_id(Counted.node("yes"), "yes"), "on_false": with_id(Counted.node("no"), "no")}


def test_a_side_that_something_else_needs_too_is_computed_once(engine_of, run):
    shared = Counted.node("shared")
    switch = Switch.node(Flag.node(True), shared, None)
    workflow = Workflow.from_outputs(Pick.node("both", switch, Counted.node("b", after=shared)))
    assert value(run(engine_of(), workflow)) == ["shared", "b"]
    assert STAGE.calls["shared"] == 1


@pytest.mark.parametrize(
    ("which", "expected"),
    [("a", ["a", None]), ("b", [None, "b"]), ("both", ["a", "b"]), ("none", [None, None])],
)
@pytest.mark.parametrize("linked", [False, True], ids=["constant", "linked"])
def test_what_was_not_asked_for_arrives_as_none(engine_of, run, which, expected, linked):
    workflow = Workflow.from_outputs(Pick.node(Text.node(which) if linked else which, **sides()))
    assert value(run(engine_of(), workflow)) == expected


def test_a_lazy_constant_that_was_not_asked_for_arrives_as_none_too(engine_of, run):
    assert value(run(engine_of(), Workflow.from_outputs(Pick.node("b", 1, 2)))) == [None, 2]
    assert value(run(engine_of(), Workflow.from_outputs(Pick.node(Text.node("b"), 1, 2)))) == [None, 2]


def test_a_switch_over_a_list_computes_both_sides_where_both_are_chosen(engine_of, run):
    workflow = Workflow.from_outputs(Switch.node(Flags.node("tft"), Counted.node("a"), Counted.node("b")))
    assert value(run(engine_of(), workflow)) == ["a", "b", "a"]
    assert STAGE.calls == {"a": 1, "b": 1}


def test_a_switch_over_a_list_that_agrees_computes_one_side(engine_of, run):
    workflow = Workflow.from_outputs(
        Switch.node(Flags.node("tt"), Counted.node("a"), Counted.node("b", fails=True))
    )
    assert value(run(engine_of(), workflow)) == ["a", "a"]


@pytest.mark.parametrize("which", ["a", "b"])
@pytest.mark.parametrize("linked", [False, True], ids=["constant", "linked"])
def test_a_lazy_input_taken_element_by_element_says_how_often_the_node_runs(engine_of, run, which, linked):
    workflow = Workflow.from_outputs(Pick.node(Text.node(which) if linked else which, Numbers.node(2), 9))
    expected = {"a": [[0, None], [1, None]], "b": [[None, 9], [None, 9]]}
    assert value(run(engine_of(), workflow)) == expected[which]


def test_a_chosen_side_that_fails_fails_the_rest(engine_of, run):
    failing = with_id(Counted.node("bad", fails=True), "bad")
    result = run(engine_of(), Workflow.from_outputs(Switch.node(Flag.node(True), failing, None)))
    assert result.status == "failed"
    assert [error.node_id for error in result.errors] == ["bad"]


@pytest.mark.parametrize("linked", [False, True], ids=["constant", "linked"])
@pytest.mark.parametrize(
    ("which", "message"), [("crash", "LookupError: no such side"), ("wrong", "which, not a lazy input")]
)
def test_a_choice_that_cannot_be_made_is_the_failure_of_its_node(engine_of, run, which, message, linked):
    choosing = with_id(Pick.node(Text.node(which) if linked else which, **sides()), "choosing")
    result = run(engine_of(), Workflow.from_outputs(choosing))
    assert result.status == "failed"
    (error,) = result.errors
    assert error.node_id == "choosing"
    assert message in str(error)


def test_a_chain_of_switches_computes_one_source(engine_of, run):
    workflow = Workflow.from_outputs(
        Switch.node(
            Flag.node(False),
            Counted.node("a", fails=True),
            Switch.node(Flag.node(True), Counted.node("b"), Counted.node("c", fails=True)),
        )
    )
    assert value(run(engine_of(), workflow)) == "b"
    assert STAGE.calls == {"b": 1}


@pytest.mark.parametrize("memory", [True, False], ids=["cached", "uncached"])
def test_a_result_that_is_asked_for_late_is_still_there(engine_of, run, memory):
    """The source is used up by another node before the switch makes up its mind."""
    source = with_id(Counted.node("source"), "source")
    used = Counted.node("user", after=source)
    condition = Flag.node(IsText.node(used))
    workflow = Workflow.from_outputs(with_id(Switch.node(condition, source, "no"), "switch"))
    events: list[Any] = []
    result = run(engine_of(memory=memory), workflow, on_event=events.append)
    assert value(result) == "source"
    assert STAGE.calls["source"] == 1
    assert result.nodes["source"].origin == "run"
    finished = [e.node for e in events if type(e).__name__ == "NodeFinished"]
    assert sorted(finished) == sorted(set(finished))


@node()
def IsText(value: str) -> bool:
    return bool(value)
