"""The OpenAPI 3.1 description of ``/api/v1``, made from the declared operations and their models."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import version
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from nodegraph.server import problems
from nodegraph.server.routes.operation import PREFIX, Content, Operation
from nodegraph.server.views import ProblemView, WebhookView

REFERENCE = "#/components/schemas/{model}"
BEARER = "token"
EVERYWHERE = (400, 401, 403, 429, 500, 503, 507)
WITH_BODY = (408, 413, 415, 422)
EVENT_STREAM = "text/event-stream"

MEANINGS = {
    200: "Done.",
    201: "Queued.",
    204: "Done; there is nothing to tell.",
    206: "The part of the file that was asked for.",
    101: "The connection is now a WebSocket.",
    304: "Nothing has changed.",
    400: "The request is malformed.",
    401: "The request carries no valid token.",
    403: "The token does not allow it.",
    404: "There is no such thing.",
    408: "The body did not arrive in time.",
    409: "It cannot be done in the present state.",
    412: "It is not as the request expects: it was changed meanwhile.",
    413: "The request is too large.",
    415: "The body is of another kind than is read here.",
    416: "The file has no such part.",
    422: "The body is not as described, or the workflow must not run.",
    429: "Too much at once; try again later.",
    500: "The server failed; its log says why.",
    507: "There is no room: your files take up all that they may, or the server's disk is full.",
    503: "The worker is not there, or the server cannot use its folders; try again later.",
}

ABOUT = """\
Runs workflows: graphs of typed nodes, whose results are cached.

**Requests** are JSON and are taken literally: `"false"` is not true, 3.9 is not 3, and a field that is not
described here is refused. **Problems** are `application/problem+json` (RFC 9457) with `code` for programs
and `detail` for people; a workflow that must not run comes back with every `issue` at once.

**Tokens.** A server that has tokens takes `Authorization: Bearer …`. Each user sees their own jobs and
files; a token of the scope `admin` sees all of them.

**Safe retries.** Send an `Idempotency-Key` with `POST /jobs`; when the answer was lost, send the same
request again, and nothing is queued twice.

**Events.** `GET /events` and `GET /jobs/{id}/events` are WebSockets where the client asks for one, else
Server-Sent Events. Every event has `type`, `job`, `id` and `time`. After a broken connection, go on with the
last `id` that was seen, in the header `Last-Event-ID` or as `?after=`. `gap` says that older events are
forgotten: look at the job itself. `lagged` says that the client read too slowly; the stream ends, and may be
resumed. Besides those of jobs there are `workflow_saved` and `workflow_deleted`, with `path`, of your saved
workflows, and for admins `log`, with `line`.

**Webhooks.** The address in `webhook` gets a POST when the job has ended. It is tried again, with growing
pauses, until it is answered with 2xx, also after a restart; the same delivery may therefore arrive twice
and has the same `Nodegraph-Delivery`. `Nodegraph-Signature: t=<unix seconds>,v1=<hex>` is the HMAC-SHA256 of
`<t>.<body>` under the server's webhook secret (`nodegraph token webhook-secret`): compute it over the bytes
received, compare in constant time, and refuse a `t` older than five minutes.
"""


@dataclass
class Description:
    """The description of some operations, made when it is first asked for.

    Attributes:
        operations: what is described.
    """

    operations: Sequence[Operation] = field(repr=False)

    @cached_property
    def document(self) -> dict[str, Any]:
        """The description as JSON data."""
        return describe_api(self.operations, version("nodegraph"))


def describe_api(operations: Sequence[Operation], release: str) -> dict[str, Any]:
    """The description of all operations."""
    schemas = _schemas(operations)
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(PREFIX + plain_path(operation.path), {})[operation.method.lower()] = _operation(
            operation
        )
    return {
        "openapi": "3.1.0",
        "info": {"title": "nodegraph", "version": release, "description": ABOUT},
        "paths": paths,
        "webhooks": {"job_finished": {"post": _webhook()}},
        "components": {
            "schemas": schemas,
            "securitySchemes": {BEARER: {"type": "http", "scheme": "bearer"}},
        },
        "security": [{BEARER: []}],
    }


def plain_path(path: str) -> str:
    """A path without the patterns that say what its parts may hold."""
    return re.sub(r"{(\w+):[^{}]*}", r"{\1}", path)


def _schemas(operations: Iterable[Operation]) -> dict[str, Any]:
    models: dict[type[BaseModel], JsonSchemaMode] = {
        ProblemView: "serialization",
        WebhookView: "serialization",
    }
    for operation in operations:
        if operation.takes_body:
            models[operation.body] = "validation"
        for content in operation.answers.values():
            if not isinstance(content, str):
                models[content] = "serialization"
    _, document = models_json_schema(list(models.items()), ref_template=REFERENCE)
    found = document.get("$defs", {})
    return {name: _tidy(schema) for name, schema in sorted(found.items())}


def _tidy(schema: Any) -> Any:
    """A schema without the titles that pydantic makes of field names."""
    if isinstance(schema, list):
        return [_tidy(item) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    kept = {key: value for key, value in schema.items() if key != "title" or not isinstance(value, str)}
    return {key: _tidy(value) for key, value in kept.items()}


def _operation(operation: Operation) -> dict[str, Any]:
    description: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "tags": [operation.path.split("/")[1]],
        "parameters": list(_parameters(operation)),
        "responses": _responses(operation),
    }
    text = operation.description + ("\n\nTakes the scope `admin`." if operation.admin else "")
    if text.strip():
        description["description"] = text.strip()
    if operation.takes_body:
        description["requestBody"] = {"required": True, "content": _json(operation.body)}
    if operation.files:
        content = {kind: {"schema": dict(schema)} for kind, schema in operation.files.items()}
        description["requestBody"] = {"required": True, "content": content}
    if operation.open:
        description["security"] = []
    return description


def _parameters(operation: Operation) -> Iterable[dict[str, Any]]:
    for name in re.findall(r"{(\w+)", operation.path):
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
    query = operation.query.model_json_schema(mode="serialization")  # what is read, with its bounds
    for name, schema in query.get("properties", {}).items():
        text = schema.pop("description", "")
        described = {"name": name, "in": "query", "description": text, "schema": _tidy(_given(schema))}
        yield {**described, "required": True} if name in query.get("required", ()) else described
    for header in operation.headers:
        yield {
            "name": header.name,
            "in": "header",
            "description": header.description,
            "schema": dict(header.schema),
        }


def _given(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of a parameter that was given: leaving it out is how to say null."""
    options = [option for option in schema.get("anyOf", ()) if option != {"type": "null"}]
    if len(options) != 1:
        return dict(schema)
    rest = {key: value for key, value in schema.items() if key not in ("anyOf", "default")}
    return {**options[0], **rest}


def _responses(operation: Operation) -> dict[str, Any]:
    found = {str(status): _answer(status, content) for status, content in operation.answers.items()}
    statuses = {*operation.problems, *EVERYWHERE, *(WITH_BODY if operation.takes_body else ())}
    problem = {problems.MEDIA_TYPE: {"schema": {"$ref": REFERENCE.format(model=ProblemView.__name__)}}}
    for status in sorted(statuses):
        found[str(status)] = {"description": MEANINGS[status], "content": problem}
    return found


def _answer(status: int, content: Content) -> dict[str, Any]:
    if not isinstance(content, str):
        return {"description": MEANINGS[status], "content": _json(content)}
    if not content:
        return {"description": MEANINGS[status]}
    kind = "object" if content == "application/json" else "string"
    return {"description": MEANINGS[status], "content": {content: {"schema": {"type": kind}}}}


def _json(model: type[BaseModel]) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": REFERENCE.format(model=model.__name__)}}}


def _webhook() -> dict[str, Any]:
    return {
        "summary": "A job has ended",
        "requestBody": {"required": True, "content": _json(WebhookView)},
        "responses": {"2XX": {"description": "The delivery is taken; it is not sent again."}},
    }
