"""Reading requests as leniently as ComfyUI does, and its form of an error."""

from __future__ import annotations

import json
import math
from typing import Any

from aiohttp import web

from nodegraph.errors import WorkflowError
from nodegraph.server.keys import SERVICE
from nodegraph.server.security.limits import check_values, in_time
from nodegraph.server.wire import BIGGEST
from nodegraph.workflow.strict_json import check_depth

IN_A_THREAD = 32 << 10
"""Bodies of more bytes are read in a thread, so that no other request waits for them."""


class BadRequestError(Exception):
    """A request that is refused with a JSON body of ComfyUI's form.

    Attributes:
        response: the answer.
    """

    def __init__(self, type: str, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        error = {"type": type, "message": message, "details": "", "extra_info": {}}
        self.response = web.json_response({"error": error, "node_errors": {}}, status=status)


async def json_body(request: web.Request) -> Any:
    """The JSON of the body; ``{}`` where there is none.

    Many clients send JSON without saying so in ``Content-Type``, so that is not looked at.

    Raises:
        BadRequestError: the body is not JSON, or nested too deep.
        Problem: it does not arrive in time.
    """
    data = await in_time(request, request.read())
    if len(data) <= IN_A_THREAD:
        return _parsed(data)
    check_values(data)
    return await request.app[SERVICE].heavy(_parsed, data)


def _parsed(data: bytes) -> Any:
    if not data.strip():
        return {}
    try:
        # This is quicker than what ``loads`` does with bytes, which holds the interpreter all the while.
        text = data.decode("utf-8-sig")
        found = json.loads(text, parse_constant=lambda name: None, parse_float=_finite)
        check_depth(found)
    except RecursionError:
        raise BadRequestError("invalid_json", "the body is nested too deep") from None
    except (ValueError, WorkflowError) as error:
        raise BadRequestError("invalid_json", f"the body is not JSON: {error}") from error
    return found


def _finite(text: str) -> float | None:
    """A number; nothing for what is too large for one, as for ``NaN``, which some write for the unknown."""
    number = float(text)
    return number if math.isfinite(number) else None


async def json_object(request: web.Request) -> dict[str, Any]:
    """The JSON object of the body.

    Raises:
        BadRequestError: the body is something else.
    """
    body = await json_body(request)
    if not isinstance(body, dict):
        raise BadRequestError("invalid_request", "the body must be a JSON object")
    return body


def names(body: dict[str, Any], key: str) -> list[str]:
    """A list of ids in a body; empty where there is none.

    Raises:
        BadRequestError: it is something else.
    """
    given = body.get(key) or []
    if not isinstance(given, list) or not all(isinstance(id, str) for id in given):
        raise BadRequestError("invalid_request", f"{key} must be a list of ids")
    return given


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


def flag(request: web.Request, name: str) -> bool:
    """Whether a parameter of the query is switched on."""
    return request.query.get(name, "").lower() in ("1", "true", "yes")
