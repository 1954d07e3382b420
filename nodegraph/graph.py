"""The graph: nodes with checked constants and named links, and the orders they can be walked in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Any

import networkx as nx

from nodegraph.body import Body, Place, takes_body
from nodegraph.constants import check_constants
from nodegraph.errors import Issue, WorkflowError
from nodegraph.handles import Call, Link
from nodegraph.hints import nearest
from nodegraph.inline import Draft, Inlined, inline
from nodegraph.node_type import Node
from nodegraph.registry import NodeRegistry
from nodegraph.workflow.building import split_inputs
from nodegraph.workflow.looks import undrawable
from nodegraph.workflow.modes import Kept, Wired, apply_modes, has_modes
from nodegraph.workflow.unknown import unknown_keys

if TYPE_CHECKING:
    from nodegraph.workflow.schema import SubgraphEntry, Workflow

Links = dict[str, "Link | tuple[Link, ...]"]
MAX_LOOPS = 32
OPEN = "\0open"
"""Stands for the source of open inputs; no id of a node has such a letter."""


class GraphNode:
    """One node of a graph.

    Attributes:
        id: its id.
        type: the type the workflow names, also where no such type is known.
        node: the node type, or ``None`` where it is not known.
        constants: checked constants, defaults filled in; inputs that are linked are absent.
        links: for each linked input one link, or a tuple of links gathered into a list.
    """

    __slots__ = ("constants", "id", "links", "node", "type")

    def __init__(
        self, id: str, type: str, node: Node | None, constants: dict[str, Any], links: Links
    ) -> None:
        self.id = id
        self.type = type
        self.node = node
        self.constants = constants
        self.links = links

    @property
    def known(self) -> Node:
        """The node type.

        Raises:
            WorkflowError: it is not known.
        """
        if self.node is None:
            raise WorkflowError(f"node {self.id!r} is of unknown type {self.type!r}")
        return self.node

    def sources(self) -> Iterable[Link]:
        """Every link into this node."""
        for link in self.links.values():
            if type(link) is Link:
                yield link
            else:
                yield from link  # type: ignore[misc]


def _in_order(nodes: Mapping[str, GraphNode]) -> bool:
    """Whether every source stands before what uses it, as in most files."""
    passed: set[str] = set()
    for id, node in nodes.items():
        for link in node.sources():
            if link.node not in passed and link.node in nodes:
                return False
        passed.add(id)
    return True


class Graph:
    """An immutable graph.

    Attributes:
        nodes: by id, in the order of the workflow.
        issues: what was found wrong while it was built.
        open_places: inputs that a loop will feed later (the graph is a ``Body``).
        left_out: nodes that are muted, or need one that is, each with the id of the node which is why.
    """

    def __init__(
        self,
        nodes: Mapping[str, GraphNode],
        issues: Sequence[Issue] = (),
        open_places: frozenset[Place] = frozenset(),
        left_out: Mapping[str, str] | None = None,
    ) -> None:
        self.left_out = left_out or {}
        self.nodes = nodes
        self.issues = tuple(issues)
        self.open_places = open_places

    @cached_property
    def digraph(self) -> nx.DiGraph[str]:
        """The graph as networkx sees it: an edge for every link between nodes that exist."""
        digraph: nx.DiGraph[str] = nx.DiGraph()
        digraph.add_nodes_from(self.nodes)
        nodes = self.nodes
        digraph.add_edges_from(
            (link.node, id) for id, node in nodes.items() for link in node.sources() if link.node in nodes
        )
        return digraph

    @cached_property
    def order(self) -> list[str]:
        """Ids with sources before what uses them, otherwise in the order of the workflow.

        Raises:
            WorkflowError: the graph has a cycle.
        """
        nodes = self.nodes
        if _in_order(nodes):
            return list(nodes)
        waits_for = {
            id: [link.node for link in node.sources() if link.node in nodes] for id, node in nodes.items()
        }
        try:
            return list(TopologicalSorter(waits_for).static_order())
        except CycleError:
            raise WorkflowError(f"the graph has a cycle: {self.cycles[0]}") from None

    @cached_property
    def cycles(self) -> list[list[str]]:
        """For each knot of nodes that wait for one another, one cycle through it."""
        knots = (knot for knot in nx.strongly_connected_components(self.digraph))
        tight = (knot for knot in knots if len(knot) > 1 or self.digraph.has_edge(*(list(knot) * 2)[:2]))
        subgraphs = (self.digraph.subgraph(knot) for knot in tight)
        return [[edge[0] for edge in nx.find_cycle(subgraph)] for subgraph in subgraphs]

    def upstream(self, targets: Iterable[str]) -> set[str]:
        """The targets and everything they depend on."""
        found = set(targets)
        stack = list(found)
        while stack:
            for link in self.nodes[stack.pop()].sources():
                if link.node not in found:
                    found.add(link.node)
                    stack.append(link.node)
        return found

    def terminals(self) -> list[str]:
        """Ids of the nodes a run ends in."""
        return [id for id, node in self.nodes.items() if node.node is not None and node.node.terminal]


def build_graph(workflow: Workflow, registry: NodeRegistry) -> Graph:
    """The graph of a workflow. Never fails: what is wrong is in ``Graph.issues``."""
    types = registry.extended(workflow.node_types) if workflow.node_types else registry
    inlined = inline(workflow.nodes, workflow.subgraphs)
    inlined.issues.extend(unknown_keys(workflow))
    inlined.issues.extend(undrawable(workflow))
    bodies = _Bodies(workflow.subgraphs, types)
    left_out = _leave_out(inlined, types).left_out if has_modes(inlined.nodes.values()) else {}
    nodes = _graph_nodes(inlined.nodes, types, inlined.issues, bodies)
    return Graph(nodes, inlined.issues, left_out=left_out)


def _leave_out(inlined: Inlined, registry: NodeRegistry) -> Kept:
    """Take muted and bypassed nodes out of what was unfolded; says what else is left out, and why."""
    wired = {id: Wired(draft.entry.type, draft.mode, draft.links) for id, draft in inlined.nodes.items()}
    kept = apply_modes(wired, registry, inlined.subgraphs)
    inlined.nodes = {id: draft for id, draft in inlined.nodes.items() if id in kept.links}
    for id, draft in inlined.nodes.items():
        draft.links = kept.links[id]
    return kept


def _graph_nodes(
    drafts: Mapping[str, Draft], registry: NodeRegistry, issues: list[Issue], bodies: _Bodies
) -> dict[str, GraphNode]:
    return {id: _graph_node(id, draft, registry, issues, bodies) for id, draft in drafts.items()}


def _graph_node(
    id: str, draft: Draft, registry: NodeRegistry, issues: list[Issue], bodies: _Bodies
) -> GraphNode:
    entry = draft.entry
    links = {name: link if type(link) is Link else tuple(link) for name, link in draft.links.items()}
    node = registry.get(entry.type)
    inputs = draft.inputs
    if node is None:
        issues.append(_unknown_type(id, entry.type, entry.pack, registry))
        return GraphNode(id, entry.type, None, dict(inputs), links)
    if entry.version != node.version:
        inputs, links = _migrated(id, draft, node, links, issues)
    if links:  # a constant beside a link is only the widget's memory
        inputs = {name: value for name, value in inputs.items() if name not in links}
    constants, problems = check_constants(node, inputs, id)
    issues.extend(problems)
    for name in links:
        constants.pop(name, None)
    bodies.fill(id, node, constants, issues)
    return GraphNode(id, entry.type, node, constants, links)


def _migrated(
    id: str, draft: Draft, node: Node, links: Links, issues: list[Issue]
) -> tuple[dict[str, Any], Links]:
    from nodegraph.workflow.migration import migrate_entry

    entry = draft.entry.model_copy(update={"inputs": draft.inputs, "links": links})
    try:
        entry = migrate_entry(entry, node)
    except WorkflowError as error:
        issues.append(
            Issue("node_version", str(error), id, given=str(entry.version), expected=str(node.version))
        )
    return entry.inputs, {
        n: link if isinstance(link, Link) else tuple(link) for n, link in entry.links.items()
    }


def _unknown_type(id: str, type: str, pack: str, registry: NodeRegistry) -> Issue:
    pack = pack or type.rpartition(".")[0]
    suggestions = registry.suggest(type)
    broken = next((problem for problem in registry.problems if problem.pack == pack), None)
    if broken:
        remedy = f"its pack {pack!r} did not load: {broken}"
    elif pack and pack not in registry.packs:
        remedy = f"it comes from the pack {pack!r}, which is not installed"
    else:
        remedy = "no installed pack has a node of that name"
        if registry.problems:
            failed = ", ".join(f"{problem.pack} ({problem})" for problem in registry.problems)
            remedy += f"; these packs did not load: {failed}"
    return Issue(
        "unknown_node", f"unknown node type {type!r}: {remedy}.", id, given=type, suggestions=suggestions
    )


class _Bodies:
    """Turns the names that ``Body`` inputs hold into the subgraphs of the workflow, each built once."""

    def __init__(self, subgraphs: Mapping[str, SubgraphEntry], registry: NodeRegistry) -> None:
        self._subgraphs = subgraphs
        self._registry = registry
        self._built: dict[str, Body | None] = {}
        self._depth = 0

    def fill(self, id: str, node: Node, constants: dict[str, Any], issues: list[Issue]) -> None:
        """Replace the names in ``constants`` by bodies."""
        for name in body_inputs(node):
            wanted = constants.get(name)
            if isinstance(wanted, str):
                body = self._body(wanted)
                if body is None:
                    del constants[name]
                    issues.append(self._issue(id, name, wanted))
                else:
                    constants[name] = body

    def _issue(self, id: str, name: str, wanted: str) -> Issue:
        if wanted in self._subgraphs and wanted not in self._built:
            text = f"{name} names {wanted!r}, which would be a loop inside {MAX_LOOPS} loops."
            return Issue("too_large", text, id, name, wanted)
        known = list(self._subgraphs)
        problem = "contains itself" if wanted in known else "is not a subgraph of the workflow"
        message = f"{name} names {wanted!r}, which {problem}; there are: {', '.join(known) or 'none'}."
        return Issue("unknown_subgraph", message, id, name, wanted, "a subgraph", nearest(wanted, known))

    def _body(self, name: str) -> Body | None:
        entry = self._subgraphs.get(name)
        if entry is not None and name not in self._built and self._depth < MAX_LOOPS:
            self._built[name] = None  # while it is being built: a body that needs itself has no end
            self._depth += 1
            self._built[name] = self._build(name, entry)
            self._depth -= 1
        return self._built.get(name)

    def _build(self, name: str, entry: SubgraphEntry) -> Body:
        inlined = inline(entry.nodes, self._subgraphs)
        places = {
            key: [place for node, input in targets for place in inlined.places(node, input)]
            for key, targets in entry.inputs.items()
        }
        resolved = {key: inlined.resolve(link, link.node, key) for key, link in entry.outputs.items()}
        outputs = {key: link for key, link in resolved.items() if link is not None}
        if has_modes(inlined.nodes.values()):
            places, outputs = self._without_modes(inlined, places, outputs)
        nodes = _graph_nodes(inlined.nodes, self._registry, inlined.issues, self)
        open_places = frozenset(place for targets in places.values() for place in targets)
        return Body(name, places, outputs, Graph(nodes, inlined.issues, open_places))

    def _without_modes(
        self, inlined: Inlined, places: Mapping[str, list[Place]], outputs: Mapping[str, Link]
    ) -> tuple[dict[str, list[Place]], dict[str, Link]]:
        """The open places and the outputs of a body once muted and bypassed nodes are out of it.

        Meanwhile an open input counts as a link, so that a bypassed node passes it on.
        """
        for key, targets in places.items():
            for node, input in targets:
                if node in inlined.nodes:
                    draft = inlined.nodes[node]
                    draft.links = {**draft.links, input: Link(OPEN, key)}
        kept = _leave_out(inlined, self._registry)
        found: dict[str, list[Place]] = {key: [] for key in places}
        for id, draft in inlined.nodes.items():
            fed = {
                name: link for name, link in draft.links.items() if type(link) is Link and link.node == OPEN
            }
            draft.links = {name: link for name, link in draft.links.items() if name not in fed}
            for name, link in fed.items():
                found[link.output].append((id, name))
        ends: dict[str, Link] = {}
        for key, link in outputs.items():
            end = kept.follow(link)
            if isinstance(end, Link) and end.node not in kept.left_out and end.node != OPEN:
                ends[key] = end
            else:
                inlined.issues.append(_no_body_output(key, link, kept))
        return found, ends


def _no_body_output(name: str, link: Link, kept: Kept) -> Issue:
    cause = kept.left_out.get(link.node, link.node)
    message = f"the loop gets no {name!r} from its body, because {cause} is muted or bypassed."
    return Issue("no_output", message, link.node, given=link.output, related=(cause,))


_body_inputs: dict[Node, tuple[str, ...]] = {}


def body_inputs(node: Node) -> tuple[str, ...]:
    """Names of the inputs that take a ``Body``."""
    known = _body_inputs.get(node)
    if known is None:
        known = tuple(name for name, input in node.inputs.items() if takes_body(input.type))
        _body_inputs[node] = known
    return known


def graph_of_calls(
    calls: Sequence[Call], ids: Mapping[Call, str], parameters: Mapping[str, str]
) -> tuple[Graph, dict[str, list[Place]]]:
    """A graph of calls, with the places that parameters feed left open.

    Args:
        parameters: the name of each parameter, by the id of the call that stands for it.
    """
    issues: list[Issue] = []
    open_places: dict[str, list[Place]] = {name: [] for name in parameters.values()}
    nodes: dict[str, GraphNode] = {}
    for call in calls:
        node = nodes[ids[call]] = node_of_call(call, ids, issues)
        for input, link in list(node.links.items()):
            if type(link) is Link and link.node in parameters:
                open_places[parameters[link.node]].append((node.id, input))
                del node.links[input]
    places = frozenset(place for targets in open_places.values() for place in targets)
    return Graph(nodes, issues, places), open_places


def node_of_call(call: Call, ids: Mapping[Call, str], issues: list[Issue]) -> GraphNode:
    """The graph node of a call; what is wrong with its constants goes to ``issues``."""
    given, wires = split_inputs(call, ids)
    constants, problems = check_constants(call.node, given, ids[call])
    issues.extend(problems)
    for name in wires:
        constants.pop(name, None)
    links = {name: link if isinstance(link, Link) else tuple(link) for name, link in wires.items()}
    return GraphNode(ids[call], call.node.id, call.node, constants, links)
