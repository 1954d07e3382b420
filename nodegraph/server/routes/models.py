"""``/models``: the files that nodes can name, and pictures of them."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from nodegraph.files import INPUTS, Folders
from nodegraph.locations import folder_kinds
from nodegraph.server import keys
from nodegraph.server.model_pictures import NoPictureError, has_picture, thumbnail
from nodegraph.server.problems import Problem
from nodegraph.server.routes.answers import answer
from nodegraph.server.routes.operation import Call, operation
from nodegraph.server.views import ModelFolderView, ModelsView
from nodegraph.server.wire import NoBody, NoQuery

PICTURE = "image/webp"


@operation("GET", "/models", NoQuery, NoBody, {200: ModelsView})
async def list_models(call: Call[NoQuery, NoBody]) -> web.Response:
    """The files that nodes can name, by folder; your input files are `inputs`."""

    def look() -> dict[str, list[str]]:
        folders = call.service.folders(call.user.name)
        return {kind: folders.names(kind) for kind in _kinds(call, folders)}

    return answer({"folders": await call.service.heavy(look)})


@operation("GET", "/models/{folder}", NoQuery, NoBody, {200: ModelFolderView}, problems=(404,))
async def list_model_folder(call: Call[NoQuery, NoBody]) -> web.Response:
    """The files of one folder."""

    def look() -> dict[str, Any]:
        folders, folder = _folder(call)
        return {"folder": folder, "names": folders.names(folder)}

    return answer(await call.service.heavy(look))


@operation("GET", "/models/{folder}/pictures", NoQuery, NoBody, {200: ModelFolderView}, problems=(404,))
async def list_model_pictures(call: Call[NoQuery, NoBody]) -> web.Response:
    """Those files of one folder that have a picture."""

    def look() -> dict[str, Any]:
        folders, folder = _folder(call)
        names = [name for name in folders.names(folder) if has_picture(folders, folder, name)]
        return {"folder": folder, "names": names}

    return answer(await call.service.heavy(look))


@operation("GET", "/models/{folder}/pictures/{name:.+}", NoQuery, NoBody, {200: PICTURE}, problems=(404,))
async def get_model_picture(call: Call[NoQuery, NoBody]) -> web.Response:
    """The picture of a model: one beside its file, or the thumbnail that a safetensors file carries."""
    name, limit = call.part("name"), call.app[keys.SETTINGS].max_pixels

    def read() -> bytes:
        try:
            return thumbnail(*_folder(call), name, limit)
        except NoPictureError as error:
            raise Problem(404, "not_found", f"no picture of {name[:100]!r}: {error}") from None

    body = await call.service.heavy(read)
    return web.Response(body=body, content_type=PICTURE, headers={"Cache-Control": "private, max-age=300"})


def _folder(call: Call[NoQuery, NoBody]) -> tuple[Folders, str]:
    """The user's folders, and which of them is asked for."""
    folders, folder = call.service.folders(call.user.name), call.part("folder")
    kinds = _kinds(call, folders)
    if folder not in kinds:
        raise Problem(404, "unknown_folder", f"there is no folder {folder!r}; there are: {', '.join(kinds)}")
    return folders, folder


def _kinds(call: Call[NoQuery, NoBody], folders: Folders) -> list[str]:
    return [*folder_kinds(call.service.registry, folders), INPUTS]
