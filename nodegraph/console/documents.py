"""``nodegraph validate``, ``import`` and ``export``: workflow files without running them."""

from __future__ import annotations

from pathlib import Path

import typer

from nodegraph.console.engines import EngineOptions, make_folders, make_registry
from nodegraph.console.errors import DONE, INVALID, exit_code
from nodegraph.console.report import counted
from nodegraph.errors import Issue, NodeGraphError
from nodegraph.graph import build_graph
from nodegraph.validation import validate
from nodegraph.workflow.comfy import export_comfy
from nodegraph.workflow.files import write_text
from nodegraph.workflow.sources import load_workflow
from nodegraph.workflow.writing import dump_json, dump_workflow


def validate_command(file: Path, options: EngineOptions, *, as_json: bool) -> int:
    """Say what would keep a workflow from running; returns the exit code."""
    try:
        nodes, issues = _check(file, options)
    except NodeGraphError as error:
        if not as_json:
            raise
        typer.echo(dump_json({"valid": False, "issues": [], "error": {"message": str(error)}}, 2))
        return exit_code(error)
    if as_json:
        told = [issue.to_json() for issue in issues]
        typer.echo(dump_json({"valid": not issues, "issues": told, "error": None}, 2))
    else:
        for issue in issues:
            typer.echo(str(issue))
        outcome = counted(len(issues), "issue") if issues else f"valid, {counted(nodes, 'node')}"
        typer.echo(f"{file}: {outcome}")
    return INVALID if issues else DONE


def _check(file: Path, options: EngineOptions) -> tuple[int, list[Issue]]:
    registry = make_registry()
    graph = build_graph(load_workflow(file, registry), registry)
    return len(graph.nodes), validate(graph, make_folders(registry, options))


def import_command(source: Path, target: Path | None) -> int:
    """Write a workflow of any format, or the one a picture carries, in this project's format."""
    _deliver(dump_workflow(load_workflow(source, make_registry())), target)
    return DONE


def export_command(source: Path, target: Path | None) -> int:
    """Write a workflow in ComfyUI's API format."""
    registry = make_registry()
    document = export_comfy(load_workflow(source, registry), registry, complete=True)
    _deliver(dump_json(document, 2) + "\n", target)
    return DONE


def _deliver(text: str, target: Path | None) -> None:
    if target is None:
        typer.echo(text, nl=False)
    else:
        write_text(text, target)
        typer.echo(target)
