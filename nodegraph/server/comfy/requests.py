"""Reading requests of ComfyUI's clients, and its form of an error.

What stands around JSON is taken leniently, as ComfyUI does; no value is taken for another one.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from aiohttp import web

from nodegraph.errors import WorkflowError
from nodegraph.server.keys import SERVICE
from nodegraph.server.security.limits import check_values, in_time
from nodegraph.server.wire import BIGGEST
from nodegraph.workflow.strict_json import SURROGATE_ESCAPE, check_depth, describe, parse_json

IN_A_THREAD = 32 << 10
"""Bodies of more bytes are read in a thread, so that no other request waits for them."""
ON, OFF = frozenset({"true", "1", "yes", "on"}), frozenset({"false", "0", "no", "off"})

T = TypeVar("T")


class BadRequestError(Exception):
    """A request that is refused with a JSON body of ComfyUI's form.

    Attributes:
        response: the answer.
    """

    def __init__(self, type: str, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        error = {"type": type, "message": message, "details": "", "extra_info": {}}
        self.response = web.json_response({"error": error, "node_errors": {}}, status=status)


async def json_body(request: web.Request, *, unknown_numbers: bool = False) -> Any:
    """The JSON of the body; ``{}`` where there is none.

    Many clients send JSON without saying so in ``Content-Type``, so that is not looked at.

    Args:
        unknown_numbers: whether ``NaN`` and what is too large for a number are read as ``null``: some
            clients write them into prompts, for what they do not know.

    Raises:
        BadRequestError: the body is not JSON, or nested too deep.
        Problem: it does not arrive in time.
    """
    data = await in_time(request, request.read())
    if not data.strip():
        return {}
    parse = _lenient if unknown_numbers else parse_json
    if len(data) <= IN_A_THREAD:
        return _parsed(parse, data)
    check_values(data)
    return await request.app[SERVICE].heavy(_parsed, parse, data)


def _parsed(parse: Callable[[bytes], Any], data: bytes) -> Any:
    try:
        return parse(data)
    except RecursionError:
        raise BadRequestError("invalid_json", "the body is nested too deep") from None
    except (ValueError, WorkflowError) as error:
        raise BadRequestError("invalid_json", f"the body is not JSON: {error}") from error


def _lenient(data: bytes) -> Any:
    # This is quicker than what ``loads`` does with bytes, which holds the interpreter all the while.
    text = data.decode("utf-8-sig")
    found = json.loads(text, parse_constant=lambda name: None, parse_float=_finite)
    check_depth(found)
    if SURROGATE_ESCAPE.search(text):
        json.dumps(found, ensure_ascii=False).encode()  # half a character is none, and cannot be kept
    return found


def _finite(text: str) -> float | None:
    number = float(text)
    return number if math.isfinite(number) else None


async def json_object(request: web.Request, *, unknown_numbers: bool = False) -> dict[str, Any]:
    """The JSON object of the body; see ``json_body``.

    Raises:
        BadRequestError: the body is something else.
    """
    body = await json_body(request, unknown_numbers=unknown_numbers)
    if not isinstance(body, dict):
        raise BadRequestError("invalid_request", "the body must be a JSON object")
    return body


def names(body: Mapping[str, Any], key: str) -> list[str]:
    """A list of ids in a body; empty where there is none.

    Raises:
        BadRequestError: it is something else.
    """
    given = body.get(key)
    if given is None:
        return []
    if not isinstance(given, list) or not all(isinstance(id, str) for id in given):
        raise _not(key, "a list of ids", given)
    return given


def switch(body: Mapping[str, Any], key: str) -> bool:
    """Whether something is switched on in a body; what is not there is off.

    Raises:
        BadRequestError: it is neither true nor false.
    """
    given = body.get(key)
    if given is not None and not isinstance(given, bool):
        raise _not(key, "true or false", given)
    return bool(given)


def member(body: Mapping[str, Any], key: str, type: type[T], words: str) -> T | None:
    """A member of a body; ``None`` where it is not there.

    Args:
        type: what it must be.
        words: the same for people.

    Raises:
        BadRequestError: it is something else.
    """
    given = body.get(key)
    if given is not None and not isinstance(given, type):
        raise _not(key, words, given)
    return given


def _not(key: str, wanted: str, given: Any) -> BadRequestError:
    return BadRequestError("invalid_request", f"{key} must be {wanted}, not {describe(given)}")


def whole_number(request: web.Request, name: str, default: int, *, at_least: int = 0) -> int:
    """A number of the query.

    Raises:
        BadRequestError: it is no whole number, too small or too large.
    """
    text = request.query.get(name)
    if text is None or text == "":
        return default
    try:
        value = int(text)
    except ValueError:
        raise BadRequestError("invalid_request", f"{name} must be a whole number, not {text!r}") from None
    if not at_least <= value <= BIGGEST:
        raise BadRequestError("invalid_request", f"{name} must be {at_least} to {BIGGEST}, not {value}")
    return value


def flag(request: web.Request, name: str, default: bool = False) -> bool:
    """Whether a parameter of the query is switched on.

    Raises:
        BadRequestError: it says neither.
    """
    given = request.query.get(name)
    return default if not given else switched(name, given)


def switched(name: str, text: str) -> bool:
    """What a text says that switches something on or off.

    Raises:
        BadRequestError: it says neither.
    """
    if text.lower() not in ON | OFF:
        raise BadRequestError("invalid_request", f"{name} must be true or false, not {describe(text)}")
    return text.lower() in ON
