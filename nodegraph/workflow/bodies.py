"""Loop bodies traced from Python functions, written as subgraphs that a file can hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from nodegraph.body import Body
from nodegraph.handles import Link
from nodegraph.node_type import Node

if TYPE_CHECKING:
    from nodegraph.workflow.schema import NodeEntry


class BodyNames:
    """Gives each ``Body`` met among constants a name, and notes what it consists of.

    Attributes:
        subgraphs: the bodies by name, each as the fields of a subgraph entry.
    """

    def __init__(self, new_entry: Callable[..., NodeEntry], note_type: Callable[[Node], None]) -> None:
        self.subgraphs: dict[str, dict[str, Any]] = {}
        self._names: dict[int, str] = {}
        self._new_entry = new_entry
        self._note_type = note_type

    def replace(self, constants: Mapping[str, Any]) -> dict[str, Any]:
        """The constants with names in place of bodies."""
        return {
            name: self._name(value) if isinstance(value, Body) else value for name, value in constants.items()
        }

    def _name(self, body: Body) -> str:
        if id(body) not in self._names:
            self._names[id(body)] = name = self._free_name(body.name if body.name.isidentifier() else "body")
            self.subgraphs[name] = {}  # taken, also while inner bodies look for names
            self.subgraphs[name] = self._fields(body)
        return self._names[id(body)]

    def _free_name(self, wanted: str) -> str:
        name, number = wanted, 1
        while name in self.subgraphs:
            number += 1
            name = f"{wanted}_{number}"
        return name

    def _fields(self, body: Body) -> dict[str, Any]:
        nodes = {}
        for key, node in body.graph.nodes.items():
            self._note_type(node.known)
            links = {
                name: link if isinstance(link, Link) else list(link) for name, link in node.links.items()
            }
            nodes[key] = self._new_entry(node.known, inputs=self.replace(node.constants), links=links)
        inputs = {name: [Link(*place) for place in places] for name, places in body.inputs.items()}
        return {"inputs": inputs, "outputs": dict(body.outputs), "nodes": nodes}
