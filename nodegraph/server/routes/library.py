"""``/workflows``: those that a user saved on the server; each user sees only their own."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from typing import Any

from aiohttp import ETag, web
from pydantic import Field

from nodegraph.server import keys
from nodegraph.server.library import ANY, SavedWorkflow, WorkflowLibrary
from nodegraph.server.problems import Problem
from nodegraph.server.routes.answers import answer
from nodegraph.server.routes.operation import Call, Header, operation
from nodegraph.server.storage import storage_of
from nodegraph.server.views import Answer, WorkflowView
from nodegraph.server.wire import WORKFLOW, Document, NoBody, NoQuery, Request
from nodegraph.workflow.reading import workflow_from_document
from nodegraph.workflow.writing import dump_workflow

PATH = "/workflows/{path:.+}"
TAG = r'"[!#-~]*"'
IF_MATCH = Header(
    "If-Match",
    "The `etag` it must still have; `*` if it only must be there.",
    {"type": "string", "pattern": rf"^(\*|{TAG})$"},
)
IF_NEW = Header("If-None-Match", "`*` if it must not be there yet.", {"type": "string", "enum": [ANY]})
IF_CHANGED = Header(
    "If-None-Match",
    "The `etag` of the one you have, which is not sent again.",
    {"type": "string", "pattern": f"^{TAG}$"},
)


class SaveRequest(Request):
    """A workflow to keep."""

    workflow: Document = WORKFLOW


class SavedView(Answer):
    """A saved workflow."""

    path: str = Field(description="Its name, with the folders it lies in before it.")
    modified: float
    etag: str = Field(description="Changes with its content; for `If-Match`.")
    size: int = Field(description="In bytes.")
    name: str = Field(description="What the workflow itself says it is called.")


class SavedListView(Answer):
    """Saved workflows."""

    workflows: list[SavedView]


@operation("GET", "/workflows", NoQuery, NoBody, {200: SavedListView})
async def list_workflows(call: Call[NoQuery, NoBody]) -> web.Response:
    """The workflows you saved, by name."""
    library = _library(call)

    def look() -> list[dict[str, Any]]:
        return [asdict(listed) for listed in library.listed()]

    return answer({"workflows": await call.service.heavy(look)})


@operation("GET", PATH, NoQuery, NoBody, {200: WorkflowView, 304: ""}, problems=(404,), headers=(IF_CHANGED,))
async def get_workflow(call: Call[NoQuery, NoBody]) -> web.Response:
    """One of them, with its `ETag`."""
    saved = await asyncio.to_thread(_library(call).read, call.part("path"))
    known = {tag.value for tag in call.request.if_none_match or ()}
    same = saved.tag in known
    reply = (
        web.Response(status=304) if same else web.Response(text=saved.text, content_type="application/json")
    )
    reply.etag = ETag(saved.tag)
    reply.last_modified = saved.modified
    return reply


@operation(
    "PUT",
    PATH,
    NoQuery,
    SaveRequest,
    {200: SavedView},
    problems=(404, 409, 412, 507),
    headers=(IF_MATCH, IF_NEW),
)
async def put_workflow(call: Call[NoQuery, SaveRequest]) -> web.Response:
    """Save a workflow under a name.

    With `If-Match`, only if nobody else saved it since it was read; otherwise the answer is 412, and nothing
    is changed. It is kept as it is given, in this project's format; it need not be valid. Whoever follows
    the events is told by `workflow_saved`.
    """
    path, library = call.part("path"), _library(call)
    expected, new = _expected(call), _must_be_new(call)

    def save() -> SavedWorkflow:
        text = dump_workflow(workflow_from_document(call.body.workflow))
        return library.write(path, text, expected=expected, new=new)

    saved = await call.service.heavy(save)
    event = {"type": "workflow_saved", "job": None, "path": path, "etag": saved.tag}
    call.app[keys.HUB].publish(call.user.name, event)
    reply = answer(_view(saved))
    reply.etag = ETag(saved.tag)
    return reply


@operation("DELETE", PATH, NoQuery, NoBody, {204: ""}, problems=(404, 412), headers=(IF_MATCH,))
async def delete_workflow(call: Call[NoQuery, NoBody]) -> web.Response:
    """Delete one of them; told to followers by `workflow_deleted`."""
    path, expected = call.part("path"), _expected(call)
    await asyncio.to_thread(lambda: _library(call).delete(path, expected=expected))
    event = {"type": "workflow_deleted", "job": None, "path": path}
    call.app[keys.HUB].publish(call.user.name, event)
    return web.Response(status=204)


def _library(call: Call[Any, Any]) -> WorkflowLibrary:
    return WorkflowLibrary(storage_of(call.app, call.user.name))


def _expected(call: Call[Any, Any]) -> str | None:
    """The one tag that ``If-Match`` names.

    Raises:
        Problem: it names several.
    """
    tags = call.request.if_match
    if tags is None:
        return None
    if len(tags) != 1:
        raise Problem(400, "invalid_request", 'If-Match names one tag, as "<etag>", or *')
    return tags[0].value


def _must_be_new(call: Call[Any, Any]) -> bool:
    """Whether ``If-None-Match`` says that there must be none of that name.

    Raises:
        Problem: it says something else.
    """
    tags = call.request.if_none_match
    if tags is not None and [tag.value for tag in tags] != [ANY]:
        raise Problem(400, "invalid_request", "If-None-Match takes * alone here")
    return tags is not None


def _view(saved: SavedWorkflow) -> dict[str, Any]:
    name = json.loads(saved.text).get("name", "")
    size = len(saved.text.encode())
    return {"path": saved.path, "modified": saved.modified, "etag": saved.tag, "size": size, "name": name}
