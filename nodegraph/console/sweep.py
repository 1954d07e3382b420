"""What a contact sheet carries: the workflow, and the sweep that was made of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nodegraph.console.errors import UsageError
from nodegraph.console.settings import Setting, variants
from nodegraph.errors import WorkflowError
from nodegraph.registry import NodeRegistry
from nodegraph.workflow.png import SIGNATURE, SWEEP_CHUNK, png_texts, workflow_metadata
from nodegraph.workflow.schema import Workflow
from nodegraph.workflow.strict_json import parse_json
from nodegraph.workflow.writing import dump_json


def sheet_metadata(workflow: Workflow, settings: Sequence[Setting], registry: NodeRegistry) -> dict[str, str]:
    """The texts of a contact sheet, by keyword.

    As in every picture, ``nodegraph`` and ``prompt`` hold the workflow: with the settings that have one
    value, and without those that were swept. ``nodegraph_sweep`` is a list of the latter, as ``--set``
    takes them.
    """
    fixed = [setting for setting in settings if len(setting.values) == 1]
    swept = [setting.text for setting in settings if len(setting.values) > 1]
    (base,) = variants(workflow, fixed)
    texts = workflow_metadata(base.workflow, registry)
    return {**texts, SWEEP_CHUNK: dump_json(swept)} if texts else {}


def noted_sweep(file: Path) -> tuple[str, ...]:
    """The sweep that a contact sheet carries, as ``--set`` takes it; nothing for any other file.

    Raises:
        UsageError: what it carries is no sweep.
    """
    if not file.is_file():  # a pipe, which has been read
        return ()
    with file.open("rb") as stream:
        if stream.read(len(SIGNATURE)) != SIGNATURE:
            return ()
        stream.seek(0)
        text = png_texts(stream).get(SWEEP_CHUNK, "[]")
    try:
        swept = parse_json(text)
    except WorkflowError:
        swept = None
    if not isinstance(swept, list) or not all(isinstance(setting, str) for setting in swept):
        raise UsageError(f"{file}: the sweep it carries cannot be read; give one with --set")
    return tuple(swept)
