"""``/upload/image`` and ``/upload/mask``: files that clients bring."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import BodyPartReader, web

from nodegraph.server.comfy import pictures
from nodegraph.server.comfy.files import FileReference, storage_of
from nodegraph.server.comfy.requests import BadRequestError, switched
from nodegraph.server.keys import SETTINGS
from nodegraph.server.security.limits import DAMAGED_FORM, in_time
from nodegraph.workflow.strict_json import describe

CHUNK = 1 << 18
MAX_FIELD = 1 << 16
MAX_FIELDS = 16
KINDS = ("input", "temp", "output")


@dataclass
class Upload:
    """A form with a file.

    Attributes:
        path: where the file lies for now.
        name: what the client calls it.
        fields: the other fields.
    """

    path: Path
    name: str = ""
    fields: dict[str, str] = field(default_factory=dict)


async def upload_image(request: web.Request) -> web.Response:
    """Keep a picture where ``LoadImage`` finds it."""
    async with _received(request) as upload:
        return await _keep(request, upload)


async def upload_mask(request: web.Request) -> web.Response:
    """Keep a picture uploaded before, with the opacity of this one; that is what a mask is made from."""
    async with _received(request) as upload:
        original, limit = await _original(request, upload), request.app[SETTINGS].max_pixels
        data = await asyncio.to_thread(pictures.masked, original, upload.path, limit)
        await asyncio.to_thread(upload.path.write_bytes, data)
        return await _keep(request, upload)


async def _original(request: web.Request, upload: Upload) -> Path:
    try:
        named = json.loads(upload.fields.get("original_ref", ""))
    except (ValueError, RecursionError):
        named = None
    if not isinstance(named, dict):
        raise BadRequestError(
            "invalid_request", "original_ref must say which picture the mask is for, as JSON"
        )
    return await asyncio.to_thread(FileReference.read(named).find, storage_of(request))


@asynccontextmanager
async def _received(request: web.Request) -> AsyncIterator[Upload]:
    """The form of a request, its file on disk while the block lasts."""
    if not request.content_type.startswith("multipart/"):
        raise BadRequestError("invalid_request", "an upload is a form (multipart/form-data)")
    folder = request.app[SETTINGS].data / "incoming"
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as place:
        upload = Upload(Path(place) / "file")
        async for part in _parts(request):
            await _take(request, part, upload)
        if not upload.name:
            raise BadRequestError("invalid_request", "the form has no file called 'image'")
        yield upload


async def _parts(request: web.Request) -> AsyncIterator[Any]:
    try:
        parts = await request.multipart()
        while part := await in_time(request, parts.next()):
            yield part
    except DAMAGED_FORM as error:
        raise BadRequestError("invalid_request", f"the form is damaged: {error}") from None


async def _take(request: web.Request, part: Any, upload: Upload) -> None:
    if not isinstance(part, BodyPartReader) or len(upload.fields) > MAX_FIELDS:
        raise BadRequestError("invalid_request", "the form is not one of a picture and a few words about it")
    if part.name == "image" and part.filename is not None and not upload.name:
        upload.name = part.filename
        await _store(request, part, upload.path)
    else:
        upload.fields[part.name or ""] = await _text(request, part)


async def _store(request: web.Request, part: BodyPartReader, path: Path) -> None:
    limit, size = request.app[SETTINGS].max_upload, 0
    with path.open("wb") as stream:
        while chunk := await in_time(request, part.read_chunk(CHUNK)):
            size += len(chunk)
            if size > limit:
                raise BadRequestError("too_large", f"a file may have up to {limit} bytes", status=413)
            stream.write(chunk)


async def _text(request: web.Request, part: BodyPartReader) -> str:
    data = b""
    while chunk := await in_time(request, part.read_chunk(CHUNK)):
        data += chunk
        if len(data) > MAX_FIELD:
            raise BadRequestError("too_large", f"the field {part.name!r} is too long", status=413)
    return data.decode(errors="replace")


async def _keep(request: web.Request, upload: Upload) -> web.Response:
    """Keep what was uploaded among the user's inputs.

    ComfyUI has clients choose another ``type`` of place as well; all go to one place here, whose size is
    bounded, and the answer says which.
    """
    kind = upload.fields.get("type") or KINDS[0]
    if kind not in KINDS:
        raise BadRequestError("invalid_request", f"type must be {', '.join(KINDS)}, not {describe(kind)}")
    stored = await storage_of(request).save_upload(
        _chunks(upload.path),
        upload.name,
        subfolder=upload.fields.get("subfolder", "").strip("/"),
        overwrite=switched("overwrite", upload.fields.get("overwrite") or "false"),
    )
    return web.json_response({"name": stored.name, "subfolder": stored.subfolder, "type": stored.kind})


async def _chunks(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as stream:
        while chunk := await asyncio.to_thread(stream.read, CHUNK):
            yield chunk
