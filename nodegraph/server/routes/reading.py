"""Reading requests into models; what does not fit is refused with every place that is wrong."""

from __future__ import annotations

from typing import Any, TypeVar, get_origin

from aiohttp import web
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from nodegraph.errors import WorkflowError
from nodegraph.server import keys
from nodegraph.server.problems import Problem
from nodegraph.server.security.limits import check_values, in_time
from nodegraph.workflow.strict_json import describe, parse_json, place_name

M = TypeVar("M", bound=BaseModel)

IN_A_THREAD = 32 << 10
"""Bodies of more bytes are read in a thread, so that no other request waits for them."""
MAX_ERRORS = 100
WORDS = {
    "extra_forbidden": "is not known here",
    "missing": "is missing",
    "dict_type": "must be an object",
    "list_type": "must be a list",
    "string_type": "must be text",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
}


def read_query(request: web.Request, model: type[M]) -> M:
    """The query parameters of a request.

    Raises:
        Problem: they are not as the model describes.
    """
    given: dict[str, Any] = {}
    for name in dict.fromkeys(request.query):
        values = request.query.getall(name)
        listed = name in model.model_fields and get_origin(model.model_fields[name].annotation) is list
        if len(values) > 1 and not listed:
            raise _refusal("query", [{"place": name, "message": "is given more than once"}])
        given[name] = values if listed else values[0]
    return checked(given, model, "query")


async def read_body(request: web.Request, model: type[M]) -> M:
    """The JSON body of a request.

    Raises:
        Problem: it is not JSON, or not as the model describes, or does not arrive in time.
        web.HTTPRequestEntityTooLarge: it is larger than the server takes.
    """
    if request.content_type != "application/json":
        given = request.headers.get("Content-Type") or "nothing"
        raise Problem(
            415, "unsupported_media_type", f"the Content-Type must be application/json, not {given}"
        )
    data = await in_time(request, request.read())
    if len(data) <= IN_A_THREAD:
        return parse_body(data, model)
    check_values(data)
    return await request.app[keys.SERVICE].heavy(parse_body, data, model)


def parse_body(data: bytes, model: type[M]) -> M:
    """A JSON body as its model.

    Raises:
        Problem: it is not JSON, or not as the model describes.
    """
    if not data:
        raise Problem(400, "invalid_json", "the request has no body; it takes a JSON object")
    try:
        document = parse_json(data)
    except WorkflowError as error:
        raise Problem(400, "invalid_json", f"the body: {error}") from None
    return checked(document, model, "body")


def checked(document: Any, model: type[M], where: str) -> M:
    """What a request carries, as its model; ``where`` says in which part of it.

    Raises:
        Problem: it is not as the model describes.
    """
    try:
        return model.model_validate(document)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False)
        raise _refusal(where, [_in_words(detail) for detail in found[:MAX_ERRORS]]) from None


def _in_words(detail: ErrorDetails) -> dict[str, str]:
    kind = detail["type"]
    message = WORDS.get(kind) or detail["msg"].removeprefix("Value error, ")
    if kind not in ("missing", "extra_forbidden", "value_error"):
        message = f"{message}, not {describe(detail['input'])}"
    return {"place": place_name(detail["loc"]), "message": message}


def _refusal(where: str, errors: list[dict[str, str]]) -> Problem:
    first = errors[0]
    place = f"{first['place']} " if first["place"] else ""
    more = f", and {len(errors) - 1} more" if len(errors) > 1 else ""
    text = f"the {where} is not as described: {place}{first['message']}{more}"
    return Problem(422 if where == "body" else 400, "invalid_request", text, errors=errors)
