"""The result cache: memory in front of disk, and what is worth keeping."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from nodegraph.cache.keys import Key
from nodegraph.cache.store import Entry, Store
from nodegraph.codec import size_of

CacheOrigin = Literal["memory", "disk"]


@dataclass(frozen=True)
class KeepPolicy:
    """A result goes to disk when making it took longer than storing it would.

    Attributes:
        min_seconds: below this a result is always recomputed; about what one small file costs.
        bytes_per_second: how fast a result of some size is written and verified.
    """

    min_seconds: float = 0.02
    bytes_per_second: float = 200e6

    def worth_storing(self, entry: Entry) -> bool:
        """Whether a result should outlive the process."""
        if entry.seconds < self.min_seconds:
            return False
        return entry.seconds >= sum(map(size_of, entry.outputs)) / self.bytes_per_second


class ResultCache:
    """Results by key: everything recent in memory, everything costly on disk.

    Attributes:
        memory: the memory store, or ``None`` for none.
        disk: the disk store, or ``None`` for none.
        policy: what is worth storing on disk.
    """

    def __init__(
        self, memory: Store | None = None, disk: Store | None = None, policy: KeepPolicy | None = None
    ) -> None:
        self.memory = memory
        self.disk = disk
        self.policy = policy or KeepPolicy()

    def find(self, key: Key) -> CacheOrigin | None:
        """Where a result seems to be, without reading it."""
        if self.memory is not None and self.memory.contains(key):
            return "memory"
        if self.disk is not None and self.disk.contains(key):
            return "disk"
        return None

    def get(self, key: Key) -> tuple[Entry, CacheOrigin] | None:
        """A result and where it was; one from disk is kept in memory as well."""
        entry = self.memory.get(key) if self.memory is not None else None
        if entry is not None:
            return entry, "memory"
        entry = self.disk.get(key) if self.disk is not None else None
        if entry is None:
            return None
        if self.memory is not None:
            self.memory.put(key, entry)
        return entry, "disk"

    def forget_in_memory(self, key: Key) -> None:
        """Drop a value that was changed after it was put; what is on disk is as it was put."""
        if self.memory is not None:
            self.memory.delete(key)

    def put(self, key: Key, entry: Entry, *, always: bool = False) -> None:
        """Keep a result; when this returns, one that is worth it (or ``always``) is on disk."""
        if self.disk is not None and (always or self.policy.worth_storing(entry)):
            self.disk.put(key, entry)
        if self.memory is not None:
            self.memory.put(key, entry)
