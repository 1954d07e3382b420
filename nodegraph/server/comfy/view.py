"""``/view``: files that were made or uploaded."""

from __future__ import annotations

import asyncio

from aiohttp import web

from nodegraph.server.comfy import pictures
from nodegraph.server.comfy.files import FileReference, storage_of
from nodegraph.server.keys import SETTINGS
from nodegraph.server.security.headers import FILE_POLICY
from nodegraph.server.serving import disposition, serve_file


async def get_view(request: web.Request) -> web.StreamResponse:
    """A file of the user; a picture also smaller (``preview``), or only some channels of it (``channel``)."""
    path = await asyncio.to_thread(FileReference.read(request.query).find, storage_of(request))
    wanted, channel = request.query.get("preview"), request.query.get("channel", "rgba")
    limit = request.app[SETTINGS].max_pixels
    if wanted:
        data, media_type = await asyncio.to_thread(pictures.preview, path, wanted, limit)
    elif channel in ("rgb", "a"):
        make = pictures.colours if channel == "rgb" else pictures.opacity
        data, media_type = await asyncio.to_thread(make, path, limit), "image/png"
    else:
        return await serve_file(request, path)
    headers = {
        "Content-Type": media_type,
        "Content-Disposition": disposition(path.name, "inline"),
        "Content-Security-Policy": FILE_POLICY,
        "X-Content-Type-Options": "nosniff",
    }
    return web.Response(body=data, headers=headers)
