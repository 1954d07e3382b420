"""``/workflows/import`` and ``/workflows/export``: workflows out of other formats, and into them."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any, Literal

from aiohttp import web
from pydantic import Field

from nodegraph.errors import listed
from nodegraph.python_code import export_python
from nodegraph.server.problems import Problem, too_large
from nodegraph.server.routes.answers import answer
from nodegraph.server.routes.operation import Call, operation
from nodegraph.server.routes.uploads import FORM, chunks_of, parts_of
from nodegraph.server.security.limits import check_values, in_time
from nodegraph.server.storage import CHUNK_BYTES
from nodegraph.server.views import Answer, IssueView, WorkflowView
from nodegraph.server.wire import WORKFLOW, Document, NoBody, NoQuery, Request
from nodegraph.workflow.comfy import export_comfy
from nodegraph.workflow.png import SIGNATURE, png_workflow_text
from nodegraph.workflow.sources import Imported, import_bytes, workflow_of_any_format
from nodegraph.workflow.writing import dump_json, workflow_document

KINDS = ("application/json", "image/png", "application/octet-stream")

FILE = {"type": "string", "format": "binary"}
BODIES: dict[str, dict[str, Any]] = {
    "application/json": {"type": "object"},
    "image/png": FILE,
    "application/octet-stream": FILE,
    FORM: {"type": "object", "required": ["file"], "properties": {"file": FILE}},
}


class ImportView(Answer):
    """A workflow that was read."""

    workflow: WorkflowView
    source: Literal["nodegraph", "comfyui", "comfyui-editor"] = Field(description="The format it was in.")
    issues: list[IssueView] = Field(
        description="What could not be carried over (code `not_mapped`), then what validation finds."
    )


class ExportQuery(Request):
    """What a workflow is turned into."""

    format: Literal["comfyui", "python"] = Field(
        description="`comfyui`: its API format, as JSON. `python`: a program that builds and runs it."
    )


class ExportRequest(Request):
    """A workflow to turn into another format."""

    workflow: Document = WORKFLOW


class ExportView(Answer):
    """A workflow in another format."""

    name: str = Field(description="What a file of it may be called.")
    media_type: str
    text: str


@operation(
    "POST",
    "/workflows/import",
    NoQuery,
    NoBody,
    {200: ImportView},
    problems=(408, 413, 415, 422),
    files=BODIES,
)
async def import_workflow(call: Call[NoQuery, NoBody]) -> web.Response:
    """Read a workflow out of JSON or a PNG, this project's or ComfyUI's.

    ComfyUI's API format and the files of its editor are told apart by their content, and so is a picture
    that carries a workflow. Nodes of unknown types are kept as they are. The file is the body itself, or the
    part `file` of a form.
    """
    data = await _file(call)
    owner, service = call.user.name, call.service

    def read() -> dict[str, Any]:
        imported = import_bytes(_json_in(data, service.settings.max_body), service.registry)
        found = service.checker.check_workflow(imported.workflow, owner).issues
        return _import_view(imported, [issue.to_json() for issue in listed([*imported.issues, *found])])

    return web.Response(text=dump_json(await service.heavy(read)), content_type="application/json")


def _json_in(data: bytes, limit: int) -> bytes:
    """The JSON of a file. Of a picture it is no longer than a body may be: a text in it may be packed.

    Raises:
        Problem: it is too long, or holds too many values.
        WorkflowError: it is a picture that carries none.
    """
    text = png_workflow_text(data).encode() if data.startswith(SIGNATURE) else data
    if len(text) > limit:
        raise too_large("the workflow in a picture", limit)
    check_values(text)
    return text


def _import_view(imported: Imported, issues: list[dict[str, Any]]) -> dict[str, Any]:
    document = workflow_document(imported.workflow)
    return {"workflow": document, "source": imported.format, "issues": issues}


async def _file(call: Call[Any, Any]) -> bytes:
    """The file that a request carries.

    Raises:
        Problem: it carries none, or one that is too large.
    """
    kind = call.request.content_type
    if kind == FORM:
        async for part in parts_of(call.request):
            if part.name == "file":
                return await _bounded(call, chunks_of(part))
        raise Problem(400, "invalid_request", "the form has no part called 'file'")
    if kind not in KINDS:
        text = f"a workflow is sent as {', '.join(KINDS)} or {FORM}, not {kind[:100]}"
        raise Problem(415, "unsupported_media_type", text)
    return await _bounded(call, aiter(call.request.content.iter_chunked(CHUNK_BYTES)))


async def _bounded(call: Call[Any, Any], chunks: AsyncIterator[bytes]) -> bytes:
    """All of a file: JSON up to the size of any request, a picture up to that of an upload."""
    settings, data = call.service.settings, bytearray()
    while chunk := await in_time(call.request, anext(chunks, b"")):
        data += chunk
        limit = settings.max_upload if data.startswith(SIGNATURE) else settings.max_body
        if len(data) > limit:
            raise too_large("the file", limit)
    if not data:
        raise Problem(400, "invalid_request", "the file is empty")
    return bytes(data)


@operation("POST", "/workflows/export", ExportQuery, ExportRequest, {200: ExportView})
async def export_workflow(call: Call[ExportQuery, ExportRequest]) -> web.Response:
    """Turn a workflow into ComfyUI's API format or into a Python program.

    What a format has no words for is told as a problem, every place at once.
    """
    registry = call.service.registry

    def convert() -> dict[str, Any]:
        workflow = workflow_of_any_format(call.body.workflow, registry)
        stem = file_stem(workflow.name)
        if call.query.format == "python":
            return _export_view(f"{stem}.py", "text/x-python", export_python(workflow, registry))
        text = dump_json(export_comfy(workflow, registry, complete=True), 2)
        return _export_view(f"{stem}.comfyui.json", "application/json", text)

    return answer(await call.service.heavy(convert))


def file_stem(name: str) -> str:
    """A plain name for the file of a workflow that people call ``name``."""
    return re.sub(r"\W+", "_", name).strip("_").lower()[:100] or "workflow"


def _export_view(name: str, media_type: str, text: str) -> dict[str, Any]:
    return {"name": name, "media_type": media_type, "text": text}
