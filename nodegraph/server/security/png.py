"""PNG files before they are decoded: what their compressed texts and profiles would unpack to."""

from __future__ import annotations

import os
import zlib
from typing import BinaryIO

MAX_UNPACKED = 64 << 20
"""Bytes that all texts of a picture together may unpack to; a workflow inside is far smaller."""
MAX_CHUNKS = 200_000
SIGNATURE_BYTES = 8
PIECE = 1 << 16


class BadPngError(Exception):
    """A PNG that would unpack to too much, or is none."""


def check_png(stream: BinaryIO) -> None:
    """Walk the chunks of a PNG without keeping what is in them.

    Raises:
        BadPngError: its texts unpack to more than ``MAX_UNPACKED`` bytes, or its chunks are damaged.
    """
    size = stream.seek(0, os.SEEK_END)
    stream.seek(SIGNATURE_BYTES)
    left = MAX_UNPACKED
    for _ in range(MAX_CHUNKS):
        header = stream.read(8)
        if header[4:] == b"IEND":
            return
        length, kind = int.from_bytes(header[:4]), header[4:]
        if len(header) < 8 or length > size - stream.tell():
            raise BadPngError("the picture ends in the middle")
        following = stream.tell() + length + 4
        if kind in _COMPRESSED:
            left -= unpacked_size(_COMPRESSED[kind](stream.read(length)), left)
        elif kind == b"tEXt":
            left -= length
        if left < 0:
            raise BadPngError(f"its texts unpack to more than {MAX_UNPACKED >> 20} MiB")
        stream.seek(following)
    raise BadPngError(f"it has more than {MAX_CHUNKS} chunks")


def unpacked_size(data: bytes, limit: int) -> int:
    """How many bytes data unpacks to; counting stops beyond the limit.

    Raises:
        BadPngError: it is not compressed data.
    """
    unpacker, size = zlib.decompressobj(), 0
    try:
        while data and not unpacker.eof and size <= limit:
            size += len(unpacker.decompress(data, PIECE))
            data = unpacker.unconsumed_tail
    except zlib.error:
        raise BadPngError("a text in it is damaged") from None
    return size


def _after_keyword(data: bytes) -> bytes:
    """What is packed in ``zTXt`` and ``iCCP``: keyword, a zero, the method, the data."""
    return data.partition(b"\0")[2][1:]


def _international(data: bytes) -> bytes:
    """What is packed in ``iTXt``; nothing where it is not packed."""
    rest = data.partition(b"\0")[2]
    if rest[:1] != b"\1":
        return b""
    return rest[2:].partition(b"\0")[2].partition(b"\0")[2]


_COMPRESSED = {b"zTXt": _after_keyword, b"iCCP": _after_keyword, b"iTXt": _international}
