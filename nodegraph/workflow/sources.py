"""Anything a user may point at: a workflow file, a ComfyUI file, or a picture that carries a workflow."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nodegraph.collector import collector_paused
from nodegraph.errors import WorkflowError
from nodegraph.workflow.comfy import import_comfy, is_comfy, is_comfy_editor
from nodegraph.workflow.files import read_bounded
from nodegraph.workflow.migration import migrate_workflow
from nodegraph.workflow.png import SIGNATURE, read_png_workflow
from nodegraph.workflow.reading import workflow_from_document
from nodegraph.workflow.schema import Workflow
from nodegraph.workflow.strict_json import parse_json

if TYPE_CHECKING:
    from nodegraph.registry import NodeRegistry


def load_workflow(path: str | os.PathLike[str], registry: NodeRegistry) -> Workflow:
    """The workflow in a file of any kind, told by its content, with its nodes brought up to date.

    Raises:
        WorkflowError: there is no workflow in it that can be read; the message starts with the path.
    """
    try:
        return _load(Path(path), registry)
    except WorkflowError as error:
        raise WorkflowError(f"{path}: {error}") from None


@collector_paused()
def _load(path: Path, registry: NodeRegistry) -> Workflow:
    if path.is_file() and _starts_with(path, SIGNATURE):
        return read_png_workflow(path, registry)
    data = read_bounded(path)
    if data.startswith(SIGNATURE):  # out of a pipe, which can be read only once
        return read_png_workflow(data, registry)
    return workflow_of_any_format(parse_json(data), registry)


def workflow_of_any_format(document: Any, registry: NodeRegistry) -> Workflow:
    """The workflow in parsed JSON, whether in this project's format or in ComfyUI's.

    Raises:
        WorkflowError: it is in neither; the message lists every problem with its place.
    """
    if is_comfy(document) or is_comfy_editor(document):
        return import_comfy(document, registry)
    return migrate_workflow(workflow_from_document(document), registry)


def _starts_with(path: Path, mark: bytes) -> bool:
    try:
        with path.open("rb") as stream:
            return stream.read(len(mark)) == mark
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        raise WorkflowError(f"cannot be read: {getattr(error, 'strerror', None) or error}") from None
