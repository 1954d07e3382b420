"""A graph with open inputs, used as a value: the body of a loop."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic_core import CoreSchema, core_schema

from nodegraph.errors import InputError
from nodegraph.handles import Call, Handle, Link
from nodegraph.sockets import SocketType

if TYPE_CHECKING:
    from nodegraph.graph import Graph

Place = tuple[str, str]


class Body:
    """A subgraph that a node may instantiate as often as it likes.

    In a workflow file an input of this type names one of the file's ``subgraphs``; in Python,
    ``trace(function)`` makes one from a function that wires nodes.

    Attributes:
        name: its name, for messages.
        inputs: for each open input the ``(node, input)`` places it feeds.
        outputs: for each output the node output it is.
        graph: the graph itself.
        digest: of its content, once it has been needed.
    """

    __slots__ = ("digest", "graph", "inputs", "name", "outputs")

    def __init__(
        self, name: str, inputs: Mapping[str, list[Place]], outputs: Mapping[str, Link], graph: Graph
    ) -> None:
        self.name = name
        self.inputs = dict(inputs)
        self.outputs = dict(outputs)
        self.graph = graph
        self.digest: bytes | None = None

    def call(self, **inputs: Any) -> tuple[dict[str, Handle], list[Handle]]:
        """Instantiate the body. Linear in the size of the body.

        Returns:
            Handles by output name, and handles of the nodes inside that save or show something.

        Raises:
            InputError: an input is not one the body has, or one it needs is not given.
        """
        unknown = inputs.keys() - self.inputs.keys()
        if unknown:
            raise InputError("body", f"{self.name} has no input {sorted(unknown)[0]!r}; {self._interface()}")
        given: dict[str, dict[str, Any]] = {}
        for name, value in inputs.items():
            for node, input in self.inputs[name]:
                given.setdefault(node, {})[input] = value
        calls: dict[str, Call] = {}
        for id in self.graph.order:
            inner = self.graph.nodes[id]
            links = {name: _rewired(link, calls) for name, link in inner.links.items()}
            calls[id] = Call(inner.known, {**inner.constants, **links, **given.get(id, {})})
            calls[id].id = id
        terminals = [Handle(calls[id], None) for id in self.graph.terminals()]
        return {name: Handle(calls[link.node], link.output) for name, link in self.outputs.items()}, terminals

    def _interface(self) -> str:
        return f"its inputs are {', '.join(self.inputs) or 'none'}"

    def content(self) -> Any:
        """What it computes, without its name: what counts in a key."""
        nodes = {id: (n.known, n.constants, n.links) for id, n in self.graph.nodes.items()}
        return ("body", nodes, self.inputs, self.outputs)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> CoreSchema:
        return core_schema.union_schema([core_schema.is_instance_schema(cls), core_schema.str_schema()])

    def __repr__(self) -> str:
        return f"<body {self.name} of {len(self.graph.nodes)} nodes>"


def _rewired(link: Link | tuple[Link, ...], calls: Mapping[str, Call]) -> Handle | list[Handle]:
    if isinstance(link, Link):
        return Handle(calls[link.node], link.output)
    return [Handle(calls[item.node], item.output) for item in link]


def takes_body(type: SocketType) -> bool:
    """Whether an input of this type takes a ``Body``."""
    return type.cls is Body or any(map(takes_body, type.args))
