"""ComfyUI's HTTP and WebSocket interface, for the clients and scripts that speak it.

``/api/v1`` is our own interface. Both work on the same jobs.
"""

from __future__ import annotations

from functools import partial

from aiohttp import web
from aiohttp.typedefs import Handler

from nodegraph.errors import NodeGraphError
from nodegraph.server.comfy import history, jobs, prompt, queue, system, upload, user_settings, userdata, view
from nodegraph.server.comfy.relay import RELAY, Relay, relay_context
from nodegraph.server.comfy.requests import BadRequestError
from nodegraph.server.comfy.websocket import websocket
from nodegraph.server.problems import as_problem

ROUTES: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "/ws", websocket),
    ("GET", "/prompt", prompt.get_prompt),
    ("POST", "/prompt", prompt.post_prompt),
    ("GET", "/queue", queue.get_queue),
    ("POST", "/queue", queue.post_queue),
    ("POST", "/interrupt", queue.post_interrupt),
    ("GET", "/history", history.get_history),
    ("POST", "/history", history.post_history),
    ("GET", "/history/{prompt_id}", history.get_one),
    ("GET", "/object_info", system.object_info),
    ("GET", "/object_info/{node_class}", system.one_object_info),
    ("GET", "/view", view.get_view),
    ("POST", "/upload/image", upload.upload_image),
    ("POST", "/upload/mask", upload.upload_mask),
    ("GET", "/system_stats", system.system_stats),
    ("GET", "/embeddings", system.embeddings),
    ("GET", "/models", system.model_folders),
    ("GET", "/models/{folder}", system.models),
    ("GET", "/features", system.get_features),
    ("GET", "/extensions", system.extensions),
    ("GET", "/workflow_templates", system.workflow_templates),
    ("POST", "/free", system.free),
    ("GET", "/users", system.users),
    ("POST", "/users", system.post_users),
    ("GET", "/settings", user_settings.get_settings),
    ("POST", "/settings", user_settings.post_settings),
    ("GET", "/settings/{id}", user_settings.get_setting),
    ("POST", "/settings/{id}", user_settings.post_setting),
    ("GET", "/userdata", userdata.list_files),
    ("GET", "/v2/userdata", userdata.list_entries),
    ("GET", "/userdata/{file}", userdata.get_file),
    ("POST", "/userdata/{file}", userdata.post_file),
    ("DELETE", "/userdata/{file}", userdata.delete_file),
    ("POST", "/userdata/{file}/move/{dest}", userdata.move_file),
    ("GET", "/jobs", jobs.get_jobs),
    ("POST", "/jobs/cancel", jobs.cancel_jobs),
    ("GET", "/jobs/{job_id}", jobs.get_job),
    ("POST", "/jobs/{job_id}/cancel", jobs.cancel_job),
)
"""Every route; each is there under ``/api`` too, and ``/jobs`` only there."""


def add_comfy_routes(app: web.Application) -> None:
    """Let an application speak ComfyUI's interface. Call it before the parts that run jobs are added."""
    app[RELAY] = Relay(app)
    app.cleanup_ctx.append(relay_context)
    app.on_shutdown.append(_let_go)
    for method, path, handler in ROUTES:
        guarded = _answering(handler)
        add = app.router.add_get if method == "GET" else partial(app.router.add_route, method)
        for prefix in ("/api",) if path.startswith("/jobs") else ("", "/api"):
            add(prefix + path, guarded)


async def _let_go(app: web.Application) -> None:
    app[RELAY].clients.close()


def _answering(handler: Handler) -> Handler:
    async def guarded(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except BadRequestError as refused:
            return refused.response
        except NodeGraphError as error:
            problem = as_problem(error)
            return BadRequestError(problem.code, problem.detail, status=problem.status).response

    return guarded
