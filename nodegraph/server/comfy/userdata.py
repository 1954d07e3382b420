"""``/userdata``: files that clients keep on the server, such as their workflows, by user."""

from __future__ import annotations

import asyncio
import mimetypes
import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

from aiohttp import web

from nodegraph.server.comfy.requests import BadRequestError, flag
from nodegraph.server.comfy.user_settings import user_folder
from nodegraph.server.keys import SETTINGS, user_of
from nodegraph.server.security.headers import FILE_POLICY
from nodegraph.server.security.limits import in_time
from nodegraph.server.security.paths import MAX_DEPTH, safe_name
from nodegraph.server.serving import disposition

HARMLESS = ("application/json", "image/png", "image/jpeg", "image/webp")


def _root(request: web.Request) -> Path:
    return user_folder(request.app[SETTINGS], user_of(request).name) / "files"


def inside(root: Path, name: str) -> Path:
    """The path of a file or folder below ``root``; unlike other names, these may begin with a dot.

    Raises:
        Problem: a part of the name is none that a file can have.
        BadRequestError: it is too deep, or a link leads outside.
    """
    parts = [part for part in name.split("/") if part]
    safe = ["." * part.startswith(".") + safe_name(part.removeprefix(".")) for part in parts]
    found = root.joinpath(*safe)
    if name.startswith("/") or len(parts) > MAX_DEPTH or not found.resolve().is_relative_to(root.resolve()):
        raise BadRequestError("forbidden", f"{name!r} is not the name of a file of yours", status=403)
    return found


def _named(request: web.Request, key: str = "file") -> Path:
    path = inside(_root(request), request.match_info[key])
    if path == _root(request):
        raise BadRequestError("invalid_request", "the name of a file is missing")
    return path


def _missing() -> web.Response:
    return web.json_response({"error": "File not found"}, status=404)


async def list_files(request: web.Request) -> web.Response:
    """Names of the files of a folder; with ``recurse``, ``full_info`` or ``split`` more of them."""
    if not request.query.get("dir"):
        return web.json_response({"error": "Directory not provided"}, status=400)
    folder = inside(_root(request), request.query["dir"])
    if not folder.is_dir():
        return _missing()
    paths = await asyncio.to_thread(lambda: sorted(_files(folder, deep=flag(request, "recurse"))))
    return web.json_response([_listed(request, path, folder) for path in paths])


async def list_entries(request: web.Request) -> web.Response:
    """Files and folders of a folder, each with its kind."""
    root = _root(request)
    folder = inside(root, request.query.get("path") or request.query.get("dir") or "")
    if not folder.is_dir():
        return web.json_response([]) if folder == root else _missing()
    return web.json_response(
        await asyncio.to_thread(lambda: [_entry(path, root) for path in sorted(folder.iterdir())])
    )


async def get_file(request: web.Request) -> web.StreamResponse:
    """The content of a file, in a form that no browser runs as a page."""
    path = _named(request)
    if not path.is_file():
        return _missing()
    kind = mimetypes.guess_type(path.name)[0]
    harmless = kind if kind in HARMLESS else None
    return web.FileResponse(
        path,
        headers={
            "Content-Type": harmless or "application/octet-stream",
            "Content-Disposition": disposition(path.name, "inline" if harmless else "attachment"),
            "Content-Security-Policy": FILE_POLICY,
            "X-Content-Type-Options": "nosniff",
        },
    )


async def post_file(request: web.Request) -> web.Response:
    """Write a file; with ``overwrite=false`` only a new one."""
    path = _named(request)
    if not _is_free(path, request):
        return _taken()
    await _write(request, path)
    return web.json_response(_told(request, path))


async def delete_file(request: web.Request) -> web.Response:
    """Remove a file."""
    path = _named(request)
    if not path.is_file():
        return _missing()
    await asyncio.to_thread(path.unlink)
    return web.Response(status=204)


async def move_file(request: web.Request) -> web.Response:
    """Give a file another name."""
    source, target = _named(request), _named(request, "dest")
    if not source.is_file():
        return _missing()
    if not _is_free(target, request):
        return _taken()
    _make_folder(target.parent)
    await asyncio.to_thread(source.replace, target)
    return web.json_response(_told(request, target))


def _is_free(path: Path, request: web.Request) -> bool:
    """Whether a file may get that name; a folder is never replaced."""
    may_replace = flag(request, "overwrite", default=True)
    return not path.exists() or (may_replace and path.is_file())


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise BadRequestError("conflict", "a file is called like a folder of the name", status=409) from None


def _taken() -> web.Response:
    return web.json_response({"error": "File already exists"}, status=409)


async def _write(request: web.Request, path: Path) -> None:
    """Write the body to a file, whole or not at all."""
    limit = min(request.app[SETTINGS].max_upload, await asyncio.to_thread(_room, request))
    _make_folder(path.parent)
    handle, fresh = tempfile.mkstemp(dir=path.parent, prefix=".")
    try:
        with os.fdopen(handle, "wb") as stream:
            async for chunk in _body(request, limit):
                stream.write(chunk)
        await asyncio.to_thread(Path(fresh).replace, path)
    except BaseException:
        Path(fresh).unlink(missing_ok=True)
        raise


async def _body(request: web.Request, limit: int) -> AsyncIterator[bytes]:
    size = 0
    while chunk := await in_time(request, request.content.readany()):
        size += len(chunk)
        if size > limit:
            raise BadRequestError("too_large", f"a file may have up to {limit} bytes", status=413)
        yield chunk


def _room(request: web.Request) -> int:
    """How many bytes the user may still keep; as many as of uploads."""
    settings = request.app[SETTINGS]
    sizes = [path.stat().st_size for path in _root(request).rglob("*") if path.is_file()]
    if len(sizes) >= settings.max_files:
        raise BadRequestError("too_large", f"up to {settings.max_files} files are kept", status=507)
    return max(0, settings.quota - sum(sizes))


def _files(folder: Path, *, deep: bool) -> Iterator[Path]:
    found = folder.rglob("*") if deep else folder.iterdir()
    return (path for path in found if path.is_file() and not path.is_symlink())


def _listed(request: web.Request, path: Path, folder: Path) -> Any:
    name = path.relative_to(folder)
    if flag(request, "full_info"):
        return _facts(path, folder)
    return [name.as_posix(), *name.parts] if flag(request, "split") else name.as_posix()


def _told(request: web.Request, path: Path) -> Any:
    root = _root(request)
    return _facts(path, root) if flag(request, "full_info") else path.relative_to(root).as_posix()


def _facts(path: Path, root: Path) -> dict[str, Any]:
    status = path.stat()
    return {
        "path": path.relative_to(root).as_posix(),
        "size": status.st_size,
        "modified": int(status.st_mtime * 1000),
        "created": int(status.st_ctime * 1000),
    }


def _entry(path: Path, root: Path) -> dict[str, Any]:
    kind = {"name": path.name, "path": path.relative_to(root).as_posix()}
    return {**kind, "type": "directory"} if path.is_dir() else {**_facts(path, root), **kind, "type": "file"}
