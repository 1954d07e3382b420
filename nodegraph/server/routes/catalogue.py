"""``/nodes``: the node types there are."""

from __future__ import annotations

from aiohttp import ETag, web

from nodegraph.server import keys
from nodegraph.server.problems import Problem
from nodegraph.server.routes.operation import Call, operation
from nodegraph.server.views import CatalogueView, NodeView
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
