"""``/ws``: what happens, as it happens."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import Any
from uuid import uuid4

from aiohttp import WSMsgType, web

from nodegraph.server.comfy.clients import Client
from nodegraph.server.comfy.prompt import MAX_ID, queue_status
from nodegraph.server.comfy.relay import RELAY
from nodegraph.server.keys import SETTINGS, STREAMS, user_of

MAX_MESSAGE = 1 << 16


async def websocket(request: web.Request) -> web.WebSocketResponse:
    """Tell one client of its prompts until it goes."""
    client = Client(user_of(request).name, _sid(request))
    with request.app[STREAMS].held_by(client.owner):
        return await _serve(request, client)


async def _serve(request: web.Request, client: Client) -> web.WebSocketResponse:
    relay, heartbeat = request.app[RELAY], request.app[SETTINGS].heartbeat
    socket = web.WebSocketResponse(heartbeat=heartbeat, max_msg_size=MAX_MESSAGE)
    await socket.prepare(request)
    status = await queue_status(request.app, client.owner)
    client.tell(("status", {"status": status, "sid": client.sid}))
    relay.clients.add(client)
    try:
        relay.catch_up(client)
        await _talk(socket, client, features(request.app))
    finally:
        relay.clients.remove(client)
    return socket


async def _talk(socket: web.WebSocketResponse, client: Client, ours: dict[str, Any]) -> None:
    """Send and listen until one of the two ends."""
    sender = asyncio.create_task(_send(client, socket))
    try:
        await _listen(socket, client, ours)
    finally:
        sender.cancel()
        with suppress(asyncio.CancelledError):
            await sender


def features(app: web.Application) -> dict[str, Any]:
    """What this server announces that it can do."""
    return {
        "supports_preview_metadata": True,
        "supports_progress_text_metadata": False,
        "max_upload_size": app[SETTINGS].max_upload,
    }


def _sid(request: web.Request) -> str:
    given = request.query.get("clientId", "")
    return given if 0 < len(given) <= MAX_ID else uuid4().hex


async def _send(client: Client, socket: web.WebSocketResponse) -> None:
    with suppress(ConnectionError):  # the client went; _listen ends by itself
        await client.send_to(socket)
        await socket.close()


async def _listen(socket: web.WebSocketResponse, client: Client, ours: dict[str, Any]) -> None:
    """Answer the announcement that a client may open with; everything else it says means nothing."""
    first = True
    async for message in socket:
        if message.type is WSMsgType.TEXT and first:
            theirs = _announced(message.data)
            if theirs is not None:
                client.knows_metadata = theirs.get("supports_preview_metadata") is True
                client.tell(("feature_flags", ours))
        first = False


def _announced(text: str) -> dict[str, Any] | None:
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(said, dict) or said.get("type") != "feature_flags":
        return None
    data = said.get("data")
    return data if isinstance(data, dict) else {}
