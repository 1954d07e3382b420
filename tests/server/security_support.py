"""A small real server behind the guards, and a client that can send whatever an attacker can."""

from __future__ import annotations

import asyncio
import http.client
import io
import json
import ssl
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from aiohttp import web
from PIL import Image

from nodegraph.files import Folders
from nodegraph.jobs.database import Database
from nodegraph.jobs.queue import JobQueue
from nodegraph.jobs.tokens import TokenStore
from nodegraph.registry import NodeRegistry
from nodegraph.server import keys
from nodegraph.server.hub import EventHub
from nodegraph.server.keys import user_of
from nodegraph.server.problems import problem_middleware
from nodegraph.server.routes import outputs, session, uploads
from nodegraph.server.routes.operation import PREFIX, Call, operation
from nodegraph.server.security import middlewares
from nodegraph.server.security.headers import add_headers
from nodegraph.server.security.logs import PathLogger
from nodegraph.server.service import JobService
from nodegraph.server.settings import ServerSettings
from nodegraph.server.wire import NoBody, NoQuery, Request

PATIENCE = 30


class Note(Request):
    """What changes the state of this server."""

    text: str = ""


@operation("POST", "/notes", NoQuery, Note, {200: ""})
async def add_note(call: Call[NoQuery, Note]) -> web.Response:
    """Change something."""
    call.app[NOTES].append(call.body.text)
    return web.json_response({"notes": call.app[NOTES]})


@operation("GET", "/me", NoQuery, NoBody, {200: ""})
async def me(call: Call[NoQuery, NoBody]) -> web.Response:
    """Who asks."""
    return web.json_response({"user": call.user.name, "scopes": sorted(call.user.scopes)})


@operation("POST", "/admin", NoQuery, NoBody, {200: ""}, admin=True)
async def only_admins(call: Call[NoQuery, NoBody]) -> web.Response:
    """Takes the scope admin."""
    return web.json_response({})


@operation("GET", "/health", NoQuery, NoBody, {200: ""}, open=True)
async def health(call: Call[NoQuery, NoBody]) -> web.Response:
    """Takes no token."""
    return web.json_response({"status": "ok"})


async def comfy_prompt(request: web.Request) -> web.Response:
    """As ComfyUI reads prompts: JSON, whatever the request says it is."""
    request.app[NOTES].append(json.loads(await request.read()))
    return web.json_response({})


async def socket(request: web.Request) -> web.WebSocketResponse:
    """Says who is there, then echoes."""
    response = web.WebSocketResponse(max_msg_size=1000)
    await response.prepare(request)
    await response.send_str(user_of(request).name)
    async for message in response:
        await response.send_str(message.data)
    return response


NOTES: web.AppKey[list[Any]] = web.AppKey("notes")
MODULES = (outputs, uploads, session)
OWN = (add_note, me, only_admins, health)
OPERATIONS = [
    found
    for module in MODULES
    for found in vars(module).values()
    if type(found) is type(me) and found.handler.__module__ == module.__name__
]


class Reply(NamedTuple):
    """An answer."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Server:
    """A running server, and what its tests ask of it."""

    def __init__(self, settings: ServerSettings) -> None:
        self.settings = settings
        self.database = Database(settings.database)
        self.tokens = TokenStore(self.database)
        self.queue = JobQueue(self.database)
        self.app = self._app()
        self.port = 0
        self.tls: ssl.SSLContext | None = None

    def _app(self) -> web.Application:
        guards = [problem_middleware, *middlewares(self.settings, self.tokens)]
        app = web.Application(middlewares=guards, client_max_size=self.settings.max_body)
        registry = NodeRegistry()
        app[keys.SETTINGS], app[keys.TOKENS], app[keys.QUEUE] = self.settings, self.tokens, self.queue
        app[keys.REGISTRY], app[NOTES] = registry, []
        app[keys.SERVICE] = JobService(
            self.queue, EventHub(), registry, self.settings, lambda owner: Folders(self.settings.output)
        )
        app.on_response_prepare.append(add_headers)
        for declared in (*OWN, *OPERATIONS):
            app.router.add_route(declared.method, PREFIX + declared.path, declared.__call__)
        app.router.add_post("/prompt", comfy_prompt)
        app.router.add_get("/ws", socket)
        return app

    @property
    def notes(self) -> list[Any]:
        """What requests have changed."""
        return self.app[NOTES]

    def user(self, name: str, *scopes: str) -> dict[str, str]:
        """The headers of a new user."""
        secret = self.tokens.create(f"{name}'s", name, scopes or ("run",))
        return {"Authorization": f"Bearer {secret}"}

    def ask(
        self,
        method: str,
        path: str,
        headers: Iterable[tuple[str, str]] | dict[str, str] = (),
        body: bytes | Any = None,
        *,
        host: str | None = "",
    ) -> Reply:
        """Send a request exactly as given; ``host=None`` leaves that header out."""
        given = list(headers.items() if isinstance(headers, dict) else headers)
        if body is not None and not isinstance(body, bytes):
            body, given = json.dumps(body).encode(), [*given, ("Content-Type", "application/json")]
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        if host is not None:
            connection.putheader("Host", host or f"127.0.0.1:{self.port}")
        for name, value in given:
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        try:
            connection.endheaders(body)
            answer = connection.getresponse()
            return Reply(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def upload(self, name: str, data: bytes, headers: dict[str, str] | None = None, more: str = "") -> Reply:
        """Upload one file as the body."""
        given = {"Content-Type": "application/octet-stream", **(headers or {})}
        return self.ask("POST", f"/api/v1/uploads?name={quote(name, safe='')}{more}", given, data)


@contextmanager
def serving(settings: ServerSettings, tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    """A server on a free port of this machine, in a thread of its own."""
    server = Server(settings)
    with running(server.app, tls) as port:
        server.port = port
        yield server
    server.app[keys.SERVICE].close()
    server.database.close()


@contextmanager
def running(
    app: web.Application, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1"
) -> Iterator[int]:
    """The port of an application that runs in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def do(coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result(PATIENCE)

    runner = web.AppRunner(app, access_log_class=PathLogger, shutdown_timeout=1)
    try:
        do(runner.setup())
        site = web.TCPSite(runner, host, 0, ssl_context=tls)
        do(site.start())
        yield runner.addresses[0][1]
    finally:
        do(runner.cleanup())
        do(loop.shutdown_default_executor())
        loop.call_soon_threadsafe(loop.stop)
        thread.join(PATIENCE)
        loop.close()


def settings_in(folder: Path, **changes: Any) -> ServerSettings:
    """Settings whose folders are all below one."""
    given: dict[str, Any] = {
        "data": folder / "data",
        "output": folder / "output",
        "cache": folder / "cache",
        "plugins": folder / "plugins",
        **changes,
    }
    return ServerSettings(**given)


def picture(
    format: str = "PNG", size: tuple[int, int] = (3, 2), colour: str = "red", **options: Any
) -> bytes:
    """The bytes of a small picture."""
    stream = io.BytesIO()
    Image.new("RGB", size, colour).save(stream, format, **options)
    return stream.getvalue()


def form(*parts: tuple[str, bytes], boundary: str = "edge") -> tuple[dict[str, str], bytes]:
    """A form of raw parts: each the rest of its Content-Disposition line, and its content."""
    lines = [
        f"--{boundary}\r\nContent-Disposition: form-data; {head}\r\n\r\n".encode() + data + b"\r\n"
        for head, data in parts
    ]
    body = b"".join(lines) + f"--{boundary}--\r\n".encode()
    return {"Content-Type": f"multipart/form-data; boundary={boundary}"}, body
