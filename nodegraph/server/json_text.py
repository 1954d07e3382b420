"""JSON as the server writes it.

``json`` holds the interpreter for as long as one call takes, and all other threads wait; so what may be long
is written in parts, one call for each.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any


def json_bytes(document: Any) -> bytes:
    """A document as JSON text; may be called in a thread."""
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode(errors="backslashreplace")  # half a character is written as JSON writes it


def object_bytes(members: Iterable[tuple[str, bytes]]) -> bytes:
    """An object whose values are JSON text already."""
    return b"{%s}" % b",".join(json_bytes(name) + b":" + text for name, text in members)


def dump_in_parts(document: Mapping[str, Any]) -> bytes:
    """JSON text of an object some of whose values are iterators; those become lists, item by item."""
    return object_bytes((name, _value(value)) for name, value in document.items())


def _value(value: Any) -> bytes:
    return b"[%s]" % b",".join(map(json_bytes, value)) if isinstance(value, Iterator) else json_bytes(value)
