"""Streams that go on where they broke, what Prometheus is told, and the mirrors of ComfyUI's routes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest
from security_support import WholeServer, serving_all, settings_in

from nodegraph.server.comfy import ROUTES

NODES = {
    "image": {"type": "EmptyImage", "inputs": {"width": 16, "height": 16}},
    "save": {"type": "SaveImage", "links": {"images": ["image", "image"]}},
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WholeServer]:
    with serving_all(settings_in(tmp_path_factory.mktemp("streams"))) as server:
        yield server


async def over_websocket(server: WholeServer, path: str, stop: int | None = None) -> list[dict[str, Any]]:
    """The events of a job up to its end, or only so many: then the connection breaks."""
    async with aiohttp.ClientSession(server.own) as session, session.ws_connect(path) as socket:
        seen: list[dict[str, Any]] = []
        while len(seen) != stop and (not seen or seen[-1]["type"] != "job_finished"):
            message = await socket.receive(60)
            assert message.type is aiohttp.WSMsgType.TEXT, message
            seen.append(json.loads(message.data))
        return seen


@pytest.mark.parametrize("path", ["/api/v1/events", "/api/v1/jobs/{id}/events"])
def test_a_websocket_that_broke_goes_on_behind_the_last_event(server: WholeServer, path: str) -> None:
    id = server.submit(NODES).json["id"]
    told = asyncio.run(over_websocket(server, f"/api/v1/jobs/{id}/events?after=0"))
    whole = [event for event in told if event["type"] != "gap"]  # of the time before the server began
    numbers = [event["id"] for event in whole]
    assert numbers == sorted(set(numbers)) and len(numbers) > 3
    path = path.format(id=id)
    begun = asyncio.run(over_websocket(server, f"{path}?after={numbers[0] - 1}", stop=2))
    rest = asyncio.run(over_websocket(server, f"{path}?after={begun[-1]['id']}"))
    assert begun + rest == whole


def test_prometheus_is_told_what_ended_and_what_waits(server: WholeServer) -> None:
    server.submit(NODES)
    server.ask("GET", "/api/v1/jobs/nobody")
    reply = server.ask("GET", "/api/v1/metrics")
    assert reply.headers["Content-Type"].startswith("text/plain; version=")
    lines = dict(line.rsplit(" ", 1) for line in reply.body.decode().splitlines() if line[0] != "#")
    assert float(lines['nodegraph_jobs_ended_total{state="done"}']) >= 1
    assert (
        float(lines['nodegraph_jobs{state="done"}']) >= 1 and lines['nodegraph_jobs{state="queued"}'] == "0.0"
    )
    assert "nobody" not in reply.body.decode()  # or clients could fill it with names


def test_every_route_of_comfyui_is_there_under_api_as_well(server: WholeServer) -> None:
    routes = server.app.router.routes()
    there = {(route.method, route.resource.canonical) for route in routes if route.resource}
    assert {(method, f"/api{path}") for method, path, _ in ROUTES} <= there
    assert {(method, path) for method, path, _ in ROUTES if not path.startswith("/jobs")} <= there
