"""Messages between the server and its worker: JSON, and bytes that go with it."""

from __future__ import annotations

import asyncio
import json
import struct
from typing import Any, BinaryIO

from nodegraph.errors import NodeGraphError

LENGTHS = struct.Struct(">II")  # of the whole message after this, and of the JSON in it
MAX_MESSAGE = 256 << 20

Message = dict[str, Any]


class BrokenStreamError(NodeGraphError):
    """The stream does not hold messages, or ended within one."""


def encode(message: Message, body: bytes = b"") -> bytes:
    """A message as bytes."""
    text = json.dumps(message, ensure_ascii=True, separators=(",", ":")).encode("ascii")
    return LENGTHS.pack(len(text) + len(body), len(text)) + text + body


def _lengths(head: bytes) -> tuple[int, int]:
    whole, text = LENGTHS.unpack(head)
    if text > whole or whole > MAX_MESSAGE:
        raise BrokenStreamError(f"a message of {whole} bytes, {text} of them JSON, cannot be")
    return whole, text


def read(stream: BinaryIO) -> tuple[Message, bytes] | None:
    """The next message, or ``None`` at the end of the stream."""
    head = stream.read(LENGTHS.size)
    if not head:
        return None
    whole, text = _lengths(head)
    data = stream.read(whole)
    if len(data) < whole:
        raise BrokenStreamError("the stream ended within a message")
    return json.loads(data[:text]), data[text:]


async def read_async(stream: asyncio.StreamReader) -> tuple[Message, bytes] | None:
    """The same from an asyncio stream."""
    try:
        whole, text = _lengths(await stream.readexactly(LENGTHS.size))
        data = await stream.readexactly(whole)
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise BrokenStreamError("the stream ended within a message") from None
        return None
    return json.loads(data[:text]), data[text:]
