"""``/system``, ``/health``, ``/metrics``, ``/memory`` and the description of it all."""

from __future__ import annotations

import asyncio
import platform
from importlib.metadata import version

from aiohttp import web

from nodegraph.server import keys
from nodegraph.server.docs import docs_page
from nodegraph.server.metrics import CONTENT_TYPE
from nodegraph.server.routes.answers import answer
from nodegraph.server.routes.operation import Call, operation
from nodegraph.server.views import FreeView, HealthView, SystemView
from nodegraph.server.wire import FreeRequest, NoBody, NoQuery

LIMITS = ("max_body", "max_upload", "max_nodes", "max_queued", "max_batch", "max_wait", "max_time_limit")


@operation("GET", "/health", NoQuery, NoBody, {200: HealthView}, open=True)
async def get_health(call: Call[NoQuery, NoBody]) -> web.Response:
    """Tell that the server answers."""
    return answer({"status": "ok"})


@operation("GET", "/system", NoQuery, NoBody, {200: SystemView})
async def get_system(call: Call[NoQuery, NoBody]) -> web.Response:
    """Tell what the server is, its packs, limits and memory."""
    settings = call.service.settings
    packs = [{"name": pack.name, "nodes": len(pack.nodes)} for pack in call.service.registry.packs.values()]
    workers = await call.app[keys.RUNNER].ask("memory")
    return answer(
        {
            "version": version("nodegraph"),
            "python": platform.python_version(),
            "platform": platform.system(),
            "torch": version("torch"),
            "started": call.app[keys.STARTED],
            "user": call.user.name,
            "scopes": sorted(call.user.scopes),
            "packs": packs,
            "limits": {name: getattr(settings, name) for name in LIMITS},
            "worker": workers[0],
        }
    )


@operation("GET", "/metrics", NoQuery, NoBody, {200: "text/plain"}, admin=True)
async def get_metrics(call: Call[NoQuery, NoBody]) -> web.Response:
    """Tell Prometheus."""
    text = await asyncio.to_thread(call.app[keys.METRICS].text)
    return web.Response(body=text, headers={"Content-Type": CONTENT_TYPE})


@operation(
    "POST", "/memory/free", NoQuery, FreeRequest, {200: FreeView}, admin=True, problems=(413, 415, 422)
)
async def free_memory(call: Call[NoQuery, FreeRequest]) -> web.Response:
    """Let go of idle models, and of the results in memory."""
    answers = await call.app[keys.RUNNER].ask("free", **call.body.model_dump())
    return answer({"workers": answers})


@operation("GET", "/openapi.json", NoQuery, NoBody, {200: "application/json"}, open=True)
async def get_openapi(call: Call[NoQuery, NoBody]) -> web.Response:
    """This description, for programs."""
    return answer(await call.service.heavy(lambda: call.app[keys.API].document))


@operation("GET", "/docs", NoQuery, NoBody, {200: "text/html"}, open=True)
async def get_docs(call: Call[NoQuery, NoBody]) -> web.Response:
    """This description, for people."""
    page = await call.service.heavy(lambda: docs_page(call.app[keys.API].document))
    return web.Response(text=page, content_type="text/html")
