"""From calls that have not happened yet to named nodes: their ids, and which inputs are links."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from nodegraph.errors import WorkflowError
from nodegraph.handles import Call, Handle, Link, call_of, handles_in, output_of

Links = Link | list[Link]


def name_calls(calls: Sequence[Call]) -> dict[Call, str]:
    """The id of each call: the one it was given, else its node's name in snake case and a number.

    Raises:
        WorkflowError: two calls were given the same id.
    """
    taken: set[str] = set()
    for given in (call.id for call in calls if call.id is not None):
        if given in taken:
            raise WorkflowError(f"two nodes were given the id {given!r}; ids must differ")
        taken.add(given)
    counts: dict[str, int] = {}
    return {call: call.id if call.id is not None else _new_id(call, counts, taken) for call in calls}


def _new_id(call: Call, counts: dict[str, int], taken: set[str]) -> str:
    stem = snake_case(call.node.id.rpartition(".")[2])
    while True:
        counts[stem] = counts.get(stem, 0) + 1
        candidate = f"{stem}_{counts[stem]}"
        if candidate not in taken:
            return candidate


def snake_case(name: str) -> str:
    """``CLIPTextEncode`` as ``clip_text_encode``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def split_inputs(call: Call, ids: Mapping[Call, str]) -> tuple[dict[str, Any], dict[str, Links]]:
    """The inputs of a call as constants and links; a list of handles becomes a gathered link.

    Raises:
        WorkflowError: a handle stands for several outputs, or a list mixes handles and values.
    """
    constants: dict[str, Any] = {}
    links: dict[str, Links] = {}
    for name, value in call.inputs.items():
        try:
            link = _link(value, ids)
        except WorkflowError as error:
            raise WorkflowError(f"{ids[call]}.{name}: {error}") from None
        if link is None:
            constants[name] = value
        else:
            links[name] = link
    return constants, links


def _link(value: Any, ids: Mapping[Call, str]) -> Links | None:
    if isinstance(value, Link):
        return value
    if isinstance(value, Handle):
        return Link(ids[call_of(value)], output_of(value))
    if not isinstance(value, list) or not (handles_in(value) or any(isinstance(v, Link) for v in value)):
        return None
    if not all(isinstance(item, Handle | Link) for item in value):
        raise WorkflowError("the list mixes handles and plain values; make the values nodes too")
    return [Link(ids[call_of(item)], output_of(item)) if isinstance(item, Handle) else item for item in value]
