"""``nodegraph validate``, ``import`` and ``export``: workflow files without running them."""

from __future__ import annotations

import os
from pathlib import Path

from nodegraph.console.engines import EngineOptions, make_folders, make_registry
from nodegraph.console.errors import DONE, INVALID, counted, exit_code, tally, tell_problems
from nodegraph.console.output import complain, say
from nodegraph.errors import Issue, NodeGraphError, errors_among, listed
from nodegraph.graph import build_graph
from nodegraph.hints import bounded_hints
from nodegraph.python_code import export_python
from nodegraph.registry import NodeRegistry
from nodegraph.validation import validate
from nodegraph.workflow.comfy import export_comfy
from nodegraph.workflow.files import write_text
from nodegraph.workflow.schema import Workflow
from nodegraph.workflow.sources import import_file, load_workflow
from nodegraph.workflow.writing import dump_json, dump_workflow


def validate_command(file: Path, options: EngineOptions, *, as_json: bool) -> int:
    """Say what would keep a workflow from running, and what looks mistaken; returns the exit code."""
    try:
        nodes, issues = _check(file, options)
    except NodeGraphError as error:
        if not as_json:
            raise
        say(dump_json({"valid": False, "issues": [], "error": {"message": str(error)}}, 2))
        return exit_code(error)
    valid = not errors_among(issues)
    if as_json:
        told = [issue.to_json() for issue in listed(issues)]
        say(dump_json({"valid": valid, "issues": told, "error": None}, 2))
    else:
        for issue in listed(issues):
            say(str(issue))
        parts = [f"valid, {counted(nodes, 'node')}"] if valid else []
        say(f"{file}: {', '.join([*parts, *([tally(issues)] if issues else [])])}")
    return DONE if valid else INVALID


def _check(file: Path, options: EngineOptions) -> tuple[int, list[Issue]]:
    registry = make_registry()
    folders = make_folders(registry, options)
    with bounded_hints():
        graph = build_graph(load_workflow(file, registry), registry)
        return len(graph.nodes), validate(graph, folders)


def import_command(source: Path, target: Path | None) -> int:
    """Write a workflow of any format, or the one a picture carries, in this project's format."""
    _deliver(dump_workflow(_load(source, make_registry())), target)
    return DONE


def export_command(source: Path, target: Path | None, format: str) -> int:
    """Write a workflow in ComfyUI's API format (``comfyui``) or as a program (``python``)."""
    registry = make_registry()
    workflow = _load(source, registry)
    if format == "python":
        _deliver(export_python(workflow, registry), target)
    else:
        _deliver(dump_json(export_comfy(workflow, registry, complete=True), 2) + "\n", target)
    return DONE


def _load(source: Path, registry: NodeRegistry) -> Workflow:
    """The workflow, after telling what could not be carried over from another format.

    Where a node of it is unknown, the packs that did not load are told: one may have it.
    """
    imported = import_file(source, registry)
    for issue in listed(imported.issues):
        complain(str(issue))
    workflow = imported.workflow
    entries = [*workflow.nodes.values()]
    entries += [entry for subgraph in workflow.subgraphs.values() for entry in subgraph.nodes.values()]
    if any(not entry.subgraph and registry.get(entry.type) is None for entry in entries):
        tell_problems(registry)
    return workflow


def _deliver(text: str, target: Path | None) -> None:
    if target is None or _is_standard_output(target):
        say(text, newline=False)
    else:
        write_text(text, target)
        say(target)


def _is_standard_output(target: Path) -> bool:
    """Whether a path, such as ``/dev/stdout``, leads where this process prints to."""
    try:
        return os.path.samestat(target.stat(), os.fstat(1))
    except (OSError, ValueError):  # nothing there yet, or no standard output at all
        return False
