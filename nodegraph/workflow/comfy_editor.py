"""Workflows out of the files that ComfyUI's editor saves.

What the editor draws but never runs is dissolved: reroutes become plain links, primitive nodes become
constants, notes go to ``ui``. Its subgraphs become subgraphs. What has no equivalent is told as a warning.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal

from nodegraph.errors import Issue
from nodegraph.handles import Link
from nodegraph.node_type import Node
from nodegraph.workflow.editor_file import EditorGraph, EditorLink, EditorNode, read_editor_graph
from nodegraph.workflow.editor_widgets import widget_values
from nodegraph.workflow.schema import SUBGRAPH_PREFIX, NodeEntry, SubgraphEntry, Workflow, new_entry
from nodegraph.workflow.strict_json import describe, refuse

if TYPE_CHECKING:
    from nodegraph.registry import NodeRegistry

REROUTE, PRIMITIVE = "Reroute", "PrimitiveNode"
NOTES = ("Note", "MarkdownNote")
DRAWN = (REROUTE, PRIMITIVE, *NOTES)
"""Types that the editor only draws."""
OUTSIDE = "-10"
"""The node that stands for the inputs of a subgraph, inside it."""
RESULTS = "-20"
"""The node that stands for its outputs."""
MODES: Mapping[int, Literal["muted", "bypassed"]] = {2: "muted", 4: "bypassed"}
RUNS = 0


def is_comfy_editor(document: Any) -> bool:
    """Whether a JSON document looks like what ComfyUI's editor saves."""
    return (
        isinstance(document, dict)
        and isinstance(document.get("nodes"), list)
        and isinstance(document.get("links"), list)
    )


def import_comfy_editor(document: Mapping[str, Any], registry: NodeRegistry) -> tuple[Workflow, list[Issue]]:
    """Read a file of ComfyUI's editor.

    Returns:
        The workflow, and a warning for whatever could not be carried over.

    Raises:
        WorkflowError: the file is damaged; the message lists every problem with its place.
    """
    definitions = list(_definitions(document))
    names = _subgraph_names(definitions)
    issues: list[Issue] = []
    top = _GraphReader(read_editor_graph(document), registry, names, issues)
    nodes = top.entries()
    subgraphs = {names[str(given["id"])]: _subgraph(given, registry, names, issues) for given in definitions}
    fields: dict[str, Any] = {"nodes": nodes, "subgraphs": subgraphs, "ui": top.canvas()}
    return Workflow(**{name: value for name, value in fields.items() if value or name == "nodes"}), issues


def _definitions(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The subgraphs of a file."""
    found = document.get("definitions")
    listed = found.get("subgraphs", []) if isinstance(found, dict) else []
    for number, given in enumerate(listed if isinstance(listed, list) else []):
        if not isinstance(given, dict) or "id" not in given:
            refuse([f"definitions.subgraphs[{number}]: must be an object with an id, not {describe(given)}"])
        yield given


def _subgraph_names(definitions: list[dict[str, Any]]) -> dict[str, str]:
    """A name of its own for each subgraph, by its id."""
    names: dict[str, str] = {}
    for given in definitions:
        wanted = str(given.get("name") or "subgraph").replace("/", "_")
        name, number = wanted, 1
        while name in names.values():
            number += 1
            name = f"{wanted} {number}"
        names[str(given["id"])] = name
    return names


def _subgraph(
    given: Mapping[str, Any], registry: NodeRegistry, names: Mapping[str, str], issues: list[Issue]
) -> SubgraphEntry:
    place = f"definitions.subgraphs.{names[str(given['id'])]}."
    reader = _GraphReader(read_editor_graph(given, place), registry, names, issues)
    nodes = reader.entries()
    inputs, outputs = _slot_names(given, "inputs"), _slot_names(given, "outputs")
    targets = {name: reader.fed.get(number, []) for number, name in enumerate(inputs)}
    results = {outputs[number]: link for number, link in reader.results() if number < len(outputs)}
    return SubgraphEntry(inputs=targets, outputs=results, nodes=nodes)


def _slot_names(given: Mapping[str, Any], side: str) -> list[str]:
    slots = given.get(side)
    listed = slots if isinstance(slots, list) else []
    return [str(slot.get("name", number)) for number, slot in enumerate(listed) if isinstance(slot, dict)]


class _GraphReader:
    """Reads one graph of a file: the whole, or a subgraph.

    Attributes:
        fed: the places that each input of a subgraph feeds, by its number.
    """

    def __init__(
        self, graph: EditorGraph, registry: NodeRegistry, names: Mapping[str, str], issues: list[Issue]
    ) -> None:
        self._graph, self._registry, self._names, self._issues = graph, registry, names, issues
        self.fed: dict[int, list[Link]] = {}

    def entries(self) -> dict[str, NodeEntry]:
        """Every node that can run."""
        self._warn_of_shape()
        return {id: self._entry(node) for id, node in self._graph.nodes.items() if node.type not in DRAWN}

    def canvas(self) -> dict[str, Any]:
        """The ``ui`` of the whole: frames and notes."""
        given = self._graph.given.get("groups")
        frames = list(self._frames(given if isinstance(given, list) else []))
        notes = [_note(node) for node in self._graph.nodes.values() if node.type in NOTES]
        return {name: items for name, items in (("groups", frames), ("notes", notes)) if items}

    def _frames(self, groups: list[Any]) -> Iterator[dict[str, Any]]:
        """Frames that have a place; the others are told."""
        for number, group in enumerate(groups):
            frame = _frame(group, number) if isinstance(group, dict) else {}
            if "position" in frame and "size" in frame:
                yield frame
            else:
                text = f"groups[{number}] has no place (four numbers under 'bounding'); it is left out."
                self._issues.append(Issue("not_mapped", text, severity="warning"))

    def results(self) -> Iterator[tuple[int, Link]]:
        """What each output of a subgraph is, by its number."""
        for link in self._graph.links.values():
            if link.target == RESULTS:
                source = self._source(link)
                if source is not None and source.source != OUTSIDE:
                    yield link.input, self._link(source)

    def _entry(self, placed: EditorNode) -> NodeEntry:
        node = self._registry.get(placed.type)
        values = widget_values(placed, node)
        links, constants = self._wires(placed), values.constants
        for name in [name for name, wire in links.items() if isinstance(wire, _Constant)]:
            constants[name] = links.pop(name).value
        self._warn(placed, values.left)
        notes = {"after_run": values.after_run, "widgets": values.left}
        ui = _layout(placed) | _filled({"comfyui": _filled(notes)})
        fields = _filled({"inputs": constants, "links": links, "ui": ui, "mode": MODES.get(placed.mode)})
        if node is not None:
            return new_entry(node, **fields)
        subgraph = self._names.get(placed.type)
        return NodeEntry(type=placed.type if subgraph is None else SUBGRAPH_PREFIX + subgraph, **fields)

    def _warn_of_shape(self) -> None:
        for id, before in self._graph.renamed.items():
            text = f"two nodes of the file have the id {before}; this one is {id} here."
            self._tell(self._graph.nodes[id], f"{text} Wires out of {before} are the first one's.")
        told: set[str] = set()
        for node in self._graph.nodes.values():
            circle = self._circle_from(node) if node.type == REROUTE and node.id not in told else []
            told.update(circle)
            if circle:
                text = f"reroutes lead in a circle ({', '.join(circle)})"
                self._tell(node, f"{text}; they are left out, and what they feed has no wire.")

    def _circle_from(self, start: EditorNode) -> list[str]:
        """The reroutes of the circle that ``start`` is in, if it is in one."""
        passed: list[str] = []
        node: EditorNode | None = start
        while node is not None and node.type == REROUTE and node.id not in passed:
            passed.append(node.id)
            wire = self._into_reroute(node)
            node = self._graph.nodes.get(wire.source) if wire is not None else None
        return passed if node is start else []

    def _into_reroute(self, node: EditorNode) -> EditorLink | None:
        incoming = next((slot.link for slot in node.slots if slot.link is not None), None)
        return self._graph.links.get(incoming) if incoming is not None else None

    def _warn(self, placed: EditorNode, left: list[Any]) -> None:
        if left and placed.type not in self._names:
            text = f"{len(left)} of its values fit no input known here: {', '.join(map(describe, left[:3]))}."
            self._tell(placed, f"{text} They are kept, and not used.")
        if placed.mode not in MODES and placed.mode != RUNS:
            self._tell(placed, f"its mode {placed.mode} is not known here; it runs like the others.")

    def _tell(self, placed: EditorNode, text: str) -> None:
        self._issues.append(Issue("not_mapped", text, placed.id, given=placed.type, severity="warning"))

    def _wires(self, placed: EditorNode) -> dict[str, Any]:
        """By input name the link or constant that comes in; what a subgraph's input feeds is noted."""
        found: dict[str, Any] = {}
        for slot in placed.slots:
            wire = self._graph.links.get(slot.link) if slot.link is not None else None
            source = self._source(wire) if wire is not None else None
            if source is None:
                continue
            start = self._graph.nodes.get(source.source)
            if source.source == OUTSIDE:
                self.fed.setdefault(source.output, []).append(Link(placed.id, slot.name))
            elif start is not None and start.type == PRIMITIVE:
                found |= _filled({slot.name: _primitive(start)})
            else:
                found[slot.name] = self._link(source)
        return found

    def _source(self, wire: EditorLink) -> EditorLink | None:
        """The link where a wire really begins, reroutes followed; ``None`` where one leads nowhere."""
        seen: set[str] = set()
        while (start := self._graph.nodes.get(wire.source)) is not None and start.type == REROUTE:
            before = self._into_reroute(start)
            if before is None or start.id in seen:
                return None
            seen.add(start.id)
            wire = before
        return wire

    def _link(self, source: EditorLink) -> Link:
        start = self._graph.nodes.get(source.source)
        names = self._output_names(start) if start is not None else ()
        known = source.output < len(names)
        return Link(source.source, names[source.output] if known else str(source.output))

    def _output_names(self, start: EditorNode) -> tuple[str, ...]:
        node: Node | None = self._registry.get(start.type)
        if node is not None:
            return tuple(output.name for output in node.outputs)
        return start.outputs if start.type in self._names else ()


class _Constant:
    """The value of a primitive node, which every input it is wired to takes."""

    def __init__(self, value: Any) -> None:
        self.value = value


def _primitive(node: EditorNode) -> _Constant | None:
    values = node.widgets if isinstance(node.widgets, list) else list(node.widgets.values())
    return _Constant(values[0]) if values else None


def _layout(placed: EditorNode) -> dict[str, Any]:
    """Where a node lies and how it looks."""
    given, flags = placed.given, placed.given.get("flags")
    title, color = given.get("title"), given.get("bgcolor") or given.get("color")
    return _filled(
        {
            "title": title if isinstance(title, str) and title != placed.type else None,
            "position": _pair(given.get("pos")),
            "size": _pair(given.get("size")),
            "collapsed": isinstance(flags, dict) and flags.get("collapsed") is True,
            "color": color if isinstance(color, str) else None,
        }
    )


def _pair(value: Any) -> list[float] | None:
    """Two numbers, which older files write as an object."""
    if isinstance(value, dict):
        value = [value.get("0"), value.get("1")]
    if not isinstance(value, list) or len(value) < 2:
        return None
    numbers = [item for item in value[:2] if isinstance(item, int | float) and not isinstance(item, bool)]
    return numbers if len(numbers) == 2 else None


def _frame(group: Mapping[str, Any], number: int) -> dict[str, Any]:
    bounds = group.get("bounding")
    corner, size = (_pair(bounds[:2]), _pair(bounds[2:])) if isinstance(bounds, list) else (None, None)
    title = group.get("title")
    color = group.get("color")
    looks = {"position": corner, "size": size, "color": color if isinstance(color, str) else None}
    return {"id": f"group-{number + 1}", "title": title if isinstance(title, str) else "", **_filled(looks)}


def _note(node: EditorNode) -> dict[str, Any]:
    text = node.widgets[0] if isinstance(node.widgets, list) and node.widgets else ""
    return {"text": str(text), **_layout(node)}


def _filled(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value}
