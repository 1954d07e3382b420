"""What of a graph is wanted, and what of it can be had although other parts are at fault."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import networkx as nx

from nodegraph.errors import Issue, errors_among
from nodegraph.graph import Graph
from nodegraph.hints import nearest

OF_ALL = ("cycle", "unknown_target")
"""Issues that keep every run from taking place, whatever is wanted of it."""


def unknown_targets(wanted: Iterable[str], graph: Graph) -> list[Issue]:
    """An issue for each wanted node that the graph does not have."""
    return [_unknown_target(id, graph) for id in wanted if id not in graph.nodes]


def runnable_ends(graph: Graph, issues: Sequence[Issue]) -> list[str]:
    """The nodes to end in that need no node at fault; a run with these as its targets may take place."""
    wrong: set[str] = set()
    for issue in errors_among(issues):
        wrong |= _at_fault(issue, graph)
    blocked = wrong.union(*(nx.descendants(graph.digraph, id) for id in wrong))
    return [id for id in graph.terminals() if id not in blocked]


def concerning(issues: Sequence[Issue], graph: Graph, wanted: Collection[str]) -> list[Issue]:
    """The issues without the errors of nodes that what is wanted does not need."""
    known = [id for id in wanted if id in graph.nodes]
    needed = set(known).union(*(nx.ancestors(graph.digraph, id) for id in known))
    return [
        issue
        for issue in issues
        if issue.severity != "error" or _at_fault(issue, graph) & needed or not known
    ]


def _at_fault(issue: Issue, graph: Graph) -> set[str]:
    """The nodes that an error is about; all of them where it is about the whole."""
    if issue.node is None or issue.code in OF_ALL:
        return set(graph.nodes)
    outer = issue.node
    while outer not in graph.nodes and "/" in outer:  # inside the body of a loop
        outer = outer.rpartition("/")[0]
    if outer in graph.nodes:
        return {outer}
    inside = {id for id in graph.nodes if id.startswith(f"{issue.node}/")}  # of a subgraph that is unfolded
    return inside or set(graph.nodes)


def _unknown_target(id: str, graph: Graph) -> Issue:
    cause = graph.left_out.get(id)
    if cause is not None:
        why = "it is muted" if cause == id else f"it needs {cause}, which is muted or bypassed"
        return Issue("unknown_target", f"{id} is left out of the run: {why}.", id, given=id)
    text = f"there is no node {id!r} to run."
    return Issue("unknown_target", text, given=id, suggestions=nearest(id, graph.nodes))
