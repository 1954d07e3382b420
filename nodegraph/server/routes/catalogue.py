"""``/nodes`` and ``/models``: what there is."""

from __future__ import annotations

from aiohttp import ETag, web

from nodegraph.files import INPUTS
from nodegraph.locations import folder_kinds
from nodegraph.server import keys
from nodegraph.server.problems import Problem
from nodegraph.server.routes.answers import answer
from nodegraph.server.routes.operation import Call, operation
from nodegraph.server.views import CatalogueView, ModelFolderView, ModelsView, NodeView
from nodegraph.server.wire import NoBody, NoQuery
from nodegraph.workflow.writing import dump_json


@operation("GET", "/nodes", NoQuery, NoBody, {200: CatalogueView, 304: ""})
async def list_nodes(call: Call[NoQuery, NoBody]) -> web.Response:
    """Every node type: its inputs with JSON Schemas, widgets and words, and its outputs."""
    catalogue = call.app[keys.CATALOGUE]
    text = await call.service.heavy(lambda: catalogue.text)
    tag = ETag(catalogue.tag)
    if any(known.value in (tag.value, "*") for known in call.request.if_none_match or ()):
        reply = web.Response(status=304)
    else:
        reply = web.Response(body=text, content_type="application/json")
    reply.etag = tag
    return reply


@operation("GET", "/nodes/{id}", NoQuery, NoBody, {200: NodeView}, problems=(404,))
async def get_node(call: Call[NoQuery, NoBody]) -> web.Response:
    """One node type."""
    id = call.part("id")
    node = call.service.registry.get(id)
    if node is None:
        near = list(call.service.registry.suggest(id))
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        raise Problem(404, "unknown_node_type", f"there is no node type {id!r}{hint}", suggestions=near)
    text = await call.service.heavy(lambda: dump_json(call.app[keys.CATALOGUE].describe(node)))
    return web.Response(text=text, content_type="application/json")


@operation("GET", "/models", NoQuery, NoBody, {200: ModelsView})
async def list_models(call: Call[NoQuery, NoBody]) -> web.Response:
    """The files that nodes can name, by folder; your input files are `inputs`."""
    return answer({"folders": await call.service.heavy(_models, call)})


@operation("GET", "/models/{folder}", NoQuery, NoBody, {200: ModelFolderView}, problems=(404,))
async def list_model_folder(call: Call[NoQuery, NoBody]) -> web.Response:
    """The files of one folder."""
    folder = call.part("folder")
    found = await call.service.heavy(_models, call)
    if folder not in found:
        raise Problem(404, "unknown_folder", f"there is no folder {folder!r}; there are: {', '.join(found)}")
    return answer({"folder": folder, "names": found[folder]})


def _models(call: Call[NoQuery, NoBody]) -> dict[str, list[str]]:
    folders = call.service.folders(call.user.name)
    kinds = [*folder_kinds(call.service.registry, folders), INPUTS]
    return {kind: folders.names(kind) for kind in kinds}
