"""``/outputs``: the files that jobs made, each only for the user who had it made."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

from aiohttp import web
from pydantic import BeforeValidator, Field

from nodegraph.server.routes.jobs import visible_job
from nodegraph.server.routes.operation import Call, operation
from nodegraph.server.serving import digests_of, serve_file
from nodegraph.server.storage import no_file, storage_of
from nodegraph.server.wire import NoBody, Request

FLAGS = {"true": True, "1": True, "false": False, "0": False}
Flag = Annotated[
    bool,
    BeforeValidator(
        lambda text: FLAGS.get(text, text) if isinstance(text, str) else text, json_schema_input_type=bool
    ),
]
ANY = "application/octet-stream"
PARTS = {200: ANY, 206: ANY, 304: ""}


class FileQuery(Request):
    """How a file is sent."""

    download: Flag = Field(False, description="Whether a browser shall save it rather than show it.")


@operation("GET", "/outputs/{digest}", FileQuery, NoBody, PARTS, problems=(404, 416))
async def get_output(call: Call[FileQuery, NoBody]) -> web.StreamResponse:
    """A file that one of your jobs made, by the SHA-256 of its content."""
    digest = call.part("digest")
    storage = storage_of(call.app, call.user.name)
    found = await asyncio.to_thread(storage.made, digest, digests_of(call.app))
    if found is None:
        raise no_file(digest)
    return await serve_file(call.request, found, attachment=call.query.download)


@operation("GET", "/outputs/{kind}/{path:.+}", FileQuery, NoBody, PARTS, problems=(404, 416))
async def get_named_output(call: Call[FileQuery, NoBody]) -> web.StreamResponse:
    """A file that one of your jobs made, by its kind (`output` or `temp`), folders and name."""
    storage = storage_of(call.app, call.user.name)
    subfolder, _, name = call.part("path").rpartition("/")
    if call.part("kind") not in ("output", "temp"):
        raise no_file(name)
    found = await asyncio.to_thread(storage.find, call.part("kind"), subfolder, name)
    return await serve_file(call.request, found, attachment=call.query.download)


@operation("GET", "/jobs/{id}/outputs/{digest}", FileQuery, NoBody, PARTS, problems=(404, 416))
async def get_job_output(call: Call[FileQuery, NoBody]) -> web.StreamResponse:
    """A file that a job made, by the SHA-256 of its content; also of another user's job, for a token of the
    scope `admin`."""
    job, digest = await visible_job(call), call.part("digest")
    storage = storage_of(call.app, job.owner)

    def look() -> Path:
        for file in files_of(job.result or {}):
            if file["digest"] == digest:
                path = storage.find(file["kind"], file["subfolder"], file["name"])
                if digests_of(call.app).digest(path) == digest:
                    return path
        raise no_file(digest)

    return await serve_file(call.request, await asyncio.to_thread(look), attachment=call.query.download)


def files_of(result: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The files that a result document names."""
    for named in result.get("outputs", {}).values():
        for entries in named.values():
            yield from (entry["file"] for entry in entries if entry.get("file"))
