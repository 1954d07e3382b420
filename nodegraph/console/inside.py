"""Nodes inside subgraphs and loop bodies, by the ids that messages give them: ``outer/inner``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from nodegraph.errors import WorkflowError
from nodegraph.graph import body_inputs
from nodegraph.handles import Link
from nodegraph.hints import nearest
from nodegraph.node_type import Input
from nodegraph.registry import NodeRegistry
from nodegraph.workflow.schema import SUBGRAPH_PREFIX, NodeEntry, SubgraphEntry, Workflow

MOST_NAMED = 20
ITERATION = re.compile(r"-\d+(?=/|$)")
Nodes = Mapping[str, NodeEntry]


class Step(NamedTuple):
    """A node on the way to one inside it, and the input that names the way in; a subgraph node needs none."""

    node: str
    body: str = ""


Way = tuple[Step, ...]


class Inside:
    """Finds nodes of a workflow, at the top and inside.

    Args:
        registry: says which inputs name the body of a loop.
    """

    def __init__(self, workflow: Workflow, registry: NodeRegistry) -> None:
        self._workflow = workflow
        self._registry = registry

    def find(self, id: str) -> Way:
        """The way to a node.

        Raises:
            WorkflowError: there is no such node, or no single one; the message says which there are.
        """
        ways = list(self._ways(id, self._workflow.nodes))
        if not ways:
            raise WorkflowError(self._missing(id))
        if len(ways) > 1 and len(ways[0]) > 1:
            bodies = ", ".join(way[-2].body or way[-2].node for way in ways)
            raise WorkflowError(f"{id!r} may be a node of any of these: {bodies}; rename it in one of them")
        return ways[0]

    def declared(self, way: Way, name: str) -> Input | None:
        """What the node at the end of a way says of an input, through the subgraphs that hand it on."""
        entry: NodeEntry | None = self._entry(way)
        for _ in range(len(self._workflow.subgraphs) + 1):  # more only where a subgraph contains itself
            known = self._registry.get(entry.type) if entry else None
            if known:
                return known.inputs.get(name)
            subgraph = self._workflow.subgraphs.get(entry.subgraph or "") if entry else None
            places = subgraph.inputs.get(name) if subgraph else None
            if not subgraph or not places:
                return None
            entry, name = subgraph.nodes.get(places[0].node), places[0].output
        return None

    def _ways(self, id: str, nodes: Nodes) -> Iterator[Way]:
        if id in nodes:
            yield (Step(id),)
        for node, entry in nodes.items():
            if id.startswith(f"{node}/"):
                for body, subgraph in self._definitions(entry):
                    for rest in self._ways(id[len(node) + 1 :], subgraph.nodes):
                        yield (Step(node, body), *rest)

    def _definitions(self, entry: NodeEntry) -> list[tuple[str, SubgraphEntry]]:
        """The subgraphs a node stands for or runs, each with the input that names it."""
        known = self._registry.get(entry.type)
        named = [("", entry.subgraph)] if entry.subgraph else []
        named += [(name, str(entry.inputs.get(name))) for name in body_inputs(known)] if known else []
        found = ((body, self._workflow.subgraphs.get(name)) for body, name in named)
        return [(body, subgraph) for body, subgraph in found if subgraph is not None]

    def _entry(self, way: Way) -> NodeEntry:
        nodes: Nodes = self._workflow.nodes
        for step in way[:-1]:
            nodes = dict(self._definitions(nodes[step.node]))[step.body].nodes
        return nodes[way[-1].node]

    def _missing(self, id: str) -> str:
        general = ITERATION.sub("", id)
        if general != id and any(self._ways(general, self._workflow.nodes)):
            return (
                f"{id!r} is a node of one iteration, and all iterations of a loop are the same subgraph; "
                f"{general!r} is that node in all of them"
            )
        outer = (id[: slash.start()] for slash in reversed(list(re.finditer("/", id))))
        way = next((way for part in outer for way in self._ways(part, self._workflow.nodes)), None)
        if way is None:
            return f"there is no node {id!r}; {_there(id, '', list(self._workflow.nodes))}"
        found = "/".join(step.node for step in way)
        nodes = [name for _, subgraph in self._definitions(self._entry(way)) for name in subgraph.nodes]
        return f"there is no node {id!r}; {_there(id.removeprefix(f'{found}/'), found, nodes)}"


def _there(id: str, outer: str, nodes: Sequence[str]) -> str:
    """What may be meant by an id that is none of these nodes, which are inside another, if in any."""
    if not nodes:
        return f"{outer!r} has no nodes inside" if outer else "the workflow has none"
    near = nearest(id, nodes)
    if near:
        return f"did you mean {' or '.join(repr(f'{outer}/{name}' if outer else name) for name in near)}?"
    more = f" and {len(nodes) - MOST_NAMED} more" if len(nodes) > MOST_NAMED else ""
    place = f"inside {outer!r} there are" if outer else "there are"
    return f"{place}: {', '.join(nodes[:MOST_NAMED])}{more}"


def with_inner_input(workflow: Workflow, way: Way, name: str, value: Any) -> Workflow:
    """A copy in which an input of the node at the end of a way is a constant, whatever fed it before.

    Other users of the subgraphs on the way see nothing of it: where there are any, it is copied.
    """
    if len(way) == 1:
        return workflow.with_input(way[0].node, name, value)
    change = _Change(workflow)
    nodes = change.nodes(workflow.nodes, way, name, value)
    return workflow.model_copy(update={"nodes": nodes, "subgraphs": change.subgraphs})


class _Change:
    def __init__(self, workflow: Workflow) -> None:
        self._workflow = workflow
        self.subgraphs = dict(workflow.subgraphs)

    def nodes(self, nodes: Nodes, way: Way, name: str, value: Any) -> dict[str, NodeEntry]:
        """The nodes with the change made in them, or in what one of them stands for."""
        step, *rest = way
        entry = nodes[step.node]
        if not rest:
            return {**nodes, step.node: entry.with_input(name, value)}
        own = self._own(entry.inputs[step.body] if step.body else str(entry.subgraph))
        subgraph = self.subgraphs[own]
        changed: dict[str, Any] = {"nodes": self.nodes(subgraph.nodes, tuple(rest), name, value)}
        if len(rest) == 1:
            changed["inputs"] = _without(subgraph.inputs, Link(rest[0].node, name))
        self.subgraphs[own] = subgraph.model_copy(update=changed)
        return {**nodes, step.node: _using(entry, step, own)}

    def _own(self, name: str) -> str:
        """The subgraph itself where it has one user, else a copy under a new name."""
        if sum(_uses(name, entry) for entry in self._entries()) <= 1:
            return name
        number = 2
        while f"{name}_{number}" in self.subgraphs:
            number += 1
        self.subgraphs[f"{name}_{number}"] = self.subgraphs[name]
        return f"{name}_{number}"

    def _entries(self) -> Iterator[NodeEntry]:
        yield from self._workflow.nodes.values()
        for subgraph in self.subgraphs.values():
            yield from subgraph.nodes.values()


def _uses(name: str, entry: NodeEntry) -> int:
    """How often a node may use a subgraph: any text that is its name may be meant so."""
    named = [entry.subgraph, *(value for value in entry.inputs.values() if isinstance(value, str))]
    return named.count(name)


def _using(entry: NodeEntry, step: Step, subgraph: str) -> NodeEntry:
    if step.body:
        return entry.model_copy(update={"inputs": {**entry.inputs, step.body: subgraph}})
    return entry.model_copy(update={"type": f"{SUBGRAPH_PREFIX}{subgraph}"})


def _without(inputs: Mapping[str, list[Link]], fed: Link) -> dict[str, list[Link]]:
    """What a subgraph's inputs lead to, but for one place, which keeps its own value."""
    return {name: [place for place in places if place != fed] for name, places in inputs.items()}
