"""The file that ComfyUI's editor saves, read into records; https://docs.comfy.org/specs/workflow_json.

Nodes lie in a list, each with numbered slots and the values of its widgets in the order they are drawn;
links lie in another list, as ``[id, source, output, target, input, type]`` or as objects of those fields.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from nodegraph.workflow.strict_json import describe, refuse

LINK_FIELDS = ("id", "origin_id", "origin_slot", "target_id", "target_slot")


@dataclass(frozen=True, slots=True)
class EditorSlot:
    """An input of a node: its name, the link that comes in, and whether it shows a widget."""

    name: str
    link: int | None
    widget: bool


@dataclass(frozen=True, slots=True)
class EditorNode:
    """A node as it lies on the canvas; ``widgets`` are values by position, or by name."""

    id: str
    type: str
    mode: int
    slots: tuple[EditorSlot, ...]
    outputs: tuple[str, ...]
    widgets: list[Any] | dict[str, Any]
    given: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class EditorLink:
    """A wire from a numbered output to a numbered input."""

    source: str
    output: int
    target: str
    input: int


@dataclass(frozen=True, slots=True)
class EditorGraph:
    """Nodes by id and links by number; ``given`` is the object they were read from.

    Attributes:
        renamed: of nodes that had the id of one before them, that id by the one they have here.
    """

    nodes: Mapping[str, EditorNode]
    links: Mapping[int, EditorLink]
    given: Mapping[str, Any]
    renamed: Mapping[str, str]


def read_editor_graph(document: Mapping[str, Any], place: str = "") -> EditorGraph:
    """The nodes and links of a file, or of one of its subgraphs.

    Raises:
        WorkflowError: it is not of that format; the message lists every problem with its place.
    """
    listed = {name: document.get(name, []) for name in ("nodes", "links")}
    refuse(
        [f"{place}{name}: must be a list, not {describe(v)}" for name, v in listed.items() if not _is_list(v)]
    )
    problems = [f"{place}{problem}" for problem in _problems(listed["nodes"], listed["links"])]
    refuse(problems)
    nodes, renamed = _by_id([_node(given) for given in listed["nodes"]])
    links = dict(_link(given) for given in listed["links"] if given is not None)
    return EditorGraph(nodes, links, document, renamed)


def _by_id(listed: list[EditorNode]) -> tuple[dict[str, EditorNode], dict[str, str]]:
    """Nodes by an id that no other has, and what those were called that had to get another."""
    taken = {node.id for node in listed}
    nodes: dict[str, EditorNode] = {}
    renamed: dict[str, str] = {}
    for node in listed:
        id = node.id
        if id in nodes:
            id = next(name for name in (f"{node.id}-{n}" for n in count(2)) if name not in taken)
            taken.add(id)
            renamed[id] = node.id
        nodes[id] = replace(node, id=id)
    return nodes, renamed


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


def _problems(nodes: list[Any], links: list[Any]) -> Iterator[str]:
    for number, given in enumerate(nodes):
        fault = _node_fault(given)
        if fault:
            yield f"nodes[{number}]{fault}"
    for number, given in enumerate(links):
        if given is not None and _fields(given) is None:
            wanted = "[id, node, output, node, input, type]"
            yield f"links[{number}]: must be {wanted}, not {describe(given)}"


def _node_fault(given: Any) -> str:
    if not isinstance(given, dict):
        return f": must be an object, not {describe(given)}"
    if not isinstance(given.get("id"), int | str) or isinstance(given["id"], bool):
        return f".id: must be a number or text, not {describe(given.get('id'))}"
    if not isinstance(given.get("type"), str):
        return f".type: must be text, not {describe(given.get('type'))}"
    for name in ("inputs", "outputs"):
        slots = given.get(name) or []
        if not isinstance(slots, list) or not all(isinstance(slot, dict) for slot in slots):
            return f".{name}: must be a list of objects, not {describe(slots)}"
    if not isinstance(given.get("widgets_values") or [], list | dict):
        return f".widgets_values: must be a list or an object, not {describe(given['widgets_values'])}"
    return ""


def _node(given: Mapping[str, Any]) -> EditorNode:
    mode = given.get("mode", 0)
    return EditorNode(
        id=str(given["id"]),
        type=given["type"],
        mode=mode if type(mode) is int else 0,
        slots=tuple(map(_slot, given.get("inputs") or [])),
        outputs=tuple(str(slot.get("name", "")) for slot in given.get("outputs") or []),
        widgets=given.get("widgets_values") or [],
        given=given,
    )


def _slot(given: Mapping[str, Any]) -> EditorSlot:
    link = given.get("link")
    widget = isinstance(given.get("widget"), dict)
    return EditorSlot(str(given.get("name", "")), link if type(link) is int else None, widget)


def _fields(given: Any) -> list[Any] | None:
    """The five fields of a link that count; ``None`` for what is no link."""
    if isinstance(given, dict):
        given = [given.get(name) for name in LINK_FIELDS]
    if not isinstance(given, list) or len(given) < len(LINK_FIELDS):
        return None
    id, source, output, target, input = given[: len(LINK_FIELDS)]
    numbers = all(type(number) is int for number in (id, output, input))
    ends = all(isinstance(end, int | str) and not isinstance(end, bool) for end in (source, target))
    return [id, source, output, target, input] if numbers and ends else None


def _link(given: Any) -> tuple[int, EditorLink]:
    fields = _fields(given)
    assert fields is not None  # refused before
    id, source, output, target, input = fields
    return id, EditorLink(str(source), output, str(target), input)
