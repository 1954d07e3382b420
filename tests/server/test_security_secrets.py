"""Secrets: what is done with them leaves no trace in logs, histories, events, pictures and stores."""

from __future__ import annotations

import asyncio
import json
import logging
import socketserver
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import pytest
from PIL import Image
from security_support import PATIENCE, WholeServer, serving_all, settings_in
from served import Served

from nodegraph.server import keys
from nodegraph.server.webhooks import webhook_secret

WORKFLOW = {
    "format": "nodegraph",
    "version": 1,
    "nodes": {
        "image": {"type": "EmptyImage", "inputs": {"width": 16, "height": 16}},
        "save": {"type": "SaveImage", "links": {"images": ["image", "image"]}},
    },
}
PROMPT = {
    "1": {"class_type": "EmptyImage", "inputs": {"width": 16, "height": 16}},
    "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "comfy"}},
}
ELSEWHERE = "sk-of-another-service"
IN_ADDRESS = "part-of-a-webhooks-address"


class Receiver(socketserver.StreamRequestHandler):
    """Takes what is sent, and answers nonsense where the address says so."""

    def handle(self) -> None:
        line = self.rfile.readline()
        headers = []
        while (header := self.rfile.readline().strip()) != b"":
            headers.append(header)
        length = next(int(h.split(b":")[1]) for h in headers if h.lower().startswith(b"content-length"))
        body = self.rfile.read(length)
        self.server.got.append(b"\n".join([line, *headers, body]))
        nonsense = b"HTTP/1.1 2x0 \x01\r\n\r\n"
        self.wfile.write(nonsense if b"nonsense" in line else b"HTTP/1.1 204 No Content\r\n\r\n")


@contextmanager
def receiving() -> Iterator[socketserver.ThreadingTCPServer]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Receiver) as server:
        server.got = []
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


class Lived(NamedTuple):
    """A server after a day's work: what it told, what it kept, and what it must never tell or keep."""

    server: WholeServer
    ann: dict[str, str]
    token: str
    secrets: dict[str, str]
    log: str
    told: list[bytes]
    delivered: list[bytes]


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    settings = settings_in(tmp_path_factory.mktemp("secrets"), private_webhooks=True, webhook_attempts=1)
    with log_of_everything() as lines, receiving() as receiver, serving_all(settings) as server:
        ann = server.user("ann")
        token = ann["Authorization"].removeprefix("Bearer ")
        cookie = log_in(server, token)
        told = asyncio.run(a_day(server, token, cookie, receiver.server_address[1]))
        secrets = {
            "token": token,
            "cookie": cookie,
            "webhook secret": webhook_secret(settings.data).decode(),
            "secret of another service": ELSEWHERE,
        }
        yield Lived(server, ann, token, secrets, "\n".join(lines), told, receiver.got)


@contextmanager
def log_of_everything() -> Iterator[list[str]]:
    """Every line that any part of the program logs, however unimportant."""
    lines: list[str] = []

    class Lines(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    root, handler = logging.getLogger(), Lines()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield lines
    finally:
        root.setLevel(level)
        root.removeHandler(handler)


def log_in(server: WholeServer, token: str) -> str:
    reply = server.ask("POST", "/api/v1/session", {"Origin": server.own}, {"token": token})
    assert reply.status == 200 and token not in str(reply)
    return reply.headers["Set-Cookie"].partition(";")[0].partition("=")[2]


async def a_day(server: WholeServer, token: str, cookie: str, port: int) -> list[bytes]:
    """Everything that a client does with its secrets; what the server answers and tells."""
    told: list[bytes] = []
    bearer, page = (
        {"Authorization": f"Bearer {token}"},
        {"Cookie": f"nodegraph_session={cookie}", "Origin": server.own},
    )
    timeout = aiohttp.ClientTimeout(PATIENCE)

    async def ask(method: str, path: str, headers: dict[str, str], body: Any = None) -> None:
        async with session.request(method, path, headers=headers, json=body) as reply:
            told.append(f"{reply.status} {reply.headers}".encode() + await reply.read())

    async with (
        aiohttp.ClientSession(server.own, timeout=timeout) as session,
        session.ws_connect("/api/v1/events", protocols=("nodegraph", f"nodegraph.token.{token}")) as events,
        session.ws_connect(f"/ws?clientId=me&token={token}", headers=page) as comfy,
    ):
        hook = f"http://127.0.0.1:{port}/{IN_ADDRESS}"
        jobs = [
            {"workflow": WORKFLOW, "webhook": hook, "label": "by token"},
            {"workflow": WORKFLOW, "webhook": f"{hook}/nonsense", "label": "its webhook is never taken"},
        ]
        for body, headers in zip(jobs, (bearer, page), strict=True):
            await ask("POST", "/api/v1/jobs?wait=60", headers, body)
        extra = {"api_key_comfy_org": ELSEWHERE, "auth_token_comfy_org": ELSEWHERE}
        await ask("POST", "/prompt", bearer, {"prompt": PROMPT, "client_id": "me", "extra_data": extra})
        await ask("GET", f"/api/v1/jobs?token={token}", {})
        await ask("GET", f"/api/v1/jobs?access_token={token}", bearer)
        await ask("GET", f"/nowhere?x={token}", bearer)
        await ask("POST", "/api/v1/jobs", bearer, {"workflow": {"format": "nodegraph"}})
        await ask("POST", "/api/v1/session", {}, {"token": token, "more": token})
        await ask("GET", "/api/v1/jobs", {"Authorization": f"Basic {token}"})
        await ask("GET", "/api/v1/jobs", {"Authorization": f"Bearer {token}x"})
        await ask("GET", "/api/v1/jobs", {"Cookie": f"nodegraph_session={cookie}x"})
        async for message in events:
            told.append(message.data.encode() if isinstance(message.data, str) else message.data)
            if (
                message.data
                and told[-1].count(b"job_finished")
                and sum(b"job_finished" in m for m in told) == 3
            ):
                break
        async for message in comfy:
            told.append(message.data.encode() if isinstance(message.data, str) else message.data)
            if b'"node": null' in told[-1]:
                break
        async with asyncio.timeout(PATIENCE):
            while server.app[keys.WEBHOOKS].next_due() is not None:
                await asyncio.sleep(0.01)
    return told


# --- what the day has left -------------------------------------------------------------------------------


def assert_none_in(lived: Lived, text: bytes, *but: str) -> None:
    for name, secret in lived.secrets.items():
        assert name in but or secret.encode() not in text, f"the {name} is in {text[:200]!r}"


def test_the_day_was_full(lived: Lived) -> None:
    assert [delivery.count(b"Nodegraph-Signature") for delivery in lived.delivered] == [1, 1]
    assert sum(b"job_finished" in text for text in lived.told) >= 3
    assert "GET /api/v1/jobs" in lived.log and "is given up after" in lived.log


def test_no_secret_is_logged(lived: Lived) -> None:
    assert_none_in(lived, lived.log.encode())


def test_the_address_of_a_webhook_is_not_logged(lived: Lived) -> None:
    assert IN_ADDRESS not in lived.log


def test_no_secret_is_told_in_answers_and_events(lived: Lived) -> None:
    for text in lived.told:
        assert_none_in(lived, text.replace(lived.token.encode() + b"x", b""))


@pytest.mark.parametrize(
    "path",
    ["/api/v1/jobs", "/api/v1/queue", "/history", "/queue", "/api/jobs", "/api/v1/system", "/settings",
     "/system_stats", "/users", "/api/v1/openapi.json"],
)  # fmt: skip
def test_no_secret_is_in_what_is_remembered(lived: Lived, path: str) -> None:
    assert_none_in(lived, lived.server.ask("GET", path, lived.ann).body)


def test_no_secret_is_in_the_workflows_and_past_events_of_jobs(lived: Lived) -> None:
    jobs = lived.server.ask("GET", "/api/v1/jobs", lived.ann).json["jobs"]
    assert len(jobs) == 3
    for job in jobs:
        for more in ("", "/workflow", "/events"):
            reply = lived.server.ask("GET", f"/api/v1/jobs/{job['id']}{more}", lived.ann)
            assert reply.status == 200
            assert_none_in(lived, reply.body)


def test_no_secret_is_in_a_picture(lived: Lived) -> None:
    pictures = list(lived.server.settings.output.rglob("*.png"))
    assert len(pictures) >= 2
    for path in pictures:
        assert_none_in(lived, path.read_bytes())
        with Image.open(path) as image:
            assert "nodegraph" in image.text
            assert_none_in(lived, json.dumps(image.text).encode())


def test_no_secret_is_in_a_file_of_the_server(lived: Lived) -> None:
    files = [path for path in lived.server.settings.data.parent.rglob("*") if path.is_file()]
    assert any(path.name == "jobs.sqlite" for path in files)
    for path in files:
        assert_none_in(
            lived, path.read_bytes(), *(["webhook secret"] if path.name == "webhook-secret" else [])
        )


def test_no_secret_is_in_the_database(lived: Lived) -> None:
    with sqlite3.connect(lived.server.settings.database) as db:
        dump = "\n".join(db.iterdump())
    db.close()
    assert_none_in(lived, dump.encode())


def test_no_secret_is_sent_with_a_webhook(lived: Lived) -> None:
    for delivery in lived.delivered:
        assert_none_in(lived, delivery)


def test_the_webhook_secret_is_its_owners_alone(lived: Lived) -> None:
    assert (lived.server.settings.data / "webhook-secret").stat().st_mode & 0o077 == 0


# --- a real process --------------------------------------------------------------------------------------


def command(folder: Path, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "nodegraph", *words],
        env=Served(folder).environment,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_first_token_is_printed_once_and_written_nowhere(tmp_path: Path) -> None:
    served = Served(tmp_path, "--host", "0.0.0.0").start()
    try:
        token = served.first_token()
        served.headers = {"Authorization": f"Bearer {token}"}
        assert served.submit(WORKFLOW["nodes"], wait=60)["state"] == "done"
        assert served.ask("GET", f"/api/v1/jobs?token={token}").status == 400
    finally:
        served.end()
    again = Served(tmp_path, "--host", "0.0.0.0").start()
    assert again.process is not None and again.process.stdout is not None
    again.process.send_signal(2)
    assert "token" not in again.process.stdout.read()
    again.end()
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or token.encode() not in path.read_bytes(), path
    assert token not in command(tmp_path, "token", "list")


def test_no_list_of_processes_tells_a_secret(tmp_path: Path) -> None:
    """Arguments and environment of a process are there to be read by other programs of the same user."""
    served = Served(tmp_path, "--host", "0.0.0.0").start()
    try:
        token = served.first_token()
        served.headers = {"Authorization": f"Bearer {token}"}
        assert served.submit(WORKFLOW["nodes"], wait=60)["state"] == "done"
        assert served.process is not None
        children = Path(f"/proc/{served.process.pid}/task/{served.process.pid}/children").read_text().split()
        assert children, "the worker is a process of its own"
        for pid in (str(served.process.pid), *children):
            for kind in ("cmdline", "environ"):
                assert token.encode() not in Path(f"/proc/{pid}/{kind}").read_bytes()
    finally:
        served.end()
