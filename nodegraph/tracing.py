"""Making the body of a loop from a Python function."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from nodegraph.body import Body
from nodegraph.errors import ValidationError, WorkflowError, errors_among
from nodegraph.graph import graph_of_calls
from nodegraph.handles import Call, Handle, Link, call_of, calls_upstream, new_handle, output_of
from nodegraph.node_type import Node, Output
from nodegraph.sockets import ANY


def trace(function: Callable[..., Any]) -> Body:
    """The body that a function wires: its parameters are the open inputs.

    Args:
        function: takes handles; returns a handle (the output ``result``), or a dict of handles by name.

    Raises:
        WorkflowError: it returns one of its parameters, or something that is not a handle.
        ValidationError: it gives a node a constant that will not do.
    """
    parameters = {name: Call(_placeholder(name), {}) for name in inspect.signature(function).parameters}
    returned = function(**{name: new_handle(call) for name, call in parameters.items()})
    results: dict[str, Handle] = returned if isinstance(returned, dict) else {"result": returned}
    calls = [call for call in calls_upstream(list(results.values())) if call not in parameters.values()]
    ids = {call: f"{call.node.id}{number}" for number, call in enumerate(calls, 1)}
    outputs = {name: Link(_id(ids, handle), output_of(handle)) for name, handle in results.items()}
    placeholders = {call: f"={name}" for name, call in parameters.items()}
    graph, open_places = graph_of_calls(
        calls, {**ids, **placeholders}, {f"={name}": name for name in parameters}
    )
    if errors_among(graph.issues):
        raise ValidationError(graph.issues)
    return Body(getattr(function, "__name__", "body"), open_places, outputs, graph)


def _placeholder(name: str) -> Node:
    return Node(id=f"input {name}", function=_never, inputs={}, outputs=(Output(name, ANY),))


def _never() -> None:
    raise WorkflowError("an open input of a body was run")


def _id(ids: Mapping[Call, str], handle: Handle) -> str:
    call = call_of(handle)
    if call not in ids:
        raise WorkflowError("a body must not return one of its inputs unchanged")
    return ids[call]
