"""What came of jobs as it was kept once, without what nobody else shall read of it.

Each function takes the text of a ``Job.result`` and gives it back as it may be told; SQL may call them.
"""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

from nodegraph.files import Folders
from nodegraph.private_paths import hide_paths

PRIVATE = Folders(Path("output"), private=True)
SPOKEN = ("errors", "error", "issues")
"""The parts of a result that are messages; the others are the user's own values."""


def add_functions(db: sqlite3.Connection) -> None:
    """Let the statements of a connection call ``without_tracebacks`` and ``without_paths``."""
    for function in (without_tracebacks, without_paths):
        db.create_function(function.__name__, 1, function, deterministic=True)


def without_tracebacks(result: str) -> str:
    """The first schema kept tracebacks with the errors of nodes; they show code, and where it lies."""
    document = json.loads(result)
    for error in document.get("errors", ()):
        error.pop("traceback", None)
    return _text(document)


def without_paths(result: str) -> str:
    """The same with every absolute path in a message cut down to its last part; see ``hide_paths``."""
    document = json.loads(result)
    return _text({name: _hidden(part) if name in SPOKEN else part for name, part in document.items()})


def _hidden(part: Any) -> Any:
    if isinstance(part, str):
        return hide_paths(part, PRIVATE)
    if isinstance(part, dict):
        return {name: _hidden(item) for name, item in part.items()}
    return [_hidden(item) for item in part] if isinstance(part, list) else part


def _text(document: Any) -> str:
    return json.dumps(document, ensure_ascii=True, separators=(",", ":"))
