"""Sending a file: by its content, in parts, and in a form that no browser runs."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

from aiohttp import web

from nodegraph.digests import DigestCache
from nodegraph.server.keys import SETTINGS
from nodegraph.server.problems import Problem
from nodegraph.server.security.headers import FILE_POLICY
from nodegraph.server.security.media import SHOWN, TEXT, UNKNOWN, media_type_of
from nodegraph.server.storage import no_file

CHUNK_BYTES = 1 << 18
DIGESTS: web.AppKey[DigestCache] = web.AppKey("digests")
"""Remembers what files contain; by default the engine's, in the cache folder."""


@dataclass(frozen=True, slots=True)
class Piece:
    """The part of a file that is sent: from ``start``, ``length`` bytes; ``partial`` if it was asked for."""

    start: int
    length: int
    partial: bool = False


async def serve_file(request: web.Request, path: Path, *, attachment: bool = False) -> web.StreamResponse:
    """Send a file that was found safely.

    Its type is what its content says. What a browser could run (a page, SVG, anything unknown) it is told
    to save. The tag is the SHA-256 of the content.

    Args:
        attachment: whether the browser shall save it in any case.

    Raises:
        Problem: it is gone, or the range that is asked for is not in it.
    """
    try:
        stream = await asyncio.to_thread(_open, path)
    except OSError:
        raise no_file(path.name) from None
    with stream:
        digest = await asyncio.to_thread(digests_of(request.app).digest, path)
        headers = await asyncio.to_thread(_headers, stream, path.name, digest, attachment)
        if _unchanged(request, digest):
            return web.Response(status=304, headers={"ETag": headers["ETag"]})
        piece = _piece(request, os.fstat(stream.fileno()).st_size, digest)
        return await _send(request, stream, piece, headers)


def digests_of(app: web.Application) -> DigestCache:
    """What remembers the content of files."""
    found = app.get(DIGESTS)
    return found or _of_cache(app[SETTINGS].cache)


@cache
def _of_cache(folder: Path) -> DigestCache:
    return DigestCache(folder / "digests.sqlite")


def _open(path: Path) -> BinaryIO:
    """Open a file that is none of the system's special ones, and no link."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0))
    return os.fdopen(descriptor, "rb")


def _headers(stream: BinaryIO, name: str, digest: str, attachment: bool) -> dict[str, str]:
    type = media_type_of(stream)
    save = attachment or type not in (*SHOWN, TEXT)
    return {
        "Content-Type": f"{TEXT}; charset=utf-8" if type == TEXT else type if not save else UNKNOWN,
        "Content-Disposition": disposition(name, "attachment" if save else "inline"),
        "Content-Security-Policy": FILE_POLICY,
        "X-Content-Type-Options": "nosniff",
        "ETag": f'"{digest}"',
        "Cache-Control": "private, no-cache",
        "Accept-Ranges": "bytes",
    }


def disposition(name: str, kind: str) -> str:
    """``Content-Disposition`` with a name of any letters (RFC 6266)."""
    plain = "".join(
        letter if (letter.isalnum() and letter.isascii()) or letter in " ._-()" else "_" for letter in name
    )
    given = f'{kind}; filename="{plain}"'
    return given if plain == name else f"{given}; filename*=UTF-8''{quote(name, safe='')}"


def _unchanged(request: web.Request, digest: str) -> bool:
    tags = request.if_none_match or ()
    return any(tag.value in (digest, "*") for tag in tags)


def _piece(request: web.Request, size: int, digest: str) -> Piece:
    """The part that is asked for; all of it where the file has changed since the first part."""
    given, whole = request.headers.get("Range"), Piece(0, size)
    unless = request.headers.get("If-Range")
    if given is None or (unless is not None and unless != f'"{digest}"'):
        return whole
    if "," in given or not given.lower().startswith("bytes="):
        return whole  # several at once, or another unit: all of it is a right answer
    try:
        start, stop, _ = request.http_range.indices(size)
    except ValueError:
        return whole
    if start >= stop:
        unit = {"Content-Range": f"bytes */{size}"}
        raise Problem(416, "invalid_request", f"the file has {size} bytes, none of them there", headers=unit)
    return Piece(start, stop - start, partial=True)


async def _send(
    request: web.Request, stream: BinaryIO, piece: Piece, headers: Mapping[str, str]
) -> web.StreamResponse:
    response = web.StreamResponse(status=206 if piece.partial else 200, headers=headers)
    if piece.partial:
        size = os.fstat(stream.fileno()).st_size
        last = piece.start + piece.length - 1
        response.headers["Content-Range"] = f"bytes {piece.start}-{last}/{size}"
    response.content_length = piece.length
    await response.prepare(request)
    if request.method != "HEAD":
        await _copy(stream, piece, response)
    await response.write_eof()
    return response


async def _copy(stream: BinaryIO, piece: Piece, response: web.StreamResponse) -> None:
    stream.seek(piece.start)
    left = piece.length
    while left > 0:
        chunk = await asyncio.to_thread(stream.read, min(CHUNK_BYTES, left))
        if not chunk:
            return
        await response.write(chunk)
        left -= len(chunk)
