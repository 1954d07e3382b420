"""Workflows and requests that want more than nodes that are there: other machines, programs, new nodes."""

from __future__ import annotations

import http.server
import os
import pickle
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from security_support import WholeServer, serving_all, settings_in, socket_to

from nodegraph.locations import editor_folder
from nodegraph.server import keys


class Site(http.server.BaseHTTPRequestHandler):
    """A neighbour that notes who asks."""

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.send_response(204)
        self.end_headers()

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def site() -> Iterator[http.server.ThreadingHTTPServer]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
    server.asked = []
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


class Evil:
    """Makes a file when it is unpickled."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.trace),)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WholeServer]:
    folder = tmp_path_factory.mktemp("jobs")
    checkpoints = folder / "models" / "checkpoints"
    evil = pickle.dumps(Evil(folder / "unpickled"))
    diffusers = checkpoints / "evil"
    for part in ("unet", "vae", "text_encoder"):
        (diffusers / part).mkdir(parents=True)
        (diffusers / part / "config.json").write_text("{}")
        (diffusers / part / "diffusion_pytorch_model.bin").write_bytes(evil)
    index = '{"_class_name": "StableDiffusionPipeline", "unet": ["diffusers", "UNet2DConditionModel"]}'
    (diffusers / "model_index.json").write_text(index)
    for name in ("evil.ckpt", "evil.pt", "evil.safetensors"):
        (checkpoints / name).write_bytes(evil)
    settings = settings_in(
        folder,
        models=(folder / "models",),
        private_webhooks=False,
        webhook_backoff=3600.0,  # so that no second try changes the database while a test looks at it
    )
    with serving_all(settings) as server:
        yield server


# --- other machines --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{port}/",
        "http://localhost:{port}/",
        "http://[::ffff:7f00:1]:{port}/",
        "http://[64:ff9b::7f00:1]:{port}/",
        "http://[2002:7f00:1::]:{port}/",
        "http://2130706433:{port}/",
        "http://0177.0.0.1:{port}/",
        "http://127.1:{port}/",
        "http://0:{port}/",
        "http://user:pass@127.0.0.1:{port}/",
        "http://169.254.169.254/latest/meta-data/",
        "http://[fd00:ec2::254]/latest/meta-data/",
        "file:///etc/passwd",
        "http:///etc/passwd",
        "http://127.0.0.1:{port}#@example.org/",
        "http://example.org@127.0.0.1:{port}/",
        "http://\u0031\u0032\u0037.0.0.1:{port}/",
        "http://\uff11\uff12\uff17.0.0.1:{port}/",
        "http://127\u30020.0.1:{port}/",
    ],
)
def test_a_job_asks_no_machine_that_is_not_public(server: WholeServer, site, url: str) -> None:
    nodes = {
        "load": {"type": "LoadImageFromUrl", "inputs": {"url": url.format(port=site.server_port)}},
        "save": {"type": "PreviewImage", "links": {"images": ["load", "image"]}},
    }
    job = server.submit(nodes).json
    assert job["state"] == "failed"
    assert job["result"]["errors"][0]["node"] == "load"
    assert site.asked == []


PICTURE = {
    "image": {"type": "EmptyImage", "inputs": {"width": 8, "height": 8}},
    "save": {"type": "PreviewImage", "links": {"images": ["image", "image"]}},
}


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://example.org/",
        "//example.org/",
        "javascript:alert(1)",
        "",
        "http://",
        "http://a b/",
        "x" * 3000,
        "gopher://127.0.0.1/",
    ],
)
def test_a_webhook_has_an_address_of_the_web(server: WholeServer, url: str) -> None:
    assert server.submit(PICTURE, webhook=url).status == 422


def test_a_webhook_asks_no_machine_that_is_not_public(server: WholeServer, site) -> None:
    port = site.server_port
    for host in ("127.0.0.1", "localhost", "[::ffff:127.0.0.1]"):
        assert server.submit(PICTURE, webhook=f"http://{host}:{port}/x").json["state"] == "done"
    store, attempts = server.app[keys.WEBHOOKS], 3
    while attempts:  # each job's delivery is tried once at once, and is put off
        attempts = sum(delivery.attempts == 0 for delivery in store.due(float("inf")))
    assert site.asked == []


# --- programs --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["evil", "evil.ckpt", "evil.pt", "evil.safetensors", "../checkpoints/evil"])
def test_a_pickled_model_is_not_loaded(server: WholeServer, name: str) -> None:
    nodes = {
        "model": {"type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": name}},
        "text": {"type": "CLIPTextEncode", "inputs": {"text": "x"}, "links": {"clip": ["model", "clip"]}},
        "latent": {"type": "EmptyLatentImage", "inputs": {"width": 64, "height": 64}},
        "sample": {
            "type": "KSampler",
            "inputs": {"steps": 1},
            "links": {
                "model": ["model", "model"],
                "positive": ["text", "conditioning"],
                "negative": ["text", "conditioning"],
                "latent_image": ["latent", "latent"],
            },
        },
        "decode": {
            "type": "VAEDecode",
            "links": {"samples": ["sample", "latent"], "vae": ["model", "vae"]},
        },
        "save": {"type": "PreviewImage", "links": {"images": ["decode", "image"]}},
    }
    reply = server.submit(nodes)
    assert reply.status == 422 or reply.json["state"] == "failed"
    assert not (server.settings.data.parent / "unpickled").exists()


@pytest.mark.parametrize(
    "type",
    [
        "os.system",
        "builtins.eval",
        "__import__",
        "nodes.images.nodes",
        "../plugins/x",
        "subgraph/",
        "subgraph/../x",
        "eval",
        "",
        "KSampler\0",
        "a" * 5000,
    ],
)
def test_a_node_type_is_one_that_is_there(server: WholeServer, type: str) -> None:
    reply = server.submit({"a": {"type": type, "inputs": {"x": "__import__('os').system('true')"}}})
    assert reply.status == 422


# --- new nodes -------------------------------------------------------------------------------------------

INSTALLING = [
    "/manager/queue/install", "/api/manager/queue/install", "/customnode/install", "/api/customnode/install",
    "/customnode/install/git_url", "/customnode/install/pip", "/api/v2/manager/queue/task", "/manager/reboot",
    "/snapshot/restore", "/externalmodel/install", "/api/v1/plugins", "/api/v1/nodes", "/api/v1/packs",
    "/plugins", "/extensions", "/object_info", "/models/checkpoints", "/api/v1/models/checkpoints",
]  # fmt: skip


@pytest.mark.parametrize("path", INSTALLING)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_no_request_installs_nodes(server: WholeServer, method: str, path: str) -> None:
    assert server.ask(method, path, (), {"url": "https://example.org/pack.git", "id": "x"}).status in (
        404,
        405,
    )


def test_no_file_that_is_brought_becomes_a_node(server: WholeServer) -> None:
    known = set(server.app[keys.REGISTRY].ids())
    code = b"from nodegraph import node\n\n@node()\ndef Evil(x: int = 0) -> int:\n    return x\n"
    server.upload("evil.py", code)
    server.upload("evil.txt", code, more="&subfolder=../../plugins")
    server.upload("evil.txt", code, more="&subfolder=plugins")
    for name in ("evil.py", "plugins%2fevil.py", "..%2f..%2f..%2f..%2fplugins%2fevil.py"):
        server.ask("POST", f"/userdata/{name}", (), code)
    plugins = server.settings.plugins
    assert not plugins.exists() or not list(plugins.iterdir())
    assert set(server.app[keys.REGISTRY].ids()) == known
    assert server.submit({"a": {"type": "evil.Evil"}}).status == 422


def test_no_route_changes_what_the_server_is(server: WholeServer) -> None:
    """Whoever adds a route that changes something looks at this list, and at what it lets people do."""
    routes = {
        (route.method, route.resource.canonical) for route in server.app.router.routes() if route.resource
    }
    changing = {path for method, path in routes if method not in ("GET", "HEAD")}
    words = (
        "jobs",
        "queue",
        "upload",
        "session",
        "validate",
        "memory",
        "prompt",
        "interrupt",
        "history",
        "free",
        "users",
        "settings",
        "userdata",
        "plan",
        "workflows",
    )
    assert all(any(word in path for word in words) for path in changing), changing


# --- looking ---------------------------------------------------------------------------------------------


def looks(server: WholeServer) -> list[str]:
    """A path for each route that is looked at; streams are apart."""
    canonical = {
        route.resource.canonical
        for route in server.app.router.routes()
        if route.resource and route.method == "GET"
    }
    made = (path.replace("{", "").replace("}", "") for path in canonical if "events" not in path)
    return sorted(made)


def everything(server: WholeServer) -> tuple[list[str], set[Path]]:
    """What is in the database, and which files there are."""
    with sqlite3.connect(f"file:{server.settings.database}?mode=ro", uri=True) as db:
        rows = [line for line in db.iterdump() if "sqlite_sequence" not in line]
    db.close()
    root = server.settings.data.parent
    return rows, {path for path in root.rglob("*") if "sqlite" not in path.name and "cache" not in path.parts}


def test_nothing_changes_by_looking(server: WholeServer) -> None:
    job = server.submit(PICTURE).json["id"]
    server.upload("seen.txt", b"words")
    server.ask("POST", "/userdata/seen.json", (), b"{}")
    before, paths = everything(server), looks(server)
    assert len(paths) > 40
    override = {"X-HTTP-Method-Override": "DELETE", "X-HTTP-Method": "POST", "X-Method-Override": "POST"}
    for path in [
        *paths,
        f"/api/v1/jobs/{job}",
        f"/history/{job}",
        "/userdata/seen.json",
        "/api/v1/uploads/seen.txt",
    ]:
        for query in ("", "?_method=DELETE", "?clear=true&delete=seen.txt&overwrite=true&front=true"):
            for method in ("GET", "HEAD"):
                server.ask(method, path + query, override)
    assert everything(server) == before


CHANGES = [
    "/api/v1/queue/pause",
    "/api/v1/queue/resume",
    "/api/v1/memory/free",
    "/api/v1/validate",
    "/interrupt",
    "/free",
    "/upload/image",
    "/api/jobs/cancel",
    "/api/v1/jobs/batch",
    "/api/v1/jobs/x/cancel",
]


@pytest.mark.parametrize("path", CHANGES)
def test_what_changes_something_is_not_looked_at(server: WholeServer, path: str) -> None:
    assert server.ask("GET", path).status in (404, 405)


def test_without_a_token_nothing_is_told(tmp_path: Path) -> None:
    opened = {"/api/v1/health", "/api/v1/openapi.json", "/api/v1/docs", "/api/v1/session"}
    editor = {"/", "/assets/path", *(f"/{path.name}" for path in editor_folder().glob("*.*"))}
    with serving_all(settings_in(tmp_path)) as server:
        server.user("ann")
        routes = {
            (route.method, route.resource.canonical.replace("{", "").replace("}", ""))
            for route in server.app.router.routes()
            if route.resource
        }
        shut = [(method, path) for method, path in routes if path not in opened | editor]
        assert len(shut) > 80
        for method, path in shut:
            body = {} if method == "POST" else None
            assert server.ask(method, path, (), body).status == 401, (method, path)
        for path in sorted(opened - {"/api/v1/session"}):
            assert server.ask("GET", path).status == 200


def test_a_stream_is_told_to_nobody_without_a_token(tmp_path: Path) -> None:
    with serving_all(settings_in(tmp_path)) as server:
        server.user("ann")
        for path in ("/api/v1/events", "/api/v1/jobs/x/events", "/ws"):
            for upgrade in ("", "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"):  # fmt: skip
                with socket_to(server.port) as connection:
                    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{upgrade}\r\n".encode())
                    assert connection.recv(64).split(b" ")[1] == b"401"
