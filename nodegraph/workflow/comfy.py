"""ComfyUI's API format: ``{id: {class_type, inputs, _meta}}``, a link being ``[id, output index]``.

What that format cannot tell apart, a link and a list constant of two elements, is decided by the input
the node declares. ComfyUI itself wraps list constants as ``{"__value__": [...]}``.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from nodegraph.body import takes_body
from nodegraph.errors import WorkflowError
from nodegraph.handles import Link
from nodegraph.node_type import Input, Node
from nodegraph.sockets import OPEN_KINDS, is_instance
from nodegraph.workflow.building import Links
from nodegraph.workflow.migration import migrate_workflow
from nodegraph.workflow.modes import without_modes
from nodegraph.workflow.schema import NodeEntry, Workflow, new_entry
from nodegraph.workflow.strict_json import describe, refuse
from nodegraph.workflow.writing import json_value

if TYPE_CHECKING:
    from nodegraph.registry import NodeRegistry

WRAPPED = "__value__"
NOTES = "comfyui"
INDEX = re.compile(r"0|[1-9][0-9]{0,8}")


def is_comfy(document: Any) -> bool:
    """Whether a JSON document looks like ComfyUI's API format."""
    return (
        isinstance(document, dict)
        and "format" not in document
        and any(isinstance(node, dict) and "class_type" in node for node in document.values())
    )


def import_comfy(document: Any, registry: NodeRegistry) -> Workflow:
    """Read a workflow from ComfyUI's API format; titles go to ``ui``, unknown nodes stay as they are.

    Raises:
        WorkflowError: the document is something else; the message lists every problem with its place.
    """
    if not isinstance(document, dict):
        raise WorkflowError(f"ComfyUI's API format is a JSON object, not {describe(document)}")
    refuse([problem for key, node in document.items() for problem in _problems(key, node)])
    importer = _Importer(document, registry)
    return Workflow(nodes={key: importer.entry(node) for key, node in document.items()})


def export_comfy(workflow: Workflow, registry: NodeRegistry, *, complete: bool = False) -> dict[str, Any]:
    """The workflow in ComfyUI's API format, as ComfyUI writes it: without muted and bypassed nodes.

    Args:
        complete: write inputs left at their defaults as well, which ComfyUI itself insists on.

    Raises:
        WorkflowError: it uses what that format has no words for (subgraphs, links gathered into a list,
            outputs of unknown nodes by name); the message lists every place.
    """
    known = registry.extended(workflow.node_types) if workflow.node_types else registry
    exporter = _Exporter(without_modes(migrate_workflow(workflow, known), known), known, complete)
    document = {key: exporter.node(key, entry) for key, entry in exporter.workflow.nodes.items()}
    refuse(exporter.problems)
    return document


def _problems(key: str, node: Any) -> list[str]:
    if not isinstance(node, dict):
        return [f"{key}: must be an object, not {describe(node)}"]
    wanted = (("class_type", str, "text"), ("inputs", dict, "an object"), ("_meta", dict, "an object"))
    given = {"class_type": None, "inputs": {}, "_meta": {}, **node}
    return [
        f"{key}.{name}: must be {words}, not {describe(given[name])}"
        for name, cls, words in wanted
        if not isinstance(given[name], cls)
    ]


class _Importer:
    def __init__(self, document: Mapping[str, Any], registry: NodeRegistry) -> None:
        self._types = {key: node["class_type"] for key, node in document.items()}
        self._registry = registry

    def entry(self, given: Mapping[str, Any]) -> NodeEntry:
        node = self._registry.get(given["class_type"])
        constants: dict[str, Any] = {}
        links: dict[str, Link] = {}
        for name, value in given.get("inputs", {}).items():
            if _is_link(value, node.inputs.get(name) if node else None, self._types):
                links[name] = Link(value[0], self._output_name(*value))
            else:
                constants[name] = value[WRAPPED] if _is_wrapped(value) else value
        kept = {"inputs": constants, "links": links, "ui": _notes(given)}
        if node:
            return new_entry(node, **kept)
        return NodeEntry.model_validate({"type": given["class_type"], **_filled(kept)})

    def _output_name(self, source: str, index: int) -> str:
        node = self._registry.get(self._types[source]) if source in self._types else None
        return node.outputs[index].name if node and index < len(node.outputs) else str(index)


def _is_link(value: Any, input: Input | None, ids: Collection[str]) -> bool:
    """Whether a value is a link: it has the shape of one, and the input could not take it as a constant.

    Where nothing is known of the input, or it takes anything, the node it names must exist.
    """
    if not isinstance(value, list) or len(value) != 2:
        return False
    source, index = value
    if not isinstance(source, str) or type(index) is not int or index < 0:
        return False
    if input is None or input.type.kind in OPEN_KINDS:
        return source in ids
    return not is_instance(value, input.type)


def _is_wrapped(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() == {WRAPPED}


def _notes(given: Mapping[str, Any]) -> dict[str, Any]:
    """The ``ui`` of a node: its title, and whatever else must come out again on export."""
    meta = given.get("_meta", {})
    kept = {
        "node": {key: value for key, value in given.items() if key not in ("class_type", "inputs", "_meta")},
        "meta": {key: value for key, value in meta.items() if key != "title"},
        "wrapped": [name for name, value in given.get("inputs", {}).items() if _is_wrapped(value)],
    }
    notes: dict[str, Any] = {"title": meta["title"]} if "title" in meta else {}
    return notes | _filled({NOTES: _filled(kept)})


def _filled(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value}


Kept = TypeVar("Kept", dict[str, Any], list[Any])


def _note(entry: NodeEntry, name: str, empty: Kept) -> Kept:
    """One part of what ``_notes`` kept; ``empty`` where there is none, or an editor put something else."""
    notes = entry.ui.get(NOTES)
    value = notes.get(name) if isinstance(notes, dict) else None
    return value if isinstance(value, type(empty)) else empty


def _defaults(node: Node | None) -> dict[str, Any]:
    """The inputs that may be left at their defaults."""
    if node is None:
        return {}
    defaults = ((name, input.default) for name, input in node.inputs.items() if not input.required)
    return {name: default for name, default in defaults if default is not None}


NO_SUBGRAPHS = "ComfyUI's API format has no subgraphs"


class _Exporter:
    """Writes nodes one by one and collects what cannot be written."""

    def __init__(self, workflow: Workflow, registry: NodeRegistry, complete: bool) -> None:
        self.workflow = workflow
        self._complete = complete
        self.problems: list[str] = []
        self._registry = registry

    def node(self, id: str, entry: NodeEntry) -> dict[str, Any]:
        if entry.subgraph:
            self.problems.append(f"nodes.{id}: {NO_SUBGRAPHS}")
        node = self._registry.get(entry.type)
        wrapped = _note(entry, "wrapped", [])
        inputs: dict[str, Any] = {}
        for name, value in {**(_defaults(node) if self._complete else {}), **entry.inputs}.items():
            if name not in entry.links:
                declared = node.inputs.get(name) if node else None
                inputs[name] = self._constant(f"nodes.{id}.inputs.{name}", value, declared, name in wrapped)
        for name, link in entry.links.items():
            inputs[name] = self._link(f"nodes.{id}.links.{name}", link)
        title = {"title": entry.ui["title"]} if "title" in entry.ui else {}
        meta = title | _note(entry, "meta", {})
        return {"inputs": inputs, "class_type": entry.type, **_filled({"_meta": meta})} | _note(
            entry, "node", {}
        )

    def _constant(self, place: str, value: Any, input: Input | None, wrap: bool) -> Any:
        try:
            plain_value = json_value(value)
        except (TypeError, ValueError, RecursionError) as error:
            self.problems.append(f"{place}: cannot be written: {error}")
            return None
        if input is not None and takes_body(input.type):
            self.problems.append(f"{place}: {NO_SUBGRAPHS}")
        reads_otherwise = _is_wrapped(plain_value) or _is_link(plain_value, input, self.workflow.nodes)
        return {WRAPPED: plain_value} if wrap or reads_otherwise else plain_value

    def _link(self, place: str, link: Links) -> list[Any]:
        if not isinstance(link, Link):
            self.problems.append(f"{place}: ComfyUI's API format cannot gather several links into one input")
            return []
        return [link.node, self._output_index(place, link)]

    def _output_index(self, place: str, link: Link) -> int:
        source = self.workflow.nodes.get(link.node)
        node = self._registry.get(source.type) if source else None
        names = [output.name for output in node.outputs] if node else []
        if link.output in names:
            return names.index(link.output)
        if not INDEX.fullmatch(link.output):
            self.problems.append(
                f"{place}: the number of output {link.output!r} of {link.node!r} is not known"
            )
            return 0
        return int(link.output)
