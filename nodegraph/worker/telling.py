"""What happens in a run as JSON: events for those who watch, and the result that history keeps."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nodegraph.engine import RunResult
from nodegraph.errors import Issue, NodeError, NodeGraphError, ValidationError, listed
from nodegraph.events import (
    Event,
    NodeCancelled,
    NodeExpanded,
    NodeFailed,
    NodeFinished,
    NodeProgress,
    NodeStarted,
    RunStarted,
)
from nodegraph.files import Folders, OutputFile
from nodegraph.graph import Graph, GraphNode
from nodegraph.handles import Link
from nodegraph.planning import Plan, output_files
from nodegraph.private_paths import hide_paths, hide_paths_in
from nodegraph.validation import Analysis

MAX_VALUE = 64 << 10
MAX_EVENT_VALUE = 8 << 10
MAX_SHOWN = 64
NAMES: dict[type, str] = {
    RunStarted: "job_started",
    NodeStarted: "node_started",
    NodeProgress: "node_progress",
    NodeExpanded: "node_expanded",
    NodeFinished: "node_finished",
    NodeFailed: "node_failed",
    NodeCancelled: "node_cancelled",
}


def event_message(event: Event, folders: Folders) -> dict[str, Any] | None:
    """An event of the engine as JSON data; ``None`` for those that are told in another way.

    Args:
        folders: where the files are that a finished node names.
    """
    name = NAMES.get(type(event))
    if name is None:
        return None
    fields = event._asdict()
    del fields["run"]
    if "seconds" in fields:
        fields["seconds"] = round(fields["seconds"], 6)
    outputs = fields.pop("outputs", None)
    if outputs is not None:
        told = {output: told_value(value, folders, MAX_EVENT_VALUE) for output, value in outputs.items()}
        fields["outputs"] = told
    if isinstance(event, NodeFailed):
        fields["message"] = hide_paths(event.message, folders)
    return {"type": name, **fields}


def result_message(result: RunResult, folders: Folders, targets: list[str]) -> dict[str, Any]:
    """A run that took place, as history keeps it."""
    return {
        "status": result.status,
        "executed": result.executed,
        "seconds": round(result.seconds, 6),
        "nodes": {id: record._asdict() for id, record in result.nodes.items()},
        "outputs": {
            id: {name: told_value(value, folders) for name, value in outputs.items()}
            for id, outputs in result.outputs.items()
        },
        "errors": [error_message(error, folders) for error in result.errors],
        "issues": _issues(result.warnings, folders),
        "error": _first(result, folders),
    }


def _first(result: RunResult, folders: Folders) -> dict[str, str] | None:
    if not result.errors:
        return None
    first = result.errors[0]
    text = hide_paths(str(first), folders)
    return {"code": "node_failed", "message": f"{first.node_id} ({first.node_type}): {text}"}


def error_message(error: NodeError, folders: Folders) -> dict[str, Any]:
    """The failure of a node; its traceback, which shows code and where it lies, is for the log alone."""
    return {
        "message": hide_paths(str(error), folders),
        "node": error.node_id,
        "type": error.node_type,
        "inputs": {name: hide_paths(text, folders) for name, text in error.inputs.items()},
        "place": hide_paths(error.place, folders),
        "exception": error.exception,
        "frames": list(error.frames),
    }


def _issues(issues: Sequence[Issue], folders: Folders) -> list[dict[str, Any]]:
    return [hide_paths_in(issue, folders).to_json() for issue in listed(issues)]


def outputs_message(graph: Graph, analysis: Analysis) -> dict[str, dict[str, Any]]:
    """What validation knows of the outputs of each node: their types, and facts such as the size."""
    return {
        id: {name: _output(node, name, analysis) for name in node.known.output_index}
        for id, node in graph.nodes.items()
        if node.node is not None
    }


def _output(node: GraphNode, name: str, analysis: Analysis) -> dict[str, Any]:
    link = Link(node.id, name)
    declared = node.known.outputs[node.known.output_index[name]].type
    spec = analysis.facts.get(link)
    facts = {fact: _plain(value) for fact, value in spec.facts.items()} if spec else {}
    return {"type": str(analysis.types.get(link, declared)), "facts": facts}


def _plain(value: Any) -> Any:
    finite = not isinstance(value, float) or math.isfinite(value)  # JSON has no other numbers
    return value if value is None or (finite and isinstance(value, str | int | float)) else str(value)


def plan_message(plan: Plan, folders: Folders) -> dict[str, Any]:
    """What a run would do now."""
    askable = plan.askable()
    covered = plan.covered(askable)
    known = covered | {id: origin or "maybe" for id, origin in askable.items()} | plan.steps
    origins = {id: known.get(id, "unneeded") for id in plan.graph.nodes}
    return {
        "valid": True,
        "targets": list(plan.targets),
        "runnable": plan.graph.terminals(),
        "run": sum(origin == "run" for origin in origins.values()),
        "maybe": sum(origin == "maybe" for origin in origins.values()),
        "nodes": _planned_nodes(plan.graph, plan.analysis, origins),
        "left_out": dict(plan.graph.left_out),
        "issues": _issues(plan.analysis.issues, folders),
    }


def no_plan_message(
    graph: Graph, analysis: Analysis, issues: Sequence[Issue], runnable: Sequence[str]
) -> dict[str, Any]:
    """The same of a workflow that must not run: what is known of it, and why, and what of it may."""
    return {
        "valid": False,
        "targets": [],
        "runnable": list(runnable),
        "run": 0,
        "maybe": 0,
        "nodes": _planned_nodes(graph, analysis, {}),
        "left_out": dict(graph.left_out),
        "issues": [issue.to_json() for issue in listed(issues)],
    }


def _planned_nodes(graph: Graph, analysis: Analysis, origins: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    outputs = outputs_message(graph, analysis)
    return {
        id: {"type": node.type, "origin": origins.get(id), "outputs": outputs.get(id, {})}
        for id, node in graph.nodes.items()
    }


def failure_message(code: str, message: str, *, status: str = "failed") -> dict[str, Any]:
    """A run that did not take place, or was broken off."""
    return {
        "status": status,
        "executed": 0,
        "seconds": 0.0,
        "nodes": {},
        "outputs": {},
        "errors": [],
        "issues": [],
        "error": {"code": code, "message": message},
    }


def refusal_message(error: NodeGraphError, folders: Folders) -> dict[str, Any]:
    """A workflow that must not run, or whose plan failed."""
    text = hide_paths(str(error), folders)
    if isinstance(error, ValidationError):
        message = failure_message("invalid_workflow", f"the workflow has {len(error.issues)} issue(s)")
        return {**message, "issues": _issues(error.issues, folders)}
    if isinstance(error, NodeError):
        return {**failure_message("node_failed", text), "errors": [error_message(error, folders)]}
    return failure_message("workflow_error", text)


def told_value(value: Any, folders: Folders, longest: int = MAX_VALUE) -> list[dict[str, Any]]:
    """An output of a node: its files, and otherwise its value where that is plain and not too long.

    A class may say what is shown of its values: ``__shown__(self, longest)`` gives JSON data with a
    ``kind``, such as ``series``, of about so many characters.
    """
    files = output_files(value)
    if files:
        return [{"file": _file(file, folders)} for file in files]
    if _is_shown(value):
        return [_shown(value, longest)]
    if isinstance(value, list) and value and all(map(_is_shown, value)):
        return [_shown(item, longest // len(value)) for item in value[:MAX_SHOWN]]
    try:
        text = json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return [{"note": f"{_named(value)}, which JSON cannot say"}]
    if len(text) > longest:
        return [{"note": f"a {type(value).__name__} of {len(text)} characters, too long to be kept here"}]
    return [{"value": value}]


def _named(value: Any) -> str:
    """What a value is; of numbers that are none, which."""
    if isinstance(value, float):
        return str(value)
    items = value if isinstance(value, list) else ()
    odd = {str(item) for item in items if isinstance(item, float) and not math.isfinite(item)}
    within = f" with {' and '.join(sorted(odd))}" if odd else ""
    return f"a {type(value).__name__}{within}"


def _is_shown(value: Any) -> bool:
    return hasattr(type(value), "__shown__")


def _shown(value: Any, longest: int) -> dict[str, Any]:
    """What a value shows of itself; what its author did wrong is told in its place."""
    try:
        data = value.__shown__(longest)
        kind, rest = data["kind"], {name: item for name, item in data.items() if name != "kind"}
        json.dumps([kind, rest], allow_nan=False)
    except Exception as error:  # noqa: BLE001 - a pack's code must not keep the run from being told of
        return {"note": f"a {type(value).__name__}, whose __shown__ failed: {type(error).__name__}: {error}"}
    return {"kind": kind, "value": rest}


def _file(file: OutputFile, folders: Folders) -> Mapping[str, Any]:
    kind, place = "output", _below(file.path, folders.output)
    if place is None and folders.temporary is not None:
        kind, place = "temp", _below(file.path, folders.temporary)
    place = place or Path(Path(file.path).name)
    subfolder = place.parent.as_posix()
    return {
        "name": place.name,
        "subfolder": "" if subfolder == "." else subfolder,
        "kind": kind,
        "digest": file.digest,
        "media_type": file.media_type,
    }


def _below(path: str, folder: Path) -> Path | None:
    try:
        return Path(path).relative_to(folder.absolute())
    except ValueError:
        return None
