"""Workflow files: read whole, written in one step."""

from __future__ import annotations

import os
import secrets
import shutil
from pathlib import Path

from nodegraph.errors import WorkflowError
from nodegraph.workflow.reading import parse_workflow
from nodegraph.workflow.schema import Workflow
from nodegraph.workflow.strict_json import MAX_BYTES
from nodegraph.workflow.writing import dump_workflow


def read_workflow(path: str | os.PathLike[str]) -> Workflow:
    """Read a workflow file, of this or an earlier format version.

    Raises:
        WorkflowError: the file cannot be read as a workflow; the message lists every problem.
    """
    try:
        return parse_workflow(read_bounded(Path(path)))
    except WorkflowError as error:
        raise WorkflowError(f"{path}: {error}") from None


def read_bounded(path: Path, limit: int = MAX_BYTES) -> bytes:
    """The bytes of a file.

    Raises:
        WorkflowError: it cannot be read, or is larger than ``limit`` bytes.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(limit + 1)
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        raise WorkflowError(f"cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if len(data) > limit:
        raise WorkflowError(f"the file is larger than {limit >> 20} MiB")
    return data


def write_workflow(workflow: Workflow, path: str | os.PathLike[str]) -> None:
    """Write a workflow file; it is replaced in one step, so a reader never sees half of it.

    Raises:
        WorkflowError: an input has no JSON form, or the file cannot be written.
    """
    write_text(dump_workflow(workflow), Path(path))


def write_text(text: str, path: Path) -> None:
    """Write a text file in UTF-8; it is replaced in one step.

    Raises:
        WorkflowError: it cannot be written.
    """
    try:
        _replace(path.resolve(), text.encode())  # a link stays, what it points to is replaced
    except OSError as error:
        raise WorkflowError(f"{path}: cannot be written: {error.strerror or error}") from None


def _replace(target: Path, data: bytes) -> None:
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
    try:
        with temporary.open("xb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        if target.exists():
            shutil.copymode(target, temporary)
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


__all__ = ["dump_workflow", "parse_workflow", "read_bounded", "read_workflow", "write_text", "write_workflow"]
