"""``/uploads``: files that users bring, for ``LoadImage`` and its kind; each user sees only their own."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Annotated, Any, TypedDict
from urllib.parse import quote

from aiohttp import BodyPartReader, web
from pydantic import Field

from nodegraph.server.problems import Problem
from nodegraph.server.routes.answers import answer
from nodegraph.server.routes.operation import PREFIX, Call, operation
from nodegraph.server.routes.outputs import FLAGS, PARTS, FileQuery, Flag
from nodegraph.server.routes.reading import checked
from nodegraph.server.security.limits import DAMAGED_FORM, in_time
from nodegraph.server.security.media import media_type_of
from nodegraph.server.serving import serve_file
from nodegraph.server.storage import CHUNK_BYTES, StoredFile, Upload, UserStorage, storage_of
from nodegraph.server.views import UploadsView
from nodegraph.server.wire import NoBody, NoQuery, Request

MAX_PARTS = 64
MAX_FIELD_BYTES = 4096
FORM = "multipart/form-data"
RAW = ("application/octet-stream", "application/json", "image/", "model/", "application/vnd.safetensors")
"""Kinds of bodies that are taken as the file itself; none of them can a page send without asking first."""

Subfolder = Annotated[str, Field(max_length=400)]
Name = Annotated[str, Field(max_length=200)]


class UploadQuery(Request):
    """Where an uploaded file goes; the fields of a form of the same names go before it."""

    name: Name | None = Field(None, description="Its name, where the body is the file itself.")
    subfolder: Subfolder = Field("", description="The folder it goes to, below that of your uploads.")
    overwrite: Flag = Field(False, description="Whether it replaces a file of its name.")


class PlaceQuery(FileQuery):
    """Where an uploaded file lies."""

    subfolder: Subfolder = Field("", description="The folder it lies in, below that of your uploads.")


BODIES: Mapping[str, Mapping[str, Any]] = {
    FORM: {
        "type": "object",
        "required": ["file"],
        "properties": {
            "subfolder": {"type": "string"},
            "overwrite": {"type": "string", "enum": list(FLAGS)},
            "file": {"type": "array", "minItems": 1, "items": {"type": "string", "format": "binary"}},
        },
    },
    RAW[0]: {"type": "string", "format": "binary"},
}


@operation(
    "POST",
    "/uploads",
    UploadQuery,
    NoBody,
    {201: UploadsView},
    problems=(408, 409, 413, 415, 422, 507),
    files=BODIES,
)
async def post_upload(call: Call[UploadQuery, NoBody]) -> web.Response:
    """Upload files: the parts `file` of a form (`multipart/form-data`), or one file as the body itself.

    Pictures, `.safetensors`, JSON and plain text are taken, by content and not by what the request says. A
    file whose name is taken gets another, unless `overwrite` is true; the answer says which.
    """
    if call.request.content_type == FORM:
        kept = await _from_form(call)
    else:
        kept = [await _from_body(call)]
    return answer({"uploads": [_stored_view(file) for file in kept]}, 201)


async def _from_body(call: Call[UploadQuery, NoBody]) -> StoredFile:
    kind = call.request.headers.get("Content-Type", "").strip().lower()
    if not kind.startswith(RAW):
        shown = kind[:100] or "without a Content-Type"
        raise Problem(415, "unsupported_media_type", f"a file is sent as {FORM} or {RAW[0]}, not {shown}")
    if not call.query.name:
        raise Problem(400, "invalid_request", "the file has no name; give it in ?name=")
    chunks = call.request.content.iter_chunked(CHUNK_BYTES)
    return await _storage(call).save_upload(aiter(chunks), call.query.name, **_place(call, {}))


async def _from_form(call: Call[UploadQuery, NoBody]) -> list[StoredFile]:
    """Keep the files of a form once all of it has arrived: fields may come after them."""
    fields: dict[str, str] = {}
    storage, files = _storage(call), list[Upload]()
    async with AsyncExitStack() as arrived:
        async for part in parts_of(call.request):
            if part.name == "file":
                besides = sum(file.size for file in files)
                receiving = storage.receiving(chunks_of(part), _name_of(part), besides=besides)
                files.append(await arrived.enter_async_context(receiving))
            elif part.name in ("subfolder", "overwrite"):
                fields[part.name] = await in_time(call.request, _text(part))
            else:
                raise Problem(
                    400, "invalid_request", f"the form has a part {str(part.name)[:100]!r}, not known here"
                )
        if not files:
            raise Problem(400, "invalid_request", "the form has no part called 'file'")
        place = _place(call, fields)
        return [await storage.keep(file, **place) for file in files]


async def parts_of(request: web.Request) -> AsyncIterator[BodyPartReader]:
    """The parts of a form, one after the other.

    Raises:
        Problem: it is damaged, has too many, or does not arrive in time.
    """
    try:
        reader, count = await request.multipart(), 0
        while (part := await in_time(request, reader.next())) is not None:
            count += 1
            if count > MAX_PARTS:
                raise Problem(413, "too_large", f"a form may have up to {MAX_PARTS} parts")
            if not isinstance(part, BodyPartReader):
                raise Problem(400, "invalid_request", "a form within a form is not read")
            yield part
    except DAMAGED_FORM as error:
        raise Problem(400, "invalid_request", f"the form is damaged: {error}") from None


def _name_of(part: BodyPartReader) -> str:
    with warnings.catch_warnings():
        name = part.filename
    if not name:
        raise Problem(400, "invalid_request", "a file of the form has no file name")
    return name


async def chunks_of(part: BodyPartReader) -> AsyncIterator[bytes]:
    """The content of a part, as it arrives."""
    while chunk := await part.read_chunk(CHUNK_BYTES):
        yield chunk


async def _text(part: BodyPartReader) -> str:
    data = b""
    async for chunk in chunks_of(part):
        data += chunk
        if len(data) > MAX_FIELD_BYTES:
            raise Problem(413, "too_large", f"the field {part.name!r} is too long")
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise Problem(400, "invalid_request", f"the field {part.name!r} is not text in UTF-8") from None


class _Place(TypedDict):
    subfolder: str
    overwrite: bool


def _place(call: Call[UploadQuery, NoBody], fields: Mapping[str, str]) -> _Place:
    """Where the files of a request go; the fields of its form come before its query."""
    query = checked({**call.query.model_dump(exclude={"name"}), **fields}, UploadQuery, "form")
    return {"subfolder": query.subfolder, "overwrite": query.overwrite}


@operation("GET", "/uploads", NoQuery, NoBody, {200: UploadsView})
async def list_uploads(call: Call[NoQuery, NoBody]) -> web.Response:
    """The files you uploaded, by name."""
    storage = _storage(call)

    def look() -> list[dict[str, Any]]:
        return [_found_view(path, storage.uploads) for path in storage.uploaded()]

    return answer({"uploads": await asyncio.to_thread(look)})


@operation("GET", "/uploads/{name:[^/]+}", PlaceQuery, NoBody, PARTS, problems=(404, 416))
async def get_upload(call: Call[PlaceQuery, NoBody]) -> web.StreamResponse:
    """A file you uploaded, or one that all users share."""
    place = (call.query.subfolder, call.part("name"))
    found = await asyncio.to_thread(_storage(call).find, "input", *place)
    return await serve_file(call.request, found, attachment=call.query.download)


@operation("DELETE", "/uploads/{name:[^/]+}", PlaceQuery, NoBody, {204: ""}, problems=(404,))
async def delete_upload(call: Call[PlaceQuery, NoBody]) -> web.Response:
    """Delete a file you uploaded."""
    await asyncio.to_thread(_storage(call).delete_upload, call.query.subfolder, call.part("name"))
    return web.Response(status=204)


def _storage(call: Call[Any, Any]) -> UserStorage:
    return storage_of(call.app, call.user.name)


def _stored_view(file: StoredFile) -> dict[str, Any]:
    return _view(file.name, file.subfolder, file.size, file.media_type) | {"digest": file.digest}


def _found_view(path: Path, root: Path) -> dict[str, Any]:
    folder = path.relative_to(root).parent.as_posix()
    with path.open("rb") as stream:
        type = media_type_of(stream)
    return _view(path.name, "" if folder == "." else folder, path.stat().st_size, type) | {"digest": None}


def _view(name: str, subfolder: str, size: int, media_type: str) -> dict[str, Any]:
    query = f"?subfolder={quote(subfolder, safe='')}" if subfolder else ""
    url = f"{PREFIX}/uploads/{quote(name, safe='')}{query}"
    return {"name": name, "subfolder": subfolder, "size": size, "media_type": media_type, "url": url}
