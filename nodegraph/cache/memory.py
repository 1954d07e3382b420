"""Results in memory: least recently used first to go."""

from __future__ import annotations

import threading
from collections import OrderedDict

from nodegraph.cache.keys import Key
from nodegraph.cache.store import Entry, StoreInfo
from nodegraph.codec import size_of

ENTRY_OVERHEAD = 448
"""Bytes of the key, the entry with its tuple, and their places in the table."""


class MemoryStore:
    """Keeps results as they are, without copying, up to a limit in bytes.

    A tensor that two results share counts for both, so the true use of memory may be lower, never higher.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._bytes = 0
        self._entries: OrderedDict[Key, tuple[Entry, int]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Key) -> Entry | None:
        """The result, or ``None``."""
        with self._lock:
            held = self._entries.get(key)
            if held is None:
                return None
            self._entries.move_to_end(key)
            return held[0]

    def contains(self, key: Key) -> bool:
        """Whether the result is here."""
        return key in self._entries

    def put(self, key: Key, entry: Entry) -> bool:
        """Keep a result, forgetting others if need be; ``False`` if it is larger than the whole limit."""
        size = ENTRY_OVERHEAD
        for output in entry.outputs:
            size += size_of(output)
        with self._lock:
            self._forget(key)
            if size > self._limit:
                return False
            self._entries[key] = entry, size
            self._bytes += size
            while self._bytes > self._limit:
                _, (_, freed) = self._entries.popitem(last=False)
                self._bytes -= freed
        return True

    def delete(self, key: Key) -> None:
        """Forget one result, if it is there."""
        with self._lock:
            self._forget(key)

    def _forget(self, key: Key) -> None:
        held = self._entries.pop(key, None)
        if held is not None:
            self._bytes -= held[1]

    def clear(self) -> None:
        """Forget all results."""
        with self._lock:
            self._entries.clear()
            self._bytes = 0

    def info(self) -> StoreInfo:
        """How full it is."""
        with self._lock:
            return StoreInfo(len(self._entries), self._bytes, self._limit)

    def verify(self) -> list[Key]:
        """Nothing in memory is ever damaged."""
        return []
