"""What is told of a run: one line for people, one object for programs."""

from __future__ import annotations

from collections import Counter
from typing import Any

from nodegraph.console.errors import INVALID, counted, exit_code
from nodegraph.engine import RunResult
from nodegraph.errors import NodeError, NodeGraphError, ValidationError, listed


def summary_line(result: RunResult) -> str:
    """Where the results came from and how long it took: ``7 nodes: 4 ran, 3 from disk · 1.2 s``."""
    total = counted(len(result.nodes) + len(result.errors), "node")
    return f"{total}: {_origins(result)} · {duration(result.seconds)}"


def _origins(result: RunResult) -> str:
    counts = Counter(record.origin for record in result.nodes.values())
    if result.nodes and counts["disk"] == len(result.nodes) - counts["pruned"] and not result.errors:
        return "every node came from disk"
    parts = [f"{counts['run']} ran"] if counts["run"] else ["none ran"]
    parts += [f"{counts[origin]} from {origin}" for origin in ("memory", "disk") if counts[origin]]
    parts += [f"{counts['pruned']} not needed"] if counts["pruned"] else []
    parts += [f"{len(result.errors)} failed"] if result.errors else []
    return ", ".join(parts)


def duration(seconds: float) -> str:
    """A time as people say it: ``1.2 s``, ``3 min 5 s``."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"


def result_document(result: RunResult, *, explain: bool = False) -> dict[str, Any]:
    """A run as JSON data; ``explain`` adds to each node why it was or was not cached."""
    return {
        "status": result.status,
        "outputs": list(dict.fromkeys(file.path for file in result.files)),
        "executed": result.executed,
        "nodes": {
            key: {
                "type": record.type,
                "origin": record.origin,
                "seconds": record.seconds,
                **({"explanation": result.explanations.get(key, "")} if explain else {}),
            }
            for key, record in result.nodes.items()
        },
        "issues": [warning.to_json() for warning in listed(result.warnings)],
        "error": result.errors[0].to_json() if result.errors else None,
    }


def failure_document(error: NodeGraphError) -> dict[str, Any]:
    """A run that did not even begin as JSON data, with the same keys."""
    issues = [issue.to_json() for issue in listed(error.issues)] if isinstance(error, ValidationError) else []
    told = error.to_json() if isinstance(error, NodeError) else {"message": str(error)}
    return {
        "status": "invalid" if exit_code(error) == INVALID else "failed",
        "outputs": [],
        "executed": 0,
        "nodes": {},
        "issues": issues,
        "error": None if issues else told,
    }


def sweep_document(runs: list[dict[str, Any]], sheet: str | None) -> dict[str, Any]:
    """Several runs as one object: the keys of one run over all of them, and each under ``runs``."""
    status = next((run["status"] for run in runs if run["status"] != "done"), "done")
    return {
        "status": status,
        "outputs": [path for run in runs for path in run["outputs"]] + ([sheet] if sheet else []),
        "executed": sum(run["executed"] for run in runs),
        "nodes": runs[-1]["nodes"],
        "issues": [issue for run in runs for issue in run["issues"]],
        "error": next((run["error"] for run in runs if run["error"]), None),
        "runs": runs,
    }
