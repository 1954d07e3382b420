"""What clients ask a server about itself: nodes, models, memory, abilities."""

from __future__ import annotations

import asyncio
from pathlib import PurePosixPath

from aiohttp import web

from nodegraph.files import INPUTS, Folders
from nodegraph.server.comfy.machine import devices, system_info
from nodegraph.server.comfy.object_info import all_nodes, describe_node
from nodegraph.server.comfy.requests import json_object, switch
from nodegraph.server.comfy.websocket import features
from nodegraph.server.json_text import dump_in_parts
from nodegraph.server.keys import REGISTRY, RUNNER, SERVICE, TOKENS, user_of
from nodegraph.server.routes.answers import answer_text

EMBEDDINGS = "embeddings"


def _folders(request: web.Request) -> Folders:
    return request.app[SERVICE].folders(user_of(request).name)


async def object_info(request: web.Request) -> web.Response:
    """Every node type."""
    names, registry = _folders(request).names, request.app[REGISTRY]
    nodes = await request.app[SERVICE].heavy(all_nodes, registry, names)
    return answer_text(await request.app[SERVICE].heavy(dump_in_parts, nodes))


async def one_object_info(request: web.Request) -> web.Response:
    """One node type; an empty object if there is none of that name."""
    node = request.app[REGISTRY].get(request.match_info["node_class"])
    if node is None:
        return web.json_response({})
    return web.json_response({node.id: await asyncio.to_thread(describe_node, node, _folders(request).names)})


async def embeddings(request: web.Request) -> web.Response:
    """Names of the textual inversions, without their endings."""
    names = await asyncio.to_thread(_folders(request).names, EMBEDDINGS)
    return web.json_response([str(PurePosixPath(name).with_suffix("")) for name in names])


async def model_folders(request: web.Request) -> web.Response:
    """The kinds of models."""
    return web.json_response(await asyncio.to_thread(_kinds, request))


async def models(request: web.Request) -> web.Response:
    """Names of the models of one kind."""
    kind = request.match_info["folder"]
    if kind not in await asyncio.to_thread(_kinds, request):
        return web.json_response({"error": f"there is no model folder {kind!r}"}, status=404)
    return web.json_response(await asyncio.to_thread(_folders(request).names, kind))


def _kinds(request: web.Request) -> list[str]:
    """Folders that some node reads from, and those that are there."""
    declared = {folder for node in request.app[REGISTRY].nodes() for folder in node.file_inputs.values()} - {
        INPUTS
    }
    present = (entry.name for root in _folders(request).models if root.is_dir() for entry in root.iterdir())
    return sorted(declared.union(name for name in present if not name.startswith(".")))


async def get_features(request: web.Request) -> web.Response:
    """What this server can do."""
    return web.json_response(features(request.app))


async def extensions(request: web.Request) -> web.Response:
    """Scripts for ComfyUI's own editor: there are none."""
    return web.json_response([])


async def workflow_templates(request: web.Request) -> web.Response:
    """Templates that node packs bring for ComfyUI's own editor: there are none."""
    return web.json_response({})


async def users(request: web.Request) -> web.Response:
    """Who the user is; names of others are nobody's business."""
    name = user_of(request).name
    if await asyncio.to_thread(request.app[TOKENS].any):
        return web.json_response({"storage": "server", "users": {name: name}})
    return web.json_response({"storage": "server", "migrated": True})


async def post_users(request: web.Request) -> web.Response:
    """Users come from tokens, which are made on the server alone."""
    text = "users are made with 'nodegraph token create' on the server"
    return web.json_response({"error": text}, status=403)


async def system_stats(request: web.Request) -> web.Response:
    """The machine, its memory and its devices."""
    workers = await request.app[RUNNER].ask("memory")
    return web.json_response({"system": system_info(), "devices": devices(workers)})


async def free(request: web.Request) -> web.Response:
    """Let go of models; with ``free_memory`` of the results in memory as well."""
    if not user_of(request).admin:
        text = "memory is shared by all users; only an admin's token may free it"
        return web.json_response({"error": text}, status=403)
    body = await json_object(request)
    models, results = switch(body, "unload_models"), switch(body, "free_memory")
    if models or results:
        await request.app[RUNNER].ask("free", results=results)
    return web.json_response({})
