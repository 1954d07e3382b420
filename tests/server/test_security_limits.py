"""How much and how fast: every limit of the settings, met by one request too many."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from security_support import (
    PATIENCE,
    Server,
    WholeServer,
    form,
    picture,
    serving,
    serving_all,
    settings_in,
)

from nodegraph.server import keys
from nodegraph.server.problems import Problem
from nodegraph.server.security.limits import TokenBuckets

NODES = {
    "image": {"type": "EmptyImage", "inputs": {"width": 16, "height": 16}},
    "save": {"type": "SaveImage", "links": {"images": ["image", "image"]}},
}
WORKFLOW = {"format": "nodegraph", "version": 1, "nodes": NODES}
PROMPT = {
    "1": {"class_type": "EmptyImage", "inputs": {"width": 16, "height": 16}},
    "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0]}},
}
LIMITS = {
    "max_queued": 3,
    "max_batch": 2,
    "max_nodes": 4,
    "max_wait": 0.1,
    "max_time_limit": 100.0,
    "max_sockets": 3,
    "max_files": 3,
    "max_body": 20_000,
    "max_upload": 30_000,
    "max_pixels": 1000,
    "upload_idle": 0.3,
    "keep_jobs": 2,
    "prune_every": 0.1,
    "heartbeat": 0.05,
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WholeServer]:
    with serving_all(settings_in(tmp_path_factory.mktemp("limits"), **LIMITS)) as server:
        server.app[keys.QUEUE].pause()
        yield server


@pytest.fixture
def ann(server: WholeServer) -> Iterator[dict[str, str]]:
    """A user, whose jobs are taken back afterwards."""
    secret = server.tokens.create(f"token {time.monotonic_ns()}", "ann", {"run"})
    yield {"Authorization": f"Bearer {secret}"}
    server.app[keys.QUEUE].cancel_waiting()


def submit(server: WholeServer, user: dict[str, str], **more: Any) -> int:
    return server.ask("POST", "/api/v1/jobs", user, {"workflow": WORKFLOW, **more}).status


# --- jobs ------------------------------------------------------------------------------------------------


def test_a_user_may_have_so_many_jobs_wait(server: WholeServer, ann) -> None:
    assert [submit(server, ann) for _ in range(3)] == [201] * 3
    refusal = server.ask("POST", "/api/v1/jobs", ann, {"workflow": WORKFLOW})
    assert (refusal.status, refusal.json["code"]) == (429, "queue_full")
    assert "up to 3" in refusal.json["detail"] and int(refusal.headers["Retry-After"]) > 0
    assert server.ask("POST", "/prompt", ann, {"prompt": PROMPT}).status == 429
    assert submit(server, server.user("bob")) == 201, "what one user does leaves room for the others"
    [first, *_] = server.ask("GET", "/api/v1/queue", ann).json["waiting"]
    assert server.ask("POST", f"/api/v1/jobs/{first['id']}/cancel", ann).status == 200
    assert submit(server, ann) == 201


def test_of_a_batch_that_does_not_fit_nothing_is_queued(server: WholeServer, ann) -> None:
    assert [submit(server, ann) for _ in range(2)] == [201] * 2
    batch = {"workflow": WORKFLOW, "variants": [{"image.width": 8}, {"image.width": 9}]}
    assert server.ask("POST", "/api/v1/jobs/batch", ann, batch).status == 429
    assert server.ask("GET", "/api/v1/queue", ann).json["counts"]["queued"] == 2


def test_a_request_that_is_sent_again_is_answered_though_the_queue_is_full(server: WholeServer, ann) -> None:
    keyed = {**ann, "Idempotency-Key": "k"}
    first = server.ask("POST", "/api/v1/jobs", keyed, {"workflow": WORKFLOW})
    assert [submit(server, ann) for _ in range(3)] == [201, 201, 429]
    again = server.ask("POST", "/api/v1/jobs", keyed, {"workflow": WORKFLOW})
    assert (again.status, again.json.get("id")) == (200, first.json["id"]), again.json


def test_jobs_that_come_at_once_are_counted_together(server: WholeServer, ann) -> None:
    async def send(session: aiohttp.ClientSession) -> int:
        async with session.post("/api/v1/jobs", json={"workflow": WORKFLOW}, headers=ann) as reply:
            return reply.status

    async def send_all() -> list[int]:
        async with aiohttp.ClientSession(server.own) as session:
            return await asyncio.gather(*(send(session) for _ in range(12)))

    assert sorted(asyncio.run(send_all())) == [201] * 3 + [429] * 9


@pytest.mark.parametrize("count", [3, 200])
def test_a_batch_has_so_many_jobs(server: WholeServer, ann, count: int) -> None:
    batch = {"workflow": WORKFLOW, "variants": [{"image.width": 8}] * count}
    assert server.ask("POST", "/api/v1/jobs/batch", ann, batch).status == 422


def many_nodes() -> dict[str, Any]:
    return {**WORKFLOW, "nodes": {**NODES, **{f"n{i}": NODES["image"] for i in range(3)}}}


def doubling() -> dict[str, Any]:
    """A workflow of a few lines that unfolds to 2^40 nodes."""
    levels = {f"s{i}": {"nodes": {name: {"type": f"subgraph/s{i + 1}"} for name in "ab"}} for i in range(40)}
    subgraphs = {**levels, "s40": {"nodes": {"a": NODES["image"]}}}
    return {**WORKFLOW, "nodes": {"a": {"type": "subgraph/s0"}}, "subgraphs": subgraphs}


@pytest.mark.parametrize("workflow", [many_nodes(), doubling()], ids=["many", "doubling"])
def test_a_workflow_has_so_many_nodes(server: WholeServer, ann, workflow: dict[str, Any]) -> None:
    reply = server.ask("POST", "/api/v1/jobs", ann, {"workflow": workflow})
    assert (reply.status, reply.json["issues"][0]["code"]) == (422, "too_large")
    checked = server.ask("POST", "/api/v1/validate", ann, {"workflow": workflow})
    assert checked.json["valid"] is False


def test_a_prompt_has_so_many_nodes(server: WholeServer, ann) -> None:
    prompt = {**PROMPT, **{f"n{i}": {**PROMPT["2"], "inputs": {"images": ["1", 0]}} for i in range(3)}}
    assert server.ask("POST", "/prompt", ann, {"prompt": prompt}).status == 400


@pytest.mark.parametrize("limit", [101, 1e9, 1e10, 0, -1])
def test_a_job_may_ask_for_so_much_time(server: WholeServer, ann, limit: float) -> None:
    assert submit(server, ann, time_limit=limit) == 422


def test_a_request_waits_no_longer_than_it_may(server: WholeServer, ann) -> None:
    """The queue is paused, so the job never ends: without a limit the answer would not come."""
    reply = server.ask("POST", "/api/v1/jobs?wait=86400", ann, {"workflow": WORKFLOW})
    assert (reply.status, reply.json["state"]) == (201, "queued")
    assert server.ask("GET", f"/api/v1/jobs/{reply.json['id']}?wait=86400", ann).json["state"] == "queued"


def test_ended_jobs_are_forgotten_but_for_the_last(server: WholeServer, ann) -> None:
    for _ in range(4):
        assert submit(server, ann) == 201
        server.ask("POST", "/queue", ann, {"clear": True})
    deadline = time.monotonic() + PATIENCE
    while len(server.ask("GET", "/api/v1/jobs", ann).json["jobs"]) > 2:
        assert time.monotonic() < deadline


# --- event streams ---------------------------------------------------------------------------------------


def test_a_user_may_hold_so_many_streams_of_all_kinds_together(server: WholeServer, ann) -> None:
    bob, job = server.user("bob2"), server.ask("POST", "/api/v1/jobs", ann, {"workflow": WORKFLOW}).json["id"]

    async def connect(
        stack: ExitStack, session: aiohttp.ClientSession, path: str, user: dict[str, str]
    ) -> int:
        if path == "/api/v1/events":
            reply = await session.get(path, headers=user)
            stack.callback(reply.close)
            return reply.status
        try:
            socket = await session.ws_connect(path, headers=user)
        except aiohttp.WSServerHandshakeError as refusal:
            return refusal.status
        stack.callback(lambda: asyncio.ensure_future(socket.close()))
        return 200

    async def talk() -> None:
        async with aiohttp.ClientSession(server.own, timeout=aiohttp.ClientTimeout(PATIENCE)) as session:
            paths = ("/ws", "/api/v1/events", f"/api/v1/jobs/{job}/events")
            with ExitStack() as stack:
                assert [await connect(stack, session, path, ann) for path in paths] == [200] * 3
                assert [await connect(stack, session, path, ann) for path in paths] == [429] * 3
                assert [await connect(stack, session, path, bob) for path in paths] == [200, 200, 404]
            with ExitStack() as stack:
                async with asyncio.timeout(PATIENCE):  # the server sees that they are gone by their next beat
                    while await connect(stack, session, "/api/v1/events", ann) != 200:
                        await asyncio.sleep(0.01)

    asyncio.run(talk())


@pytest.mark.parametrize(("path", "size"), [("/ws", 1 << 17), ("/api/v1/events", 1 << 17)])
def test_a_large_websocket_message_ends_the_connection(server: WholeServer, ann, path, size) -> None:
    async def talk() -> int | None:
        async with (
            aiohttp.ClientSession(server.own, timeout=aiohttp.ClientTimeout(PATIENCE)) as session,
            session.ws_connect(path, headers=ann) as socket,
        ):
            await socket.send_str("a" * size)
            while not socket.closed:
                await socket.receive()
            return socket.close_code

    assert asyncio.run(talk()) == aiohttp.WSCloseCode.MESSAGE_TOO_BIG


# --- the same for clients of ComfyUI ---------------------------------------------------------------------


def comfy_form(data: bytes) -> tuple[dict[str, str], bytes]:
    return form(('name="image"; filename="x.png"', data))


def test_uploads_of_comfyui_clients_are_bounded(server: WholeServer, ann) -> None:
    for data, status in ((b"a" * 30_001, 413), (picture(size=(40, 40)), 413), (b"<html>", 415)):
        headers, body = comfy_form(data)
        assert server.ask("POST", "/upload/image", {**headers, **ann}, body).status == status
    assert not list((server.settings.data / "incoming").iterdir())


def test_a_form_of_a_comfyui_client_that_stands_still_is_let_go(server: WholeServer, ann) -> None:
    headers, body = comfy_form(b"\x89PNG")
    given = "".join(f"{name}: {value}\r\n" for name, value in {**headers, **ann}.items())
    for sent in (b"", body[:20], body[:-20]):
        head = f"POST /upload/image HTTP/1.1\r\nHost: localhost\r\n{given}Content-Length: 9999\r\n\r\n"
        assert server.raw(head.encode() + sent).status == 408


@pytest.mark.filterwarnings("ignore::aiohttp.BadContentDispositionHeader")  # which aiohttp warns of
@pytest.mark.parametrize(
    "body",
    [
        b"--",
        b"",
        b"--edge\r\nContent-Disposition: form-data; name=",
        b'--edge\r\nContent-Disposition: form-data; name="a\x0bb"\r\n\r\nx\r\n--edge--\r\n',
    ],
)
@pytest.mark.parametrize("kind", ["multipart/form-data", "multipart/form-data; boundary=edge"])
def test_a_damaged_form_of_a_comfyui_client_is_refused(server: WholeServer, ann, kind, body) -> None:
    assert server.ask("POST", "/upload/image", {**ann, "Content-Type": kind}, body).status == 400


def test_kept_files_of_comfyui_clients_are_bounded(server: WholeServer, ann) -> None:
    big = b"a" * 30_001
    assert server.ask("POST", "/userdata/big.json", ann, big).status == 413
    given = "".join(f"{name}: {value}\r\n" for name, value in ann.items())
    head = f"POST /userdata/slow.json HTTP/1.1\r\nHost: localhost\r\n{given}Content-Length: 9\r\n\r\nab"
    assert server.raw(head.encode()).status == 408
    statuses = [server.ask("POST", f"/userdata/{i}.json", ann, b"{}").status for i in range(4)]
    assert statuses == [200, 200, 200, 507]
    kept = server.settings.data / "comfy" / "ann" / "files"
    assert sorted(path.name for path in kept.iterdir()) == ["0.json", "1.json", "2.json"]
    assert server.ask("POST", "/userdata/0.json%2fx", ann, b"{}").status in (409, 507)


def test_settings_of_comfyui_clients_are_bounded(server: WholeServer, ann) -> None:
    assert server.ask("POST", "/settings/x", ann, {"a": "b" * 19_000}).status == 200
    assert server.ask("POST", "/settings/x", ann, {"a": "b" * 21_000}).status == 413


@pytest.mark.parametrize("depth", [101, 900, 5000])
@pytest.mark.parametrize("place", ["prompt", "extra_data", "number", "settings"])
def test_json_of_comfyui_clients_is_not_nested_without_end(
    server: WholeServer, ann, place: str, depth: int
) -> None:
    nested = ("[" * depth + "]" * depth).encode()
    path = "/settings" if place == "settings" else "/prompt"
    assert server.ask("POST", path, ann, b'{"prompt": {}, "%s": %s}' % (place.encode(), nested)).status == 400


@pytest.mark.parametrize("number", ["1e999", "-1e999", "NaN", "Infinity"])
def test_numbers_that_are_none_are_not_kept(server: WholeServer, ann, number: str) -> None:
    for path, body in (("/settings", f'{{"odd": {number}}}'), ("/settings/odd", number)):
        assert server.ask("POST", path, ann, body.encode()).status == 400
    assert "odd" not in server.ask("GET", "/settings", ann).json


@pytest.mark.parametrize(
    "path",
    [
        "/history?max_items=9999999999999999999999",
        "/history?offset=x",
        "/api/jobs?offset=99999999999999999999",
        "/api/jobs?limit=0",
        "/api/jobs?status=x",
        "/api/v1/jobs?limit=1001",
        "/api/v1/jobs?limit=1e3",
        "/api/v1/jobs?before=99999999999999999999",
        "/api/v1/jobs?state=x",
        "/api/v1/jobs?limit=1&limit=2",
        "/api/v1/events?after=-1",
        "/api/v1/jobs?x=1",
        "/api/v1/jobs/x?wait=nan",
    ],
)
def test_a_number_out_of_bounds_is_refused(server: WholeServer, ann, path: str) -> None:
    assert server.ask("GET", path, ann).status == 400


# --- rates -----------------------------------------------------------------------------------------------


def test_a_bucket_allows_a_burst_then_so_many_a_second() -> None:
    now = 0.0
    buckets = TokenBuckets(rate=2, burst=3, clock=lambda: now)
    assert [buckets.take("a") for _ in range(4)] == [0, 0, 0, 0.5]
    assert buckets.take("b") == 0
    now = 0.5
    assert [buckets.take("a"), buckets.take("a")] == [0, 0.5]
    now = 1000.0
    assert [buckets.take("a") for _ in range(4)] == [0, 0, 0, 0.5]
    with pytest.raises(Problem) as refusal:
        buckets.check("a")
    assert (refusal.value.status, refusal.value.headers["Retry-After"]) == (429, "1")


def test_buckets_take_bounded_room() -> None:
    buckets = TokenBuckets(rate=1, burst=1)
    for number in range(30_000):
        buckets.take(str(number))
    assert len(buckets) <= 10_000


def test_too_many_requests_of_one_client_are_refused(tmp_path: Path) -> None:
    with serving(settings_in(tmp_path, host="0.0.0.0", rate=0.001, rate_burst=5)) as server:
        ann = server.user("ann")
        replies = [server.ask("GET", "/api/v1/me", ann) for _ in range(7)]
        assert [reply.status for reply in replies] == [200] * 5 + [429] * 2
        assert int(replies[-1].headers["Retry-After"]) > 1


def test_requests_without_a_token_are_counted_too(tmp_path: Path) -> None:
    with serving(settings_in(tmp_path, host="0.0.0.0", rate=0.001, rate_burst=3)) as server:
        replies = [
            server.ask("GET", path).status for path in ("/api/v1/me", "/nowhere", "/ws", "/api/v1/health")
        ]
        assert replies == [401, 401, 401, 429]


def test_a_program_of_this_machine_alone_is_not_slowed(tmp_path: Path) -> None:
    with serving(settings_in(tmp_path, rate=0.001, rate_burst=1)) as server:
        assert [reach(server) for _ in range(5)] == [200] * 5


def reach(server: Server) -> int:
    return server.ask("GET", "/api/v1/me").status
