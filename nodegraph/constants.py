"""Checking the constants of one node, and saying in plain words what is wrong with them."""

from __future__ import annotations

import reprlib
from collections.abc import Mapping
from typing import Any

from pydantic_core import ErrorDetails, ValidationError

from nodegraph.errors import Issue
from nodegraph.hints import nearest
from nodegraph.node_type import Input, Node

_repr = reprlib.Repr()
_repr.maxstring = _repr.maxother = 80
_BOUNDS = {
    "greater_than_equal": ("ge", "at least"),
    "greater_than": ("gt", "more than"),
    "less_than_equal": ("le", "at most"),
    "less_than": ("lt", "less than"),
    "multiple_of": ("multiple_of", "a multiple of"),
    "finite_number": (None, "a finite number"),
}
_LENGTHS = {
    "string_too_short": ("min_length", "at least {} characters"),
    "string_too_long": ("max_length", "at most {} characters"),
    "string_pattern_mismatch": ("pattern", "text of the form {}"),
    "too_short": ("min_length", "at least {} items"),
    "too_long": ("max_length", "at most {} items"),
}


def check_constants(node: Node, given: Mapping[str, Any], id: str) -> tuple[dict[str, Any], list[Issue]]:
    """Normalise the constants of a node (defaults filled in, ``2`` for a float becomes ``2.0``).

    Returns:
        The constants that are right, and an issue for each that is not.
    """
    try:
        return {**node.defaults, **node.validator.validate_python(given)}, []
    except ValidationError as error:
        details = error.errors(include_url=False)
    except RecursionError:
        issue = Issue("invalid_value", "a constant is nested too deeply", node=id, expected="a plainer value")
        return dict(node.defaults), [issue]
    issues = {str(detail["loc"][0]): _issue(node, detail, given, id) for detail in reversed(details)}
    rest = {name: value for name, value in given.items() if name not in issues}
    constants, _ = check_constants(node, rest, id) if len(rest) < len(given) else (dict(node.defaults), [])
    return constants, list(reversed(issues.values()))


def summary(value: Any) -> str:
    """A short text for a value, whatever its size."""
    try:
        return _repr.repr(value)
    except ValueError:  # Python writes no integer of more than some thousand digits
        return f"a very large {type(value).__name__}"


def unknown_input(node: Node, name: str, id: str) -> Issue:
    """The issue of an input that the node does not have."""
    expected = ", ".join(node.inputs) or "no inputs"
    return Issue(
        "unknown_input",
        f"{node.id} has no input {name!r}; it has {expected}.",
        node=id,
        input=name,
        given=name,
        expected=expected,
        suggestions=nearest(name, node.inputs),
    )


def _issue(node: Node, detail: ErrorDetails, given: Mapping[str, Any], id: str) -> Issue:
    name = str(detail["loc"][0])
    if name not in node.inputs:
        return unknown_input(node, name, id)
    input = node.inputs[name]
    code, expected = _expectation(input, detail)
    value = given.get(name)
    suggestions = nearest(value, input.menu) if input.menu and isinstance(value, str) else ()
    shown = summary(value)
    message = f"{name} is {shown}, but {expected} is expected."
    return Issue(code, message, id, name, given=shown, expected=expected, suggestions=suggestions)


def _expectation(input: Input, detail: ErrorDetails) -> tuple[str, str]:
    kind, context = detail["type"], detail.get("ctx", {})
    if input.menu:
        return "not_in_menu", f"one of {', '.join(map(str, input.menu))}"
    if kind in _BOUNDS:
        name, words = _BOUNDS[kind]
        return "out_of_range", f"{words} {context[name]}" if name else words
    if kind in _LENGTHS:
        name, form = _LENGTHS[kind]
        return "out_of_range", form.format(context[name])
    if input.socket_only:
        return "wrong_type", f"a wire carrying {input.type}"
    place = "".join(f"[{part}]" for part in detail["loc"][1:] if isinstance(part, int))
    return "wrong_type", f"{input.type}" + (f" (element {place})" if place else "")
