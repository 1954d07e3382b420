"""What the editor could not draw is a warning that names its place; the workflow runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from nodegraph import node
from nodegraph.engine import Engine
from nodegraph.workflow.looks import undrawable
from nodegraph.workflow.reading import workflow_from_document
from nodegraph.workflow.schema import Workflow

ROOM = {"position": [0, 0], "size": [9, 9]}


def workflow(ui: Any, canvas: Any = None, **more: Any) -> Workflow:
    nodes = {"a": {"type": "Integer", "inputs": {"value": 3}, "ui": ui}}
    return workflow_from_document(
        {"format": "nodegraph", "version": 1, "nodes": nodes, "ui": canvas or {}, **more}
    )


def told(found: Workflow) -> list[str]:
    return [issue.message for issue in undrawable(found)]


def test_what_the_editor_writes_is_no_concern_and_keys_it_does_not_know_neither() -> None:
    sound = {"position": [1, 2.5], "size": [200, 0], "title": "", "collapsed": True, "via": {"x": "r"}}
    canvas = {
        "groups": [{**ROOM, "id": "g", "title": "", "odd": 1}],
        "reroutes": {"r": {"position": [1, 1], "source": ["a", "value"]}},
        "viewport": {"x": 0, "y": 0, "zoom": 1},
        "notes": 5,
    }
    assert told(workflow({**sound, "sockets": ["x"], "other": {}}, canvas)) == []


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("title", {"x": 1}),
        ("color", 5),
        ("collapsed", "x"),
        ("sockets", 5),
        ("via", {"x": 1}),
        ("position", "x"),
        ("position", [1]),
        ("position", [True, 0]),
        ("position", [1e308, 0]),
        ("size", [1e9, -5]),
    ],
)
def test_an_entry_of_a_node_is_named(key: str, value: Any) -> None:
    (issue,) = undrawable(workflow({key: value, "other": 1}))
    assert issue.message.startswith(f"nodes.a.ui.{key} must be")
    assert (issue.node, issue.severity) == ("a", "warning")


@pytest.mark.parametrize(
    ("canvas", "message"),
    [
        ({"groups": {"x": 1}}, "ui.groups must be a list of groups, not an object"),
        ({"groups": [None]}, "ui.groups[0] must be an object, not null"),
        ({"groups": [{"size": [1, 1]}]}, "ui.groups[0].position is missing"),
        ({"groups": [{**ROOM, "title": []}]}, "ui.groups[0].title must be text, not []"),
        ({"reroutes": {"r": None}}, "ui.reroutes.r must be an object, not null"),
        ({"reroutes": {"r": {"position": [0, 0], "source": 5}}}, "ui.reroutes.r.source must be a link"),
        ({"viewport": {"x": "a"}}, "ui.viewport must be an object of three numbers"),
    ],
)
def test_an_entry_of_the_canvas_is_named(canvas: Any, message: str) -> None:
    (found,) = told(workflow({}, canvas))
    assert found.startswith(message)


def test_subgraphs_are_looked_at_as_well() -> None:
    inner = {"s": {"nodes": {"b": {"type": "Integer", "ui": {"title": 5}}}, "ui": {"groups": 1}}}
    assert told(workflow({}, subgraphs=inner)) == [
        "subgraphs.s.nodes.b.ui.title must be text, not 5; the editor leaves it out.",
        "subgraphs.s.ui.groups must be a list of groups, not 1; the editor leaves it out.",
    ]


@node(terminal=True)
def Say(text: str = "") -> str:
    """Say."""
    return text


def test_it_is_validated_as_a_warning_and_runs(make_engine: Callable[..., Engine]) -> None:
    engine = make_engine(Say)
    entry = {"type": "Say", "inputs": {"text": "hello"}, "ui": {"title": {"x": 1}}}
    document = {"format": "nodegraph", "version": 1, "nodes": {"a": entry}, "ui": {"groups": [None]}}
    odd = workflow_from_document(document)
    assert [(issue.code, issue.severity) for issue in engine.validate(odd)] == [("not_drawn", "warning")] * 2
    assert engine.run_sync(odd).status == "done"
