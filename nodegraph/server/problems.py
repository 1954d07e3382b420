"""Errors of the API as problem details (RFC 9457), and the middleware that makes them.

Every answer that is not a success is ``application/problem+json`` with ``type`` (a place in the API's
documentation), ``title``, ``status``, ``detail`` in plain words, and ``code``, the last part of ``type``.
"""

from __future__ import annotations

import errno
import json
import logging
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from nodegraph.errors import (
    FileProblem,
    NodeError,
    NodeGraphError,
    ValidationError,
    WorkflowError,
    errors_among,
    listed,
)
from nodegraph.jobs.records import QueueFullError, StorageError
from nodegraph.system_errors import system_message

logger = logging.getLogger(__name__)

RETRY_SECONDS = "10"
"""When to ask again whether there is room for a job; nobody can tell how long jobs take."""
MEDIA_TYPE = "application/problem+json"
DOCUMENTATION = "/api/v1/docs"
NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
UNUSABLE = (errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.ENOTDIR, errno.EEXIST, errno.EISDIR)
KEPT_HEADERS = ("Allow", "Retry-After", "WWW-Authenticate", "Location")

TITLES = {
    "not_found": "There is nothing here",
    "unknown_job": "No such job",
    "unknown_node_type": "No such node type",
    "unknown_folder": "No such folder",
    "method_not_allowed": "The method is not one this place takes",
    "invalid_request": "The request is not as described",
    "invalid_json": "The body is not JSON",
    "unsupported_media_type": "The body is of another kind than is read here",
    "too_large": "The request is too large",
    "invalid_workflow": "The workflow must not run",
    "unreadable_workflow": "The document is no workflow",
    "conflict": "It cannot be done in the present state",
    "changed_meanwhile": "It was changed since it was read",
    "idempotency_conflict": "The key was used for another request",
    "queue_full": "Too many jobs wait",
    "storage_full": "The server's disk is full",
    "storage_unavailable": "The server cannot use its folders now",
    "unauthorized": "The request carries no valid token",
    "forbidden": "The token does not allow it",
    "too_many_requests": "Too many requests",
    "unavailable": "The server is stopping or its worker is not there",
    "internal": "The server failed",
}
"""Every kind of problem, by code."""


class Problem(NodeGraphError):
    """A request that is refused; raised by handlers, answered by the middleware.

    Attributes:
        status: the HTTP status.
        code: the kind of problem, stable; one of ``TITLES``.
        detail: what is wrong, in plain words.
        more: further members of the answer.
        headers: further headers of the answer.
    """

    def __init__(
        self, status: int, code: str, detail: str, *, headers: dict[str, str] | None = None, **more: Any
    ) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail = status, code, detail
        self.headers, self.more = dict(headers or {}), more

    def response(self) -> web.Response:
        """The answer that tells it."""
        return problem_response(self.status, self.code, self.detail, headers=self.headers, **self.more)


def problem_response(
    status: int, code: str, detail: str, *, headers: dict[str, str] | None = None, **more: Any
) -> web.Response:
    """An answer of problem details.

    Args:
        status: the HTTP status.
        code: the kind of problem, one of ``TITLES``.
        detail: what is wrong, in plain words.
        headers: further headers.
        more: further members.
    """
    document = {
        "type": f"{DOCUMENTATION}#{code}",
        "title": TITLES.get(code) or HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
        **more,
    }
    text = json.dumps(document, ensure_ascii=False, default=str)
    body = text.encode(errors="backslashreplace")
    return web.Response(status=status, body=body, content_type=MEDIA_TYPE, headers=headers)


def too_large(what: str, limit: int) -> Problem:
    """The refusal of something of more than ``limit`` bytes, in the unit that people think in."""
    room = f"{limit / (1 << 20):.3g} MiB" if limit >= 1 << 20 else f"{limit} bytes"
    return Problem(413, "too_large", f"{what} may have up to {room}")


def unknown_job(id: str) -> Problem:
    """The answer about a job that was never seen, or is another user's."""
    return Problem(404, "unknown_job", f"there is no job {id!r}", state="unknown", job=id)


@web.middleware
async def problem_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answers whatever a handler raises; an unexpected exception is logged and told without internals."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        return _of_http_exception(error)
    except NodeGraphError as error:
        return as_problem(error).response()
    except OSError as error:
        return _of_os_error(error, request)
    except Exception:
        logger.exception("%s %s failed", request.method, request.rel_url.raw_path)  # escaped: one line
        return _internal()


def _internal() -> web.Response:
    return problem_response(500, "internal", "the server failed; its log says why")


def _of_os_error(error: OSError, request: web.Request) -> web.Response:
    asked = f"{request.method} {request.rel_url.raw_path}"
    if error.errno not in (*NO_ROOM, *UNUSABLE):
        logger.exception("%s failed", asked)
        return _internal()
    logger.error("%s failed: %s", asked, system_message(error))
    return storage_problem(full=error.errno in NO_ROOM).response()


def storage_problem(*, full: bool) -> Problem:
    """The answer where nothing can be kept: the disk is full, or cannot be written for another reason."""
    headers = {"Retry-After": RETRY_SECONDS}
    if full:
        text = "the server's disk is full, so nothing can be kept; make room on it, then send this again"
        return Problem(507, "storage_full", text, headers=headers)
    text = "the server cannot read or write its folders now; its log says why. Send this again later"
    return Problem(503, "storage_unavailable", text, headers=headers)


def as_problem(error: NodeGraphError) -> Problem:
    """An error of the engine or the queue as the problem it is to a client."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, ValidationError):
        return _invalid(error)
    if isinstance(error, WorkflowError):
        return Problem(422, "unreadable_workflow", str(error))
    if isinstance(error, NodeError):
        message = f"node {error.node_id} ({error.node_type}): {error}"
        return Problem(422, "invalid_workflow", message, issues=[])
    if isinstance(error, FileProblem):
        return Problem(404, "not_found", str(error))
    if isinstance(error, QueueFullError):
        return Problem(429, "queue_full", str(error), headers={"Retry-After": RETRY_SECONDS})
    if isinstance(error, StorageError):
        logger.error("%s", error)
        return storage_problem(full=error.full)
    return Problem(409, "conflict", str(error))


def _invalid(error: ValidationError) -> Problem:
    wrong = errors_among(error.issues)
    told = [issue.to_json() for issue in listed(error.issues)]
    detail = str(wrong[0]) if len(wrong) == 1 else f"{len(wrong)} things are wrong; the first: {wrong[0]}"
    return Problem(422, "invalid_workflow", detail, issues=told, issue_count=len(error.issues))


_CODES = {
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    415: "unsupported_media_type",
    429: "too_many_requests",
    503: "unavailable",
}


def _of_http_exception(error: web.HTTPException) -> web.Response:
    kept = dict(_kept_headers(error))
    code = _CODES.get(error.status, "invalid_request" if error.status < 500 else "internal")
    return problem_response(error.status, code, _in_words(error), headers=kept)


def _kept_headers(error: web.HTTPException) -> Iterator[tuple[str, str]]:
    for name in KEPT_HEADERS:
        if name in error.headers:
            yield name, error.headers[name]


def _in_words(error: web.HTTPException) -> str:
    if isinstance(error, web.HTTPMethodNotAllowed):
        return f"{error.method} is not possible here; possible is {', '.join(sorted(error.allowed_methods))}"
    if isinstance(error, web.HTTPNotFound):
        return "there is nothing at this address"
    if isinstance(error, web.HTTPRequestEntityTooLarge):
        return error.text or "the request is too large"
    return error.text if error.text and error.text != f"{error.status}: {error.reason}" else error.reason
