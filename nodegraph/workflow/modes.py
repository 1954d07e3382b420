"""Muted and bypassed nodes: what is left of a graph without them.

A muted node is left out, and so is whatever needs it. In the place of a bypassed node stands what comes into
it: each of its outputs becomes one of its linked inputs, as in ComfyUI's editor.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol

from nodegraph.handles import Link
from nodegraph.sockets import SocketType, assignable
from nodegraph.workflow.building import Links
from nodegraph.workflow.schema import SUBGRAPH_PREFIX, Mode, SubgraphEntry

if TYPE_CHECKING:
    from nodegraph.registry import NodeRegistry
    from nodegraph.workflow.schema import Workflow

MAX_DEPTH = 64
"""How deep subgraphs may lie in one another for the types of their sockets to be known."""

Wires = Mapping[str, Links]


class Wired(NamedTuple):
    """What counts here of a node: its type, its mode and its links."""

    type: str
    mode: Mode | None
    links: Wires


class Sockets(NamedTuple):
    """Types of inputs and outputs by name, and the inputs that must be given; ``None`` for all of them."""

    inputs: Mapping[str, SocketType]
    outputs: Mapping[str, SocketType]
    required: frozenset[str] | None


@dataclass(frozen=True)
class Kept:
    """What is left of a graph.

    Attributes:
        links: the links of each node that is left, by id.
        left_out: the ids of those that are not, each with that of the muted or bypassed node which is why.
        follow: the link or gathered links that a link stands for, or ``None`` where it is left out.
    """

    links: Mapping[str, dict[str, Links]]
    left_out: Mapping[str, str]
    follow: Callable[[Link], Links | None]


class HasMode(Protocol):
    """A node in whatever form."""

    @property
    def mode(self) -> Mode | None:
        """Its mode."""


def has_modes(nodes: Iterable[HasMode]) -> bool:
    """Whether a node is muted or bypassed."""
    return any(node.mode is not None for node in nodes)


def apply_modes(
    nodes: Mapping[str, Wired], registry: NodeRegistry, subgraphs: Mapping[str, SubgraphEntry]
) -> Kept:
    """Leave out what is muted, with all that needs it, and wire past what is bypassed. Linear.

    An input that has a default falls back to it, or to the constant beside its link, where what it was
    linked to is left out.
    """
    search = _Search(nodes, SocketFinder(registry, subgraphs))
    search.spread()
    links = {id: search.links_of(id) for id, node in nodes.items() if search.stays(id)}
    return Kept(links, search.left_out, search.follow)


def without_modes(workflow: Workflow, registry: NodeRegistry) -> Workflow:
    """The workflow without muted and bypassed nodes, for formats that have no words for them."""
    nodes = {id: Wired(entry.type, entry.mode, entry.links) for id, entry in workflow.nodes.items()}
    if not has_modes(nodes.values()):
        return workflow
    kept = apply_modes(nodes, registry, workflow.subgraphs)
    entries = {id: workflow.nodes[id].model_copy(update={"links": links}) for id, links in kept.links.items()}
    return workflow.model_copy(update={"nodes": entries})


@dataclass
class _Search:
    nodes: Mapping[str, Wired]
    sockets: SocketFinder
    left_out: dict[str, str] = field(default_factory=dict)
    ends: dict[Link, Links | None] = field(default_factory=dict)

    def stays(self, id: str) -> bool:
        """Whether a node is in what is left; one that is bypassed never is."""
        return id not in self.left_out and self.nodes[id].mode is None

    def spread(self) -> None:
        """Find what is left out: the muted nodes, then what needs one that is left out."""
        users = self._users()
        self.left_out = {id: id for id, node in self.nodes.items() if node.mode == "muted"}
        lost = [id for id, node in self.nodes.items() if node.mode is None and self._cause(id) is not None]
        self.left_out |= {id: cause for id in lost if (cause := self._cause(id)) is not None}
        pending = lost
        while pending:
            for user in users[pending.pop()]:
                if self.stays(user) and (cause := self._cause(user)) is not None:
                    self.left_out[user] = cause
                    pending.append(user)

    def _users(self) -> dict[str, list[str]]:
        """The nodes that are fed by each node, bypassed ones passed by."""
        users: dict[str, list[str]] = defaultdict(list)
        for id, node in self.nodes.items():
            if node.mode is not None:
                continue
            for link in (link for links in node.links.values() for link in _each(links)):
                for source in _each(self.follow(link)):
                    users[source.node].append(id)
        return users

    def _cause(self, id: str) -> str | None:
        """Why a node cannot run: the muted or bypassed node that leaves a required input without value."""
        required = self.sockets.of(self.nodes[id].type).required
        for name, links in self.nodes[id].links.items():
            if (required is None or name in required) and self._followed(links) is None:
                return self._root(next(iter(_each(links))))
        return None

    def _root(self, lost: Link) -> str:
        """The muted or bypassed node that keeps a link from having a value."""
        end = self.follow(lost)
        source = end if isinstance(end, Link) else lost
        return self.left_out.get(source.node, source.node)

    def links_of(self, id: str) -> dict[str, Links]:
        """The links of a node that is left; those that lead to nothing are gone."""
        followed = ((name, self._followed(links)) for name, links in self.nodes[id].links.items())
        return {name: links for name, links in followed if links is not None}

    def _followed(self, links: Links) -> Links | None:
        if isinstance(links, Link):
            return self._single(links)
        gathered = [found for link in links if isinstance(found := self._single(link), Link)]
        return gathered or (None if links else links)

    def _single(self, link: Link) -> Links | None:
        """What a link stands for, unless that is left out."""
        found = self.follow(link)
        if isinstance(found, list):
            present = [item for item in found if item.node not in self.left_out]
            return present or None
        return None if found is None or found.node in self.left_out else found

    def follow(self, link: Link) -> Links | None:
        """What a link stands for once bypassed nodes are passed by; ``None`` where they give nothing."""
        passed: list[Link] = []
        end: Links | None = link
        while isinstance(end, Link) and self._is_bypassed(end):
            if end in self.ends:
                end = self.ends[end]
                break
            self.ends[end] = None  # what leads back here leads nowhere
            passed.append(end)
            end = self._passed(end)
        if isinstance(end, list) and any(map(self._is_bypassed, end)):
            end = None  # gathered from what is not there
        self.ends.update(dict.fromkeys(passed, end))
        return end

    def _is_bypassed(self, link: Link) -> bool:
        return link.node in self.nodes and self.nodes[link.node].mode == "bypassed"

    def _passed(self, link: Link) -> Links | None:
        """The input that takes the place of an output of a bypassed node."""
        node = self.nodes[link.node]
        sockets = self.sockets.of(node.type)
        wanted = sockets.outputs.get(link.output)
        if wanted is None:
            return None
        fitting = [name for name in sockets.inputs if _fits(name, node, sockets, wanted)]
        index = list(sockets.outputs).index(link.output)
        same_place = list(sockets.inputs)[index : index + 1]
        same_type = [name for name in fitting if sockets.inputs[name] is wanted]
        order = [link.output, *same_place, *same_type, *fitting]
        return next((node.links[name] for name in order if name in fitting), None)


def _fits(name: str, node: Wired, sockets: Sockets, wanted: SocketType) -> bool:
    return name in node.links and assignable(sockets.inputs[name], wanted)


def _each(links: Links | None) -> Iterable[Link]:
    return [links] if isinstance(links, Link) else links or []


class SocketFinder:
    """The sockets of node types, those of subgraphs taken from what is inside."""

    def __init__(self, registry: NodeRegistry, subgraphs: Mapping[str, SubgraphEntry]) -> None:
        self._registry, self._subgraphs = registry, subgraphs
        self._known: dict[str, Sockets] = {}
        self._depth = 0

    def of(self, type: str) -> Sockets:
        """The sockets of a type; none where it is not known."""
        if type not in self._known and self._depth < MAX_DEPTH:
            self._known[type] = UNKNOWN  # while it is looked at: a subgraph may contain itself
            self._depth += 1
            self._known[type] = self._look(type)
            self._depth -= 1
        return self._known.get(type, UNKNOWN)

    def _look(self, type: str) -> Sockets:
        node = self._registry.get(type)
        if node is not None:
            inputs = {name: input.type for name, input in node.inputs.items()}
            outputs = {output.name: output.type for output in node.outputs}
            return Sockets(inputs, outputs, node.required)
        subgraph = self._subgraphs.get(type.removeprefix(SUBGRAPH_PREFIX))
        return self._inside(subgraph) if type.startswith(SUBGRAPH_PREFIX) and subgraph else UNKNOWN

    def _inside(self, subgraph: SubgraphEntry) -> Sockets:
        inputs = ((name, self._fed_type(subgraph, places)) for name, places in subgraph.inputs.items())
        outputs = (
            (name, self._inner(subgraph, link.node).outputs.get(link.output))
            for name, link in subgraph.outputs.items()
        )
        return Sockets(_known(inputs), _known(outputs), None)

    def _fed_type(self, subgraph: SubgraphEntry, places: Iterable[Link]) -> SocketType | None:
        """The type of the first inner input that an input of a subgraph feeds."""
        types = (self._inner(subgraph, node).inputs.get(input) for node, input in places)
        return next((found for found in types if found is not None), None)

    def _inner(self, subgraph: SubgraphEntry, id: str) -> Sockets:
        entry = subgraph.nodes.get(id)
        return UNKNOWN if entry is None else self.of(entry.type)


def _known(types: Iterable[tuple[str, SocketType | None]]) -> dict[str, SocketType]:
    return {name: found for name, found in types if found is not None}


UNKNOWN = Sockets({}, {}, None)
