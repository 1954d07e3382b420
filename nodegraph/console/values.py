"""The values of ``--set``: JSON or text, one or several between commas."""

from __future__ import annotations

import json
import shlex
from typing import Any

from nodegraph.errors import WorkflowError
from nodegraph.node_type import Input
from nodegraph.sockets import SocketType, is_instance
from nodegraph.workflow.strict_json import parse_json
from nodegraph.workflow.writing import dump_json

OPENING, CLOSING, QUOTE, ESCAPE = "[{", "]}", '"', "\\"


def constant(text: str, input: Input | None) -> Any:
    """The value as JSON where it is JSON; a text input takes ``123`` and ``true`` as they are written.

    Raises:
        WorkflowError: no file may hold it: it is no UTF-8, or JSON with half a character, say.
    """
    try:
        value = parse_json(text)
    except WorkflowError:
        if not _may_be_text(text):
            raise
        return text
    if input and is_instance(text, input.type) and not is_instance(value, input.type):
        return text
    return value


def _may_be_text(text: str) -> bool:
    """Whether a text that is refused as JSON may be meant as it stands: it is not what JSON would write."""
    try:
        text.encode()
        return not isinstance(json.loads(text), str | list | dict)
    except UnicodeError:
        return False
    except (ValueError, RecursionError):
        return True


def split_list(text: str) -> list[str]:
    """Split at commas that stand outside of quotes and brackets."""
    parts, start, depth, quoted, escaped = [], 0, 0, False, False
    for place, character in enumerate(text):
        if escaped:
            escaped = False
        elif quoted:
            escaped, quoted = character == ESCAPE, character != QUOTE
        elif character == QUOTE:
            quoted = True
        elif character == "," and depth == 0:
            parts.append(text[start:place])
            start = place + 1
        else:
            depth += (character in OPENING) - (character in CLOSING)
    return [part.strip() for part in (*parts, text[start:])]


def advice(place: str, text: str, input: Input, *, sweep: bool) -> str:
    """How to write a list that will not do in the form it has; nothing where it is none, or does.

    Args:
        place: the input as ``--set`` names it.
        sweep: whether ``text`` is a list of values, separated by commas.
    """
    parts, items = split_list(text), _items(text)
    if all(_fits(part, input) for part in (parts if sweep else [text])):
        return ""
    once_each = f"{input.name} takes one value; to run once with each of"
    if not sweep and len(parts) > 1 and all(_fits(part, input) for part in parts):
        return f"{once_each} {', '.join(parts)}, add --grid"
    if items and all(_fits(item, input) for item in items):
        return f"{once_each} {', '.join(items)}, write {_setting(place, items)} --grid"
    if _takes_lists(input.type) and not text.lstrip().startswith(OPENING[0]):
        lists = [f"[{dump_json(part)}]" for part in parts] if sweep else [dump_json(parts)]
        return f"{input.name} takes a list, written as JSON: {_setting(place, lists)}"
    return ""


def _setting(place: str, values: list[str]) -> str:
    return "--set " + shlex.quote(f"{place}={','.join(values)}")


def _fits(text: str, input: Input) -> bool:
    value = constant(text, input)
    return is_instance(value, input.type) and (input.menu is None or value in input.menu)


def _items(text: str) -> list[str]:
    """The items of a JSON list as texts; none of anything else."""
    value = constant(text, None)
    return [dump_json(item) for item in value] if isinstance(value, list) else []


def _takes_lists(type: SocketType) -> bool:
    return type.kind == "list" or any(member.kind == "list" for member in type.args)
