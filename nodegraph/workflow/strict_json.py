"""Strict JSON: the text a workflow file may hold, with a place for everything that is wrong in it."""

from __future__ import annotations

import codecs
import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

from nodegraph.errors import WorkflowError

MAX_DEPTH = 100
MAX_BYTES = 256 << 20
MAX_LISTED = 100
COMFY_TYPE, COMFY_CHANGED = "class_type", "is_changed"
SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")


def parse_json(data: str | bytes) -> Any:
    """Parse JSON text in UTF-8, with or without a byte order mark.

    Repeated keys, NaN and infinities, numbers too large for a float, halves of surrogate pairs and
    nesting below ``MAX_DEPTH`` levels are refused, although ``json`` would let them pass.

    Raises:
        WorkflowError: the text is not JSON in that sense; the message names every place at fault.
    """
    if len(data) > MAX_BYTES:
        raise WorkflowError(f"the file is larger than {MAX_BYTES >> 20} MiB")
    text = _decode(data)
    reader = _Reader()
    document = reader.read(text)
    check_depth(document)
    if reader.flawed or SURROGATE_ESCAPE.search(text):
        refuse([f"{place}: {flaw}" for place, flaw in _flaws(document)])
    return document


def refuse(problems: Sequence[str]) -> None:
    """Raise one ``WorkflowError`` that lists all ``problems``, if there are any."""
    if len(problems) == 1:
        raise WorkflowError(problems[0])
    if problems:
        listed = "".join(f"\n- {problem}" for problem in problems[:MAX_LISTED])
        rest = len(problems) - MAX_LISTED
        more = f"\n… and {rest} more" if rest > 0 else ""
        raise WorkflowError(f"{len(problems)} problems:{listed}{more}")


def place_name(path: Sequence[str | int]) -> str:
    """A place in a document as people write it: ``nodes.grid.links.images[1]``."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


def describe(value: Any, length: int = 60) -> str:
    """A JSON value as short text for a message."""
    if isinstance(value, dict):
        return "an object" if value else "an empty object"
    text = json.dumps(value, ensure_ascii=False, default=repr)
    return text if len(text) <= length else f"{text[: length - 1]}…"


def _decode(data: str | bytes) -> str:
    try:
        if isinstance(data, bytes):
            return data.decode("utf-8-sig")
        data.encode()  # a str can hold half a surrogate pair, which no file can
        return data.removeprefix("\ufeff")
    except UnicodeError as error:
        raise WorkflowError(_why_no_text(data, error)) from None


def _why_no_text(data: str | bytes, error: UnicodeError) -> str:
    if isinstance(data, str):
        return "the text is not UTF-8: it holds half a surrogate pair (\\ud800 to \\udfff), not a character"
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "the file is not UTF-8 text but UTF-16; save it as UTF-8"
    place = error.start if isinstance(error, UnicodeDecodeError) else 0
    return f"the file is not UTF-8 text: its byte {place} belongs to no character"


class _Flaw:
    """Stands in a parsed document for something JSON does not have."""

    def __init__(self, message: str) -> None:
        self.message = message


class _Repeating(dict[str, Any]):
    """An object some of whose keys were given more than once."""

    repeated: tuple[str, ...] = ()


class _Reader:
    """Parses JSON and marks flaws where they stand; ``flawed`` says whether there are any."""

    def __init__(self) -> None:
        self.flawed = False

    def read(self, text: str) -> Any:
        try:
            return json.loads(
                text, object_pairs_hook=self._object, parse_float=self._float, parse_constant=self._constant
            )
        except json.JSONDecodeError as error:
            _fail_at(text, error)
        except RecursionError:
            raise WorkflowError(f"the document is nested deeper than {MAX_DEPTH} levels") from None
        except ValueError:  # int() refuses thousands of digits
            raise WorkflowError("the document holds a whole number of thousands of digits") from None

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        document = dict(pairs)
        if len(document) == len(pairs):
            return _without_ever_new(document) if self.flawed else document
        self.flawed = True
        repeating = _Repeating(document)
        counts = Counter(name for name, _ in pairs)
        repeating.repeated = tuple(name for name, count in counts.items() if count > 1)
        return repeating

    def _float(self, text: str) -> Any:
        value = float(text)
        return value if math.isfinite(value) else self._flaw(f"{text[:40]} is too large a number")

    def _constant(self, text: str) -> _Flaw:
        return self._flaw(f"{text} is not a number JSON has")

    def _flaw(self, message: str) -> _Flaw:
        self.flawed = True
        return _Flaw(message)


def _without_ever_new(document: dict[str, Any]) -> dict[str, Any]:
    """A node of ComfyUI without the NaN by which it says that it is to run anew each time.

    ComfyUI writes it into its pictures; all else in them is JSON, and that key takes no part in a workflow.
    """
    said = document.get(COMFY_CHANGED)
    items = said if type(said) is list else [said]
    if COMFY_TYPE in document and any(type(item) is _Flaw for item in items):
        del document[COMFY_CHANGED]
    return document


def _fail_at(text: str, error: json.JSONDecodeError) -> NoReturn:
    if not text.strip():
        raise WorkflowError("the file is empty") from None
    problem = error.msg[0].lower() + error.msg[1:]
    raise WorkflowError(f"not valid JSON at line {error.lineno}, column {error.colno}: {problem}") from None


CONTAINERS = (dict, list, _Repeating)


def check_depth(document: Any) -> None:
    """Walk a parsed document level by level, so that its depth costs no stack.

    Raises:
        WorkflowError: it is nested deeper than ``MAX_DEPTH`` levels.
    """
    level = [document] if type(document) in CONTAINERS else []
    for _ in range(MAX_DEPTH):
        if not level:
            return
        level = [
            child
            for parent in level
            for child in (parent if type(parent) is list else parent.values())
            if type(child) in CONTAINERS
        ]
    if level:
        raise WorkflowError(f"the document is nested deeper than {MAX_DEPTH} levels")


def _flaws(document: Any) -> Iterator[tuple[str, str]]:
    for path, value in _walk(document, []):
        if isinstance(value, _Flaw):
            yield place_name(path), value.message
        elif isinstance(value, _Repeating):
            yield from ((place_name([*path, name]), "is given more than once") for name in value.repeated)
        elif isinstance(value, str) and not _encodable(value):
            yield (
                _printable(place_name(path)),
                "holds half a surrogate pair (\\ud800 to \\udfff), not a character",
            )


def _walk(value: Any, path: list[str | int]) -> Iterator[tuple[list[str | int], Any]]:
    yield path, value
    if isinstance(value, dict):
        for key, child in value.items():
            yield path, key
            yield from _walk(child, [*path, key])
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from _walk(child, [*path, index])


def _encodable(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _printable(text: str) -> str:
    return text.encode(errors="backslashreplace").decode()
