"""Which nodes run, in memory that two processes share: it can be read after one of them has crashed."""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterable

SIZE = 64 << 10
LENGTH = struct.Struct("=I")


class RunningMarks:
    """The ids of the nodes that run; one process writes, the other reads when that one is gone."""

    def __init__(self, descriptor: int) -> None:
        """``descriptor`` is an open file of ``SIZE`` bytes, needed no more afterwards."""
        self._shared = mmap.mmap(descriptor, SIZE)

    def write(self, nodes: Iterable[str]) -> None:
        """Say which nodes run now; of very many, those that fit."""
        text = "\n".join(nodes).encode()[: SIZE - LENGTH.size]
        self._shared[: LENGTH.size + len(text)] = LENGTH.pack(len(text)) + text

    def read(self) -> list[str]:
        """Which nodes ran when it was last said."""
        length = min(LENGTH.unpack_from(self._shared)[0], SIZE - LENGTH.size)
        text = self._shared[LENGTH.size : LENGTH.size + length].decode(errors="replace")
        return text.split("\n") if text else []
