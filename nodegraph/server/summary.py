"""What a job is about, told from its workflow: lists of jobs show it, and need not read the workflow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from nodegraph.graph import Graph, GraphNode
from nodegraph.handles import Link
from nodegraph.jobs.records import JobSummary
from nodegraph.node_type import Input, widget_of
from nodegraph.server.checking import Checked

MAX_NAME = 200
MAX_PROMPT = 200
"""Characters of a prompt that are told."""
MAX_MAKES = 5


def summary_of(checked: Checked, targets: Iterable[str] | None = None) -> JobSummary:
    """The name of a workflow, what it makes, and the first seed and the first prompt on the way there.

    First is what is met when the inputs of the output nodes are followed upstream, each in the order of its
    node's signature. A seed is an input whose widget says so, a prompt one whose text may have lines.
    """
    graph = checked.graph
    ends = [id for id in targets or graph.terminals() if id in graph.nodes]
    types = dict.fromkeys(graph.nodes[id].type for id in ends)
    seed, prompt = _seed_and_prompt(graph, ends)
    return {
        "name": checked.workflow.name[:MAX_NAME],
        "makes": list(types)[:MAX_MAKES],
        "seed": seed,
        "prompt": prompt or "",
    }


def _seed_and_prompt(graph: Graph, ends: Iterable[str]) -> tuple[str | None, str | None]:
    seed = prompt = None
    for input, value in _constants(graph, ends):
        if seed is None and _is_seed(input):
            seed = str(value)
        if prompt is None and _is_prompt(input):
            prompt = str(value)[:MAX_PROMPT].strip()
        if seed is not None and prompt is not None:
            break
    return seed, prompt


def _is_seed(input: Input) -> bool:
    return input.widget is not None and input.widget.kind == "seed"


def _is_prompt(input: Input) -> bool:
    widget = widget_of(input) if input.widget is not None else None
    return widget is not None and widget["kind"] == "text" and bool(widget.get("multiline"))


def _constants(graph: Graph, ends: Iterable[str]) -> Iterator[tuple[Input, Any]]:
    """The constants of nodes and of all they need, depth first; each node once."""
    entered: set[str] = set()
    pending: list[str | tuple[Input, Any]] = [*reversed(list(ends))]
    while pending:  # no recursion: how long a chain is, is up to the client
        part = pending.pop()
        if isinstance(part, tuple):
            yield part
        elif part in graph.nodes and part not in entered:
            entered.add(part)
            pending += reversed(list(_parts(graph.nodes[part])))


def _parts(node: GraphNode) -> Iterator[str | tuple[Input, Any]]:
    """For each input in its order the nodes wired into it, or the input and its constant."""
    for name, input in node.known.inputs.items():
        links = node.links.get(name, ())
        for link in (links,) if isinstance(links, Link) else links:
            yield link.node
        if not links and name in node.constants:
            yield input, node.constants[name]
