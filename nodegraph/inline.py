"""Workflows used as nodes: every ``subgraph/<name>`` node is replaced by the nodes it stands for.

What is inside a muted one is muted; a bypassed one stays whole until it is passed by.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nodegraph.body import Place
from nodegraph.errors import Issue
from nodegraph.handles import Link
from nodegraph.hints import nearest
from nodegraph.workflow.schema import Mode, NodeEntry, SubgraphEntry

PREFIX = "subgraph/"
MAX_NODES = 500_000

Links = dict[str, Any]


@dataclass(slots=True)
class Draft:
    """A node on its way from the file into the graph; its id says which subgraphs it came through."""

    entry: NodeEntry
    inputs: dict[str, Any]
    links: Links
    mode: Mode | None
    within: tuple[str, ...] = ()


@dataclass(slots=True)
class Inlined:
    """A workflow without subgraph nodes.

    Attributes:
        subgraphs: the definitions at hand.
        nodes: what is left, by id.
        issues: what could not be unfolded.
        exits: the inner output that each output of a subgraph node stands for.
        inlined: the subgraph nodes that are gone, with their definitions where they have one.
    """

    subgraphs: Mapping[str, SubgraphEntry]
    nodes: dict[str, Draft] = field(default_factory=dict)
    issues: list[Issue] = field(default_factory=list)
    exits: dict[Link, Link] = field(default_factory=dict)
    inlined: dict[str, SubgraphEntry | None] = field(default_factory=dict)

    def unfold(self, entries: Mapping[str, NodeEntry]) -> None:
        """Add nodes, replacing the subgraph nodes among them until none is left."""
        pending = [
            (id, Draft(entry, entry.inputs, entry.links, entry.mode))
            for id, entry in reversed(list(entries.items()))
        ]
        while pending:
            id, draft = pending.pop()
            if id in self.nodes or id in self.inlined:
                self.issues.append(_taken(id))
            elif not draft.entry.type.startswith(PREFIX) or draft.mode == "bypassed":
                self.nodes[id] = draft  # what is bypassed is passed by as a whole
            elif len(self.nodes) + len(self.inlined) + len(pending) > MAX_NODES:
                self.issues.append(Issue("too_large", f"the subgraphs unfold to over {MAX_NODES} nodes.", id))
                return
            else:
                pending.extend(reversed(self._unfold(id, draft)))

    def _unfold(self, id: str, draft: Draft) -> list[tuple[str, Draft]]:
        name = draft.entry.type.removeprefix(PREFIX)
        subgraph = self.subgraphs.get(name)
        if subgraph is None or name in draft.within:
            self.issues.append(_unusable(id, name, subgraph, self.subgraphs))
            self.inlined[id] = None
            return []
        self.inlined[id] = subgraph
        self._note_exits(id, subgraph)
        inner = {
            f"{id}/{key}": Draft(
                entry,
                dict(entry.inputs),
                _prefixed(entry.links, id),
                draft.mode or entry.mode,
                (*draft.within, name),
            )
            for key, entry in subgraph.nodes.items()
        }
        self._feed(id, draft, subgraph, inner)
        return list(inner.items())

    def _note_exits(self, id: str, subgraph: SubgraphEntry) -> None:
        for output, link in subgraph.outputs.items():
            self.exits[Link(id, output)] = Link(f"{id}/{link.node}", link.output)

    def _feed(self, id: str, draft: Draft, subgraph: SubgraphEntry, inner: dict[str, Draft]) -> None:
        for given, attribute in ((draft.inputs, "inputs"), (draft.links, "links")):
            for name, value in given.items():
                if name not in subgraph.inputs:
                    self.issues.append(_no_such_input(id, name, draft, subgraph))
                    continue
                for node, input in subgraph.inputs[name]:
                    target = inner.get(f"{id}/{node}")
                    if target is None:
                        text = f"its input {name!r} leads to {node!r}, which is not in the subgraph."
                        self.issues.append(Issue("dangling_link", text, id, name, given=node))
                    else:
                        getattr(target, attribute)[input] = value

    def resolve(self, link: Link, id: str, input: str) -> Link | None:
        """Follow a link through the subgraph nodes it passes to the node that really computes it.

        ``id`` and ``input`` say whose link it is. It is ``None`` if it leads nowhere, which is an issue.
        """
        while link.node in self.inlined:
            inner = self.exits.get(link)
            if inner is None:
                subgraph = self.inlined[link.node]
                if subgraph is not None:
                    self.issues.append(_no_such_output(id, input, link, list(subgraph.outputs)))
                return None
            link = inner
        return link

    def places(self, node: str, input: str) -> list[Place]:
        """Where an input really leads: itself, or the inputs of the inner nodes it feeds."""
        found: dict[Place, None] = {}
        seen: set[Place] = set()
        pending = [(node, input)]
        while pending:
            place = pending.pop()
            if place in seen:
                continue
            seen.add(place)
            if place[0] in self.inlined:
                pending.extend(reversed(self._inner_places(*place)))
            else:
                found[place] = None
        return list(found)

    def _inner_places(self, node: str, input: str) -> list[Place]:
        subgraph = self.inlined[node]
        places = subgraph.inputs.get(input, ()) if subgraph is not None else ()
        return [(f"{node}/{name}", inner) for name, inner in places]


def inline(nodes: Mapping[str, NodeEntry], subgraphs: Mapping[str, SubgraphEntry]) -> Inlined:
    """Unfold the subgraph nodes among ``nodes``; ids of inner nodes become ``outer/inner``."""
    result = Inlined(subgraphs)
    result.unfold(nodes)
    if result.inlined:
        for id, draft in result.nodes.items():
            followed = ((name, _follow(result, value, id, name)) for name, value in draft.links.items())
            draft.links = {name: value for name, value in followed if value is not None}
    return result


def _follow(inlined: Inlined, value: Any, id: str, input: str) -> Any:
    if isinstance(value, Link):
        return inlined.resolve(value, id, input)
    links = [inlined.resolve(link, id, input) for link in value]
    return None if None in links else links


def _prefixed(links: Mapping[str, Any], id: str) -> Links:
    return {
        name: Link(f"{id}/{value.node}", value.output)
        if isinstance(value, Link)
        else [Link(f"{id}/{link.node}", link.output) for link in value]
        for name, value in links.items()
    }


def _taken(id: str) -> Issue:
    message = f"a node inside a subgraph gets the id {id!r}, which another node of the workflow has."
    return Issue("duplicate_id", message, id, given=id, expected="an id without a slash")


def _unusable(id: str, name: str, found: SubgraphEntry | None, known: Mapping[str, Any]) -> Issue:
    if found is not None:
        return Issue("subgraph_cycle", f"subgraph {name!r} contains itself.", id, given=name, related=(id,))
    return Issue(
        "unknown_subgraph",
        f"the workflow has no subgraph {name!r}; it has {', '.join(known) or 'none'}.",
        id,
        given=name,
        suggestions=nearest(name, known),
    )


def _no_such_input(id: str, name: str, draft: Draft, subgraph: SubgraphEntry) -> Issue:
    expected = ", ".join(subgraph.inputs) or "no inputs"
    message = f"{draft.entry.type} has no input {name!r}; it has {expected}."
    return Issue("unknown_input", message, id, name, name, expected, nearest(name, subgraph.inputs))


def _no_such_output(id: str, input: str, link: Link, outputs: list[str]) -> Issue:
    expected = ", ".join(outputs) or "none at all"
    message = f"{link.node} has no output {link.output!r}; it has {expected}."
    suggestions = nearest(link.output, outputs)
    return Issue("unknown_output", message, id, input, link.output, expected, suggestions, (link.node,))
