"""Event streams: the same events as Server-Sent Events or over a WebSocket."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

from aiohttp import WSMsgType, web

from nodegraph.server.hub import Subscription, event_text

RETRY = b"retry: 1000\n\n"
BEAT = b": still here\n\n"
SEND_SECONDS = 60.0
"""A client that takes nothing for so long is let go."""
MAX_MESSAGE = 64 << 10
HEADERS = {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",  # a proxy must not collect events
}

Item = tuple[dict[str, Any], bytes]


class ServerSentEvents:
    """``text/event-stream``; what is binary goes along as ``data``, in base64."""

    def __init__(self, response: web.StreamResponse) -> None:
        self.response = response

    @classmethod
    async def open(cls, request: web.Request) -> ServerSentEvents:
        """Begin the answer."""
        response = web.StreamResponse(headers=HEADERS)
        await response.prepare(request)
        await response.write(RETRY)
        return cls(response)

    async def send(self, event: dict[str, Any], body: bytes) -> None:
        """Send one event."""
        if body:
            event = {**event, "data": base64.b64encode(body).decode()}
        head = f"id: {event['id']}\n" if "id" in event else ""
        head += f"event: {event['type']}\ndata: "
        await self.response.write(head.encode() + event_text(event) + b"\n\n")

    async def beat(self) -> None:
        """Send a comment, which clients skip."""
        await self.response.write(BEAT)

    async def send_all(self, items: AsyncIterator[Item], heartbeat: float) -> None:
        """Send events until there are no more, or the client is gone."""
        pending: asyncio.Future[Item] | None = None
        try:
            while True:
                pending = pending or asyncio.ensure_future(anext(items))
                done, _ = await asyncio.wait({pending}, timeout=heartbeat)
                async with asyncio.timeout(SEND_SECONDS):
                    if done:
                        event, body = pending.result()
                        pending = None
                        await self.send(event, body)
                    else:
                        await self.beat()
        except (StopAsyncIteration, ConnectionError, TimeoutError):
            return
        finally:
            if pending is not None:
                pending.cancel()


class WebSocketEvents:
    """JSON text frames; an event with a binary part is one binary frame.

    Such a frame holds the length of the JSON (four bytes, big-endian), the JSON, and the binary part.
    Heartbeats are the protocol's own pings.
    """

    def __init__(self, response: web.WebSocketResponse) -> None:
        self.response: web.WebSocketResponse = response

    @classmethod
    async def open(cls, request: web.Request, heartbeat: float) -> WebSocketEvents:
        """Shake hands."""
        response = web.WebSocketResponse(heartbeat=heartbeat, max_msg_size=MAX_MESSAGE, compress=False)
        await response.prepare(request)
        return cls(response)

    async def send(self, event: dict[str, Any], body: bytes) -> None:
        """Send one event."""
        text = event_text(event)
        if body:
            await self.response.send_bytes(len(text).to_bytes(4, "big") + text + body)
        else:
            await self.response.send_frame(text, WSMsgType.TEXT)

    async def send_all(self, items: AsyncIterator[Item]) -> None:
        """Send events until there are no more, or the client is gone."""
        with suppress(ConnectionError, TimeoutError):
            async for event, body in items:
                async with asyncio.timeout(SEND_SECONDS):
                    await self.send(event, body)
            await self.response.close()

    async def until_closed(self) -> None:
        """Returns when the client has gone; what it says is of no interest."""
        async for message in self.response:
            if message.type is WSMsgType.ERROR:
                return


async def serve_stream(
    request: web.Request, subscription: Subscription, items: AsyncIterator[Item], heartbeat: float
) -> web.StreamResponse:
    """Answer a request with events: over a WebSocket if it asks for one."""
    if not web.WebSocketResponse().can_prepare(request).ok:
        events = await ServerSentEvents.open(request)
        await events.send_all(items, heartbeat)
        return events.response
    socket = await WebSocketEvents.open(request, heartbeat)
    reader = asyncio.create_task(socket.until_closed())
    reader.add_done_callback(lambda _: subscription.close())
    try:
        await socket.send_all(items)
    finally:
        reader.cancel()
    return socket.response
