"""From a workflow to JSON text, the same text every time."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from nodegraph.node_type import plain
from nodegraph.workflow.schema import FORMAT, Workflow
from nodegraph.workflow.strict_json import refuse

SCALARS = (str, int, bool, type(None))


def dump_workflow(workflow: Workflow, *, indent: int | None = 2) -> str:
    """The workflow as JSON text; reading it and writing it again gives the same text.

    Args:
        indent: spaces per level; ``None`` puts everything on one line.

    Raises:
        WorkflowError: an input holds a Python object that JSON has no form for; it is named.
    """
    document = workflow_document(workflow)
    try:
        return dump_json(document, indent) + ("\n" if indent is not None else "")
    except (TypeError, ValueError, RecursionError):
        refuse(list(_unwritable(document)))
        raise


def workflow_document(workflow: Workflow) -> dict[str, Any]:
    """The workflow as the data that its JSON text holds, constants as they are."""
    return {"format": FORMAT, "version": workflow.version, **_document(workflow)}


def json_value(value: Any) -> Any:
    """A constant as plain JSON data: enum members as their values, tuples as lists.

    Raises:
        TypeError, ValueError, RecursionError: it has no JSON form.
    """
    return value if type(value) in SCALARS else json.loads(dump_json(value))


def _document(record: BaseModel) -> dict[str, Any]:
    """The fields that were given, in the order of their declaration, then the unknown ones."""
    given = record.model_fields_set
    document = {name: value for name, value in record if name in given}
    for name in ("nodes", "subgraphs"):
        if name in document and name in type(record).model_fields:
            document[name] = {key: _document(entry) for key, entry in document[name].items()}
    return document


def dump_json(value: Any, indent: int | None = None) -> str:
    """A value as JSON text, constants in their JSON form.

    Raises:
        TypeError, ValueError, RecursionError: something in it has no JSON form.
    """
    separators = None if indent is not None else (",", ":")
    return json.dumps(
        value, indent=indent, separators=separators, ensure_ascii=False, allow_nan=False, default=_json_form
    )


def _json_form(value: Any) -> Any:
    form = plain(value)
    if form is value:
        raise TypeError(f"{type(value).__name__} has no JSON form")
    return form


def _unwritable(document: Mapping[str, Any]) -> Iterator[str]:
    """Every place whose value has no JSON form: constants one by one, everything else by name."""
    for place, value in _places(document):
        try:
            dump_json(value)
        except (TypeError, ValueError, RecursionError) as error:
            reason = "it is nested too deep" if isinstance(error, RecursionError) else str(error)
            yield f"{place}: cannot be written: {reason}"


def _places(document: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    yield from _parts(document, "", "nodes", "subgraphs")
    yield from _node_places(document.get("nodes", {}), "nodes")
    for name, subgraph in document.get("subgraphs", {}).items():
        yield from _parts(subgraph, f"subgraphs.{name}.", "nodes")
        yield from _node_places(subgraph.get("nodes", {}), f"subgraphs.{name}.nodes")


def _node_places(nodes: Mapping[str, Any], where: str) -> Iterator[tuple[str, Any]]:
    for node, entry in nodes.items():
        yield from _parts(entry, f"{where}.{node}.", "inputs")
        yield from _parts(entry.get("inputs", {}), f"{where}.{node}.inputs.")


def _parts(record: Mapping[str, Any], prefix: str, *apart: str) -> Iterator[tuple[str, Any]]:
    return ((prefix + name, value) for name, value in record.items() if name not in apart)
