"""Anything a user may point at: a workflow file, a ComfyUI file, or a picture that carries a workflow."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from nodegraph.collector import collector_paused
from nodegraph.errors import Issue, WorkflowError
from nodegraph.workflow.comfy import import_comfy, is_comfy
from nodegraph.workflow.comfy_editor import import_comfy_editor, is_comfy_editor
from nodegraph.workflow.files import read_bounded, why
from nodegraph.workflow.migration import migrate_workflow
from nodegraph.workflow.png import SIGNATURE, png_workflow_text
from nodegraph.workflow.reading import workflow_from_document
from nodegraph.workflow.schema import Workflow
from nodegraph.workflow.strict_json import parse_json

if TYPE_CHECKING:
    from nodegraph.registry import NodeRegistry


Format = Literal["nodegraph", "comfyui", "comfyui-editor"]


class Imported(NamedTuple):
    """A workflow that was read, warnings of what could not be carried over, and the format it was in."""

    workflow: Workflow
    issues: list[Issue]
    format: Format


def load_workflow(path: str | os.PathLike[str], registry: NodeRegistry) -> Workflow:
    """The workflow in a file of any kind, told by its content, with its nodes brought up to date.

    Raises:
        WorkflowError: there is no workflow in it that can be read; the message starts with the path.
    """
    return import_file(path, registry).workflow


def import_file(path: str | os.PathLike[str], registry: NodeRegistry) -> Imported:
    """The same, with what could not be carried over from another format.

    Raises:
        WorkflowError: there is no workflow in it that can be read; the message starts with the path.
    """
    try:
        return _load(Path(path), registry)
    except WorkflowError as error:
        raise WorkflowError(f"{path}: {error}") from None


@collector_paused()
def _load(path: Path, registry: NodeRegistry) -> Imported:
    if path.is_file() and _starts_with(path, SIGNATURE):
        return import_png(path, registry)
    return import_bytes(read_bounded(path), registry)


def import_bytes(data: bytes, registry: NodeRegistry) -> Imported:
    """The workflow in the content of a file of any kind.

    Raises:
        WorkflowError: there is no workflow in it that can be read.
    """
    if data.startswith(SIGNATURE):
        return import_png(data, registry)
    return import_document(parse_json(data), registry)


def import_png(source: str | os.PathLike[str] | bytes, registry: NodeRegistry) -> Imported:
    """The workflow that a PNG carries: its own, else the one ComfyUI ran, else the one of its editor.

    Raises:
        WorkflowError: the file is no PNG, carries no workflow, or a damaged one.
    """
    return import_document(parse_json(png_workflow_text(source)), registry)


def read_png_workflow(source: str | os.PathLike[str] | bytes, registry: NodeRegistry) -> Workflow:
    """The workflow that a PNG carries, as ``import_png`` finds it."""
    return import_png(source, registry).workflow


def import_document(document: Any, registry: NodeRegistry) -> Imported:
    """The workflow in parsed JSON, in this project's format or one of ComfyUI's, with nodes up to date.

    Raises:
        WorkflowError: it is in none; the message lists every problem with its place.
    """
    if is_comfy_editor(document):
        return Imported(*import_comfy_editor(document, registry), "comfyui-editor")
    if is_comfy(document):
        return Imported(import_comfy(document, registry), [], "comfyui")
    return Imported(migrate_workflow(workflow_from_document(document), registry), [], "nodegraph")


def workflow_of_any_format(document: Any, registry: NodeRegistry) -> Workflow:
    """The workflow in parsed JSON, whether in this project's format or in ComfyUI's.

    Raises:
        WorkflowError: it is in neither; the message lists every problem with its place.
    """
    return import_document(document, registry).workflow


def _starts_with(path: Path, mark: bytes) -> bool:
    try:
        with path.open("rb") as stream:
            return stream.read(len(mark)) == mark
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        raise WorkflowError(f"cannot be read: {why(error)}") from None
