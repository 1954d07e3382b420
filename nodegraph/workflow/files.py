"""Workflow files: read whole, written in one step."""

from __future__ import annotations

import os
import secrets
import shutil
import stat
from pathlib import Path

from nodegraph.errors import WorkflowError
from nodegraph.system_errors import system_reason
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
        raise WorkflowError(f"cannot be read: {why(error)}") from None
    if len(data) > limit:
        raise WorkflowError(f"the file is larger than {limit >> 20} MiB")
    return data


def write_workflow(workflow: Workflow, path: str | os.PathLike[str]) -> None:
    """Write a workflow file; see ``write_text`` for what is replaced and what is written to.

    Raises:
        WorkflowError: an input has no JSON form, or the file cannot be written.
    """
    write_text(dump_workflow(workflow), Path(path))


def write_text(text: str, path: Path) -> None:
    """Write a text file in UTF-8.

    A regular file is replaced in one step, so a reader never sees half of it; a link to one stays a link.
    A pipe or a character device, such as a terminal, is written to.

    Raises:
        WorkflowError: it cannot be written.
    """
    try:
        write_whole(path, text.encode())
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        raise WorkflowError(f"{path}: cannot be written: {why(error)}") from error


def why(error: OSError | ValueError) -> str:
    """Why a file cannot be used that the system, or Python itself, refuses."""
    return system_reason(error) if isinstance(error, OSError) else str(error)


def write_whole(path: Path, data: bytes) -> None:
    """The same for bytes.

    Raises:
        OSError: the system refuses.
        WorkflowError: a folder or something odd has that name.
    """
    mode = _mode(path)
    if not mode or stat.S_ISREG(mode):
        _replace(path.resolve(), data)
    elif stat.S_ISFIFO(mode) or stat.S_ISCHR(mode):
        with os.fdopen(os.open(path, os.O_WRONLY), "wb") as stream:  # never makes a file, should it be gone
            stream.write(data)
    else:
        kind = "a folder" if stat.S_ISDIR(mode) else "neither a file nor a pipe"
        raise WorkflowError(f"{path}: cannot be written: it is {kind}; name a file")


def _mode(path: Path) -> int:
    """What kind of thing is there, links followed; 0 for nothing."""
    try:
        return path.stat().st_mode
    except FileNotFoundError:
        return 0


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


__all__ = [
    "dump_workflow",
    "parse_workflow",
    "read_bounded",
    "read_workflow",
    "write_text",
    "write_whole",
    "write_workflow",
]
