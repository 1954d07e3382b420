"""Whether a document may become a job: it is read, measured and validated before it is queued."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from nodegraph.errors import Issue, ValidationError, errors_among
from nodegraph.files import Folders
from nodegraph.graph import Graph, build_graph
from nodegraph.hints import bounded_hints
from nodegraph.private_paths import hide_paths_in
from nodegraph.registry import NodeRegistry
from nodegraph.targets import concerning, runnable_ends, unknown_targets
from nodegraph.validation import Analysis, analyse
from nodegraph.workflow.schema import NodeEntry, Workflow
from nodegraph.workflow.sources import workflow_of_any_format
from nodegraph.workflow.writing import workflow_document

COUNTED = 1_000_000_000


@dataclass(frozen=True)
class Checked:
    """A document that could be read as a workflow.

    Attributes:
        workflow: the workflow, its nodes brought up to date.
        issues: everything that validation found, warnings included.
        graph: its graph; without nodes if the workflow is too large to be looked at.
        analysis: what validation learnt of it.
    """

    workflow: Workflow
    issues: list[Issue]
    graph: Graph
    analysis: Analysis

    @property
    def document(self) -> dict[str, Any]:
        """The workflow as the JSON data that is queued."""
        return workflow_document(self.workflow)

    @property
    def runnable(self) -> list[str]:
        """The nodes to end in that could be the targets of a job, whatever is wrong elsewhere."""
        return runnable_ends(self.graph, self.issues)

    @property
    def valid(self) -> bool:
        """Whether it may run."""
        return not errors_among(self.issues)

    def or_raise(self) -> Checked:
        """This; or ``ValidationError`` if the workflow must not run."""
        if not self.valid:
            raise ValidationError(self.issues)
        return self


@dataclass(frozen=True)
class Checker:
    """Reads and validates documents; may be used from any thread.

    Attributes:
        registry: the nodes there are.
        folders: the folders of a user, by name.
        max_nodes: the most nodes that a workflow may unfold to.
    """

    registry: NodeRegistry
    folders: Callable[[str], Folders]
    max_nodes: int

    def check(self, document: Any, *, owner: str, targets: Iterable[str] | None = None) -> Checked:
        """Read and validate a workflow of any format.

        Args:
            owner: whose files it may name.
            targets: ids of the nodes whose results are wanted; by default its output nodes.

        Raises:
            WorkflowError: it cannot be read as a workflow.
        """
        return self.check_workflow(workflow_of_any_format(document, self.registry), owner, targets)

    def check_workflow(self, workflow: Workflow, owner: str, targets: Iterable[str] | None = None) -> Checked:
        """Validate a workflow that was read."""
        size = unfolded_size(workflow)
        if size > self.max_nodes:
            return Checked(workflow, [_too_large(size, self.max_nodes)], Graph({}), Analysis())
        wanted = None if targets is None else list(targets)
        folders = self.folders(owner)
        with bounded_hints():
            graph = build_graph(workflow, self.registry)
            analysis = analyse(graph, folders, need_terminal=wanted is None)
            found = analysis.issues
            if wanted is not None:
                found = concerning([*found, *unknown_targets(wanted, graph)], graph, wanted)
        issues = [hide_paths_in(issue, folders) for issue in found]
        return Checked(workflow, issues, graph, analysis)


def unfolded_size(workflow: Workflow) -> int:
    """How many nodes a workflow has once its subgraphs are unfolded, without unfolding them.

    A subgraph inside itself counts once there; it is an issue that validation tells. Counting stops at
    ``COUNTED``.
    """
    sizes: dict[str, int] = {}
    entered: set[str] = set()
    stack = list(workflow.subgraphs)
    while stack:  # no recursion: how deep subgraphs are nested is up to the client
        name = stack[-1]
        entries = workflow.subgraphs[name].nodes
        named = {entry.subgraph for entry in entries.values() if entry.subgraph is not None}
        inner = named & workflow.subgraphs.keys()
        if name not in entered and inner - entered:
            entered.add(name)
            stack.extend(inner - entered)
        else:
            entered.add(name)
            sizes[stack.pop()] = 1 + _total(entries, sizes)
    return _total(workflow.nodes, sizes)


def _total(entries: Mapping[str, NodeEntry], sizes: Mapping[str, int]) -> int:
    return min(COUNTED, sum(sizes.get(entry.subgraph or "", 1) for entry in entries.values()))


def _too_large(size: int, limit: int) -> Issue:
    given = str(size) if size < COUNTED else f"over {COUNTED}"
    message = f"the workflow has {given} nodes, subgraphs unfolded; this server takes up to {limit}."
    return Issue("too_large", message, given=given, expected=f"at most {limit} nodes")
