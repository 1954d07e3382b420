"""What the editor keeps in ``ui`` and could not draw: it leaves that out, and the workflow runs anyway."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import Any, Final, NamedTuple

from nodegraph.errors import Issue
from nodegraph.workflow.schema import LINK_WORDS, NodeEntry, SubgraphEntry, Workflow
from nodegraph.workflow.strict_json import describe

FARTHEST: Final = 1_000_000
"""Coordinates go so far; must be kept in step with ``web/src/model/rules.ts``, as must the rules below."""


class Rule(NamedTuple):
    """What a value may be, and the words for it."""

    holds: Callable[[Any], bool]
    words: str


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_near(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= FARTHEST


def _is_position(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(map(_is_near, value))


def _is_size(value: Any) -> bool:
    return _is_position(value) and value[0] > 0 and value[1] >= 0


def _is_view(value: Any) -> bool:
    return isinstance(value, dict) and all(_is_near(value.get(name)) for name in ("x", "y", "zoom"))


def _is_link(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(map(_is_text, value))


TEXT = Rule(_is_text, "must be text")
SWITCH = Rule(lambda value: isinstance(value, bool), "must be true or false")
OBJECT = Rule(lambda value: isinstance(value, dict), "must be an object")
TEXTS = Rule(lambda value: isinstance(value, list) and all(map(_is_text, value)), "must be a list of texts")
TEXT_BY_NAME = Rule(
    lambda value: isinstance(value, dict) and all(map(_is_text, value.values())), "must be an object of texts"
)
POSITION = Rule(_is_position, f"must be two numbers [x, y] up to {FARTHEST}")
SIZE = Rule(_is_size, f"must be two numbers [width, height] from 0 to {FARTHEST}")
LINK = Rule(_is_link, LINK_WORDS)
VIEW = Rule(_is_view, "must be an object of three numbers x, y and zoom")

Rules = Mapping[str, Rule]
NODE: Rules = {
    "position": POSITION,
    "size": SIZE,
    "title": TEXT,
    "color": TEXT,
    "collapsed": SWITCH,
    "sockets": TEXTS,
    "via": TEXT_BY_NAME,
}
GRAPH: Rules = {
    "groups": Rule(lambda value: isinstance(value, list), "must be a list of groups"),
    "reroutes": OBJECT,
    "viewport": VIEW,
}
GROUP: Rules = {"position": POSITION, "size": SIZE, "id": TEXT, "title": TEXT, "color": TEXT}
REROUTE: Rules = {"position": POSITION, "source": LINK, "via": TEXT}
GROUP_NEEDS, REROUTE_NEEDS = ("position", "size"), ("position", "source")


def undrawable(workflow: Workflow) -> Iterator[Issue]:
    """A warning for each entry of ``ui`` that the editor leaves out; keys that it does not know stay."""
    yield from _in_graph(workflow, "")
    for name, subgraph in workflow.subgraphs.items():
        yield from _in_graph(subgraph, f"subgraphs.{name}.")


def _in_graph(graph: Workflow | SubgraphEntry, place: str) -> Iterator[Issue]:
    for id, entry in graph.nodes.items():
        for fault in _in_node(entry, f"{place}nodes.{id}.ui."):
            yield _issue(fault, None if place else id)
    for fault in _in_canvas(graph.ui, f"{place}ui."):
        yield _issue(fault, None)


def _in_node(entry: NodeEntry, place: str) -> Iterator[str]:
    return _faults(entry.ui, NODE, place) if entry.ui else iter(())


def _in_canvas(ui: Mapping[str, Any], place: str) -> Iterator[str]:
    yield from _faults(ui, GRAPH, place)
    groups, reroutes = ui.get("groups"), ui.get("reroutes")
    listed = enumerate(groups) if isinstance(groups, list) else ()
    named = reroutes.items() if isinstance(reroutes, dict) else ()
    yield from chain.from_iterable(
        _entry_faults(group, GROUP, GROUP_NEEDS, f"{place}groups[{number}]") for number, group in listed
    )
    yield from chain.from_iterable(
        _entry_faults(reroute, REROUTE, REROUTE_NEEDS, f"{place}reroutes.{id}") for id, reroute in named
    )


def _entry_faults(entry: Any, rules: Rules, needs: tuple[str, ...], place: str) -> Iterator[str]:
    if not isinstance(entry, dict):
        yield f"{place} {OBJECT.words}, not {describe(entry)}"
        return
    yield from (f"{place}.{name} is missing" for name in needs if name not in entry)
    yield from _faults(entry, rules, f"{place}.")


def _faults(record: Mapping[str, Any], rules: Rules, place: str) -> Iterator[str]:
    for name, rule in rules.items():
        if name in record and not rule.holds(record[name]):
            yield f"{place}{name} {rule.words}, not {describe(record[name])}"


def _issue(fault: str, node: str | None) -> Issue:
    return Issue("not_drawn", f"{fault}; the editor leaves it out.", node, severity="warning")
