"""Keys of a workflow file that mean nothing here: they stay in the file, but may well be mistyped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from nodegraph.errors import Issue
from nodegraph.hints import nearest
from nodegraph.workflow.schema import NodeEntry, SubgraphEntry, Workflow


def unknown_keys(workflow: Workflow) -> Iterator[Issue]:
    """A warning for each key that no part of the engine reads; what is inside ``ui`` is the editor's own."""
    yield from _unknown(workflow, "the workflow")
    yield from _in_nodes(workflow.nodes)
    for name, subgraph in workflow.subgraphs.items():
        yield from _unknown(subgraph, f"subgraph {name!r}")
        yield from _in_nodes(subgraph.nodes, name)


def _in_nodes(nodes: Mapping[str, NodeEntry], subgraph: str | None = None) -> Iterator[Issue]:
    for id, entry in nodes.items():
        if not entry.model_extra:
            continue
        if subgraph is None:
            yield from _unknown(entry, "the node", id)
        else:
            yield from _unknown(entry, f"node {id!r} of subgraph {subgraph!r}")


def _unknown(
    record: Workflow | SubgraphEntry | NodeEntry, what: str, node: str | None = None
) -> Iterator[Issue]:
    known = list(type(record).model_fields)
    expected = ", ".join(known)
    for key in record.model_extra or ():
        message = f"{what} has a key {key!r}, which means nothing here and is ignored; known are {expected}."
        suggestions = nearest(key, known)
        yield Issue("unknown_key", message, node, None, key, expected, suggestions, severity="warning")
