"""From JSON text to a workflow, and every problem on the way in plain words."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from nodegraph.collector import collector_paused
from nodegraph.errors import WorkflowError
from nodegraph.workflow.migration import migrate_document
from nodegraph.workflow.schema import FORMAT, Workflow
from nodegraph.workflow.strict_json import describe, parse_json, place_name, refuse


@collector_paused()
def parse_workflow(text: str | bytes) -> Workflow:
    """Read a workflow from JSON text.

    Raises:
        WorkflowError: the text is not a workflow; the message lists every problem with its place.
    """
    return workflow_from_document(parse_json(text))


@collector_paused()
def workflow_from_document(document: Any) -> Workflow:
    """Read a workflow from parsed JSON.

    Raises:
        WorkflowError: it is not a workflow; the message lists every problem with its place.
    """
    _check_format(document)
    current = migrate_document(document)
    try:
        return Workflow.model_validate(current)
    except ValidationError as error:
        refuse(list(dict.fromkeys(_in_words(detail, current) for detail in error.errors(include_url=False))))
        raise AssertionError("pydantic refused a document without saying why") from error


def _check_format(document: Any) -> None:
    if not isinstance(document, dict):
        raise WorkflowError(f"a workflow is a JSON object, not {describe(document)}")
    given = document.get("format")
    if given is None:
        raise WorkflowError(f'format: is missing; a workflow file starts with "format": "{FORMAT}"')
    if given != FORMAT:
        raise WorkflowError(f"format: must be {FORMAT!r}, not {describe(given)}")


PYDANTIC_WORDS = {
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
}


def _in_words(detail: ErrorDetails, document: Any) -> str:
    place = place_name(detail["loc"]) or "workflow"
    if detail["type"] == "missing":
        return f"{place}: is missing"
    message = PYDANTIC_WORDS.get(detail["type"], detail["msg"])
    return f"{place}: {message}, not {describe(detail['input'])}"
