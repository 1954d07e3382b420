"""A small real server behind the guards, and a client that can send whatever an attacker can."""

from __future__ import annotations

import asyncio
import http.client
import io
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
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
from nodegraph.server.app import make_app
from nodegraph.server.hub import EventHub
from nodegraph.server.keys import user_of
from nodegraph.server.listening import http_runner
from nodegraph.server.problems import problem_middleware
from nodegraph.server.routes import outputs, session, uploads
from nodegraph.server.routes.operation import PREFIX, Call, operation
from nodegraph.server.security import middlewares
from nodegraph.server.security.headers import add_headers
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


async def echo(request: web.Request) -> web.WebSocketResponse:
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


def assert_readable(reply: Reply) -> None:
    """Whether a refusal says why, in words and to programs, and nothing of how the server is made.

    What aiohttp cannot read as HTTP it refuses by itself, with plain text.
    """
    if reply.status < 400 or reply.headers["Server"] != "nodegraph":
        return
    assert reply.status != 500, reply
    assert not any(word in reply.body for word in (b"Traceback", b"site-packages", b'File "'))
    if reply.headers["Content-Type"].startswith("application/problem+json"):
        told = reply.json
        assert told["status"] == reply.status and told["code"] and told["title"]
        assert len(told["detail"]) > 10, told
    else:  # ComfyUI's form
        error = reply.json["error"]
        assert (error["message"] and error["type"]) if isinstance(error, dict) else error


class Target:
    """A running server as its tests attack it."""

    def __init__(self, settings: ServerSettings, app: web.Application, tokens: TokenStore) -> None:
        self.settings, self.app, self.tokens = settings, app, tokens
        self.port = 0

    @property
    def own(self) -> str:
        """The origin of its own pages."""
        return f"http://127.0.0.1:{self.port}"

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
            reply = Reply(answer.status, answer.headers, answer.read())
        finally:
            connection.close()
        if method != "HEAD":
            assert_readable(reply)
        return reply

    def raw(self, data: bytes) -> Reply:
        """Send bytes; the first answer to them."""
        with socket_to(self.port) as connection:
            connection.sendall(data)
            answer = http.client.HTTPResponse(connection)
            answer.begin()
            reply = Reply(answer.status, answer.headers, answer.read())
        assert_readable(reply)
        return reply

    def upload(self, name: str, data: bytes, headers: dict[str, str] | None = None, more: str = "") -> Reply:
        """Upload one file as the body."""
        given = {"Content-Type": "application/octet-stream", **(headers or {})}
        return self.ask("POST", f"/api/v1/uploads?name={quote(name, safe='')}{more}", given, data)


def socket_to(port: int) -> socket.socket:
    """A connection to a port of this machine."""
    return socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)


class Server(Target):
    """The guards, files and sessions of a server, with a few operations to get at, and no worker."""

    def __init__(self, settings: ServerSettings) -> None:
        self.database = Database(settings.database)
        self.queue = JobQueue(self.database)
        self.settings, self.tokens = settings, TokenStore(self.database)
        super().__init__(settings, self._app(), self.tokens)

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
        app.router.add_get("/ws", echo)
        return app

    @property
    def notes(self) -> list[Any]:
        """What requests have changed."""
        return self.app[NOTES]


class WholeServer(Target):
    """A server with all that it has, its worker included."""

    def __init__(self, settings: ServerSettings) -> None:
        registry = NodeRegistry.with_plugins(settings.plugins)
        app = make_app(settings, registry)
        super().__init__(settings, app, app[keys.TOKENS])

    def submit(self, nodes: dict[str, Any], headers: dict[str, str] | None = None, **more: Any) -> Reply:
        """Queue a workflow of these nodes, and wait for its end."""
        workflow = {"format": "nodegraph", "version": 1, "nodes": nodes}
        return self.ask("POST", "/api/v1/jobs?wait=60", headers or {}, {"workflow": workflow, **more})


@contextmanager
def serving_all(settings: ServerSettings, tls: ssl.SSLContext | None = None) -> Iterator[WholeServer]:
    """A whole server on a free port of this machine, in a thread of its own."""
    server = WholeServer(settings)
    with running(server.app, tls) as port:
        server.port = port
        yield server


@contextmanager
def serving(
    settings: ServerSettings,
    tls: ssl.SSLContext | None = None,
    add: Callable[[web.Application], None] | None = None,
) -> Iterator[Server]:
    """A server on a free port of this machine, in a thread of its own; ``add`` gives it further routes."""
    server = Server(settings)
    if add is not None:
        add(server.app)
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

    runner = http_runner(app, shutdown_timeout=1)
    try:
        do(runner.setup())
        site = web.TCPSite(runner, host, 0, ssl_context=tls)
        do(site.start())
        yield runner.addresses[0][1]
    finally:
        do(runner.cleanup())
        do(_end_the_rest())
        do(loop.shutdown_default_executor())
        loop.call_soon_threadsafe(loop.stop)
        thread.join(PATIENCE)
        loop.close()


async def _end_the_rest() -> None:
    """Connections that were left in the middle of something."""
    rest = asyncio.all_tasks() - {asyncio.current_task()}
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)


def settings_in(folder: Path, **changes: Any) -> ServerSettings:
    """Settings whose folders are all below one."""
    given: dict[str, Any] = {
        "data": folder / "data",
        "output": folder / "output",
        "cache": folder / "cache",
        "plugins": folder / "plugins",
        "device": "cpu",
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


def saving(color: str, prefix: str = "x") -> dict[str, Any]:
    """Nodes that save a picture of one colour."""
    return {
        "image": {"type": "EmptyImage", "inputs": {"width": 16, "height": 16, "color": color}},
        "save": {
            "type": "SaveImage",
            "inputs": {"filename_prefix": prefix},
            "links": {"images": ["image", "image"]},
        },
    }


def file_of(job: dict[str, Any]) -> dict[str, Any]:
    """What is told of the file that a job of ``saving`` wrote."""
    [entries] = job["result"]["outputs"]["save"].values()
    return entries[0]["file"]


def workflow(nodes: dict[str, Any]) -> dict[str, Any]:
    """A workflow of these nodes."""
    return {"format": "nodegraph", "version": 1, "nodes": nodes}
