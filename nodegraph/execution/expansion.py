"""Subgraphs that nodes return: checked, keyed and added to the plan while the run goes on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable
from typing import Any

from nodegraph.errors import Issue, NodeGraphError, ValidationError, errors_among
from nodegraph.graph import Graph, GraphNode, node_of_call
from nodegraph.handles import Call, Handle, Link, Subgraph, call_of, calls_upstream, handles_in, output_of
from nodegraph.planning import Plan
from nodegraph.validation import check_nodes


def expand(plan: Plan, parent: GraphNode, subgraph: Subgraph) -> tuple[dict[str, Any], list[str], list[str]]:
    """Add a subgraph to a plan.

    Returns:
        What each output of ``parent`` is now (a link, a value, or a list of these); the ids of nodes that
        shall run although no output needs them; the ids of all nodes added.

    Raises:
        ValidationError: the subgraph is not valid.
        NodeError: the ``fingerprint=`` of a node failed.
        NodeGraphError: its outputs are not those ``parent`` declares.
    """
    _check_outputs(parent, subgraph)
    handles = [handle for value in subgraph.outputs.values() for handle in handles_in(value)]
    calls = calls_upstream([*handles, *subgraph.also])
    ids = _ids(parent.id, calls, plan.nodes)
    nodes = _nodes(calls, ids)
    try:
        _add(plan, nodes)
    except NodeGraphError:
        for node in nodes:
            del plan.nodes[node.id]
            plan.keys.pop(node.id, None)
        raise
    outputs = {name: _wired(value, ids) for name, value in subgraph.outputs.items()}
    return outputs, [ids[call_of(handle)] for handle in subgraph.also], list(ids.values())


def _add(plan: Plan, nodes: list[GraphNode]) -> None:
    plan.nodes.update((node.id, node) for node in nodes)
    issues = check_nodes(Graph(plan.nodes), [node.id for node in nodes], plan.folders, plan.analysis)
    if errors_among(issues):
        raise ValidationError(issues)
    plan.add(nodes)


def _check_outputs(parent: GraphNode, subgraph: Subgraph) -> None:
    declared = [output.name for output in parent.known.outputs]
    if sorted(subgraph.outputs) != sorted(declared):
        raise NodeGraphError(
            f"its subgraph has the outputs {list(subgraph.outputs)}, but it declares {declared}"
        )


def _ids(parent: str, calls: list[Call], taken: Container[str]) -> dict[Call, str]:
    """Numbered in the order in which the calls were made, so that nodes of one iteration share its number."""
    counts: Counter[str] = Counter()
    ids: dict[Call, str] = {}
    for call in sorted(calls, key=lambda call: call.serial):
        name = f"{parent}/{call.id or call.node.id}"
        counts[name] += 1
        while f"{name}-{counts[name]}" in taken:  # the workflow may have a node of just that id
            counts[name] += 1
        ids[call] = f"{name}-{counts[name]}"
    return ids


def iterations_of(added: Iterable[str]) -> int:
    """The highest number among the ids of nodes that were added together; 0 for none."""
    return max((int(id.rpartition("-")[2]) for id in added), default=0)


def _nodes(calls: list[Call], ids: dict[Call, str]) -> list[GraphNode]:
    issues: list[Issue] = []
    nodes = [node_of_call(call, ids, issues) for call in calls]
    if issues:
        raise ValidationError(issues)
    return nodes


def _wired(value: Any, ids: dict[Call, str]) -> Any:
    if isinstance(value, Handle):
        return Link(ids[call_of(value)], output_of(value))
    return [_wired(item, ids) for item in value] if type(value) is list else value
