"""A workflow with thousands of mistakes: all are found, the first are told in full, and it takes no age."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from nodegraph import node
from nodegraph.errors import LONGEST_TOLD, MOST_LISTED, Issue, ValidationError, listed
from nodegraph.files import Folders
from nodegraph.graph import build_graph
from nodegraph.hints import bounded_hints, nearest
from nodegraph.registry import NodeRegistry
from nodegraph.validation import validate
from nodegraph.workflow import workflow_from_document


@node(terminal=True)
def Show(value: int = 0) -> None:
    """Takes a number."""


def issues_of(nodes: dict) -> list[Issue]:
    registry = NodeRegistry()
    registry.add(Show)
    workflow = workflow_from_document({"format": "nodegraph", "version": 1, "nodes": nodes})
    return validate(build_graph(workflow, registry), Folders(Path("output")))


def calls_of(name: str, act: Callable[[], object]) -> int:
    """How often a function of that name is called."""
    count = 0

    def note(frame, event, _):
        nonlocal count
        count += event == "call" and frame.f_code.co_name == name

    sys.setprofile(note)
    try:
        act()
    finally:
        sys.setprofile(None)
    return count


def test_only_the_first_mistakes_get_hints():
    nodes = {f"n{number}": {"type": f"Shw{number % 10}"} for number in range(1000)}
    found: list[Issue] = []

    def look() -> None:
        with bounded_hints():
            found.extend(issues_of(nodes))

    assert calls_of("get_close_matches", look) == MOST_LISTED
    assert len(found) == 1000
    assert [issue.suggestions for issue in found[:MOST_LISTED]] == [("Show",)] * MOST_LISTED
    assert not any(issue.suggestions for issue in found[MOST_LISTED:])


def test_a_bound_ends_with_its_block_and_an_outer_one_holds_inside():
    with bounded_hints(1):
        assert nearest("shwo", ["Show"]) == ("Show",)
        with bounded_hints(5):
            assert nearest("shwo", ["Show"]) == ()
    assert nearest("shwo", ["Show"]) == ("Show",)


def test_few_issues_are_all_listed():
    found = issues_of({f"n{number}": {"type": "Shwo"} for number in range(MOST_LISTED)})
    assert listed(found) == found


def test_of_very_many_the_errors_come_first_and_the_rest_is_counted():
    nodes = {f"odd{number}": {"type": "Show", "colour": "red"} for number in range(MOST_LISTED)}
    told = listed(issues_of(nodes | {"bad": {"type": "Shwo"}}))
    assert told[0].node == "bad"
    assert len(told) == MOST_LISTED + 1
    assert (told[-1].code, told[-1].given, told[-1].severity) == ("more_issues", "1", "warning")

    all_wrong = listed(issues_of({f"n{number}": {"type": "Shwo"} for number in range(3 * MOST_LISTED)}))
    assert (all_wrong[-1].given, all_wrong[-1].severity) == (str(2 * MOST_LISTED), "error")


def test_a_message_is_no_longer_than_somebody_reads():
    found = issues_of({"n": {"type": "x" * 1_000_000}})
    [told] = listed(found)
    assert len(str(told)) < 3 * LONGEST_TOLD
    assert told.given == "x" * LONGEST_TOLD + "…"
    assert len(str(ValidationError(found))) < 3 * LONGEST_TOLD


def test_the_error_keeps_all_issues_and_says_the_first():
    found = issues_of({f"n{number}": {"type": "Shwo"} for number in range(3 * MOST_LISTED)})
    error = ValidationError(found)
    assert len(error.issues) == 3 * MOST_LISTED
    assert str(error).startswith(f"{3 * MOST_LISTED} issue(s):")
    assert str(error).count("unknown node type") == MOST_LISTED
    assert f"{2 * MOST_LISTED} more are not listed" in str(error)
