"""The ComfyUI clients that listen, and what is on its way to each."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Iterable, Iterator

from aiohttp import web

from nodegraph.server.comfy.feed import Preview
from nodegraph.server.comfy.records import Message

FULL = 4096
"""Messages waiting for one client at which it is given up: it does not read."""
BUSY = 32
"""Messages waiting for one client from which on it is spared previews and progress."""
SPARED = ("progress", "progress_state")


class Client:
    """One connection.

    Attributes:
        owner: the user it belongs to.
        sid: the id under which its prompts are told apart.
        knows_metadata: whether it understands previews that say where they belong.
    """

    def __init__(self, owner: str, sid: str) -> None:
        self.owner = owner
        self.sid = sid
        self.knows_metadata = False
        self._waiting: deque[str | bytes] = deque()
        self._wake = asyncio.Event()
        self._closed = False

    def tell(self, message: Message | Preview) -> None:
        """Put a message on its way; never waits."""
        busy = len(self._waiting) >= BUSY
        if isinstance(message, Preview):
            if not busy and (self.knows_metadata or message.wanted):
                self._put(message.frame_with_metadata() if self.knows_metadata else message.frame())
        elif not (busy and message[0] in SPARED):
            self._put(json.dumps({"type": message[0], "data": message[1]}))

    def _put(self, frame: str | bytes) -> None:
        self._waiting.append(frame)
        self._closed |= len(self._waiting) > FULL
        self._wake.set()

    def close(self) -> None:
        """Let ``send_to`` end."""
        self._closed = True
        self._wake.set()

    async def send_to(self, socket: web.WebSocketResponse) -> None:
        """Send what is told, until the client is closed or has fallen too far behind."""
        while not self._closed:
            while self._waiting and not self._closed:
                frame = self._waiting.popleft()
                await (socket.send_str(frame) if isinstance(frame, str) else socket.send_bytes(frame))
            self._wake.clear()
            if not self._waiting and not self._closed:
                await self._wake.wait()


class Clients:
    """Everyone who listens, by user and id; of two with one id the later gets the messages."""

    def __init__(self) -> None:
        self._clients: dict[tuple[str, str], Client] = {}

    def add(self, client: Client) -> None:
        """Let a client listen."""
        self._clients[client.owner, client.sid] = client

    def remove(self, client: Client) -> None:
        """Forget a client; another that took over its id stays."""
        if self._clients.get((client.owner, client.sid)) is client:
            del self._clients[client.owner, client.sid]

    def of(self, owner: str) -> Iterator[Client]:
        """The clients of a user."""
        return (client for client in list(self._clients.values()) if client.owner == owner)

    def tell(self, owner: str, sid: str, messages: Iterable[Message | Preview]) -> None:
        """Tell one client, if it listens."""
        client = self._clients.get((owner, sid))
        if client is not None:
            for message in messages:
                client.tell(message)

    def close(self) -> None:
        """Let go of everyone."""
        for client in self._clients.values():
            client.close()
