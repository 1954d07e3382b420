"""Where the nodes of the contract tests meet: counters, signals and a barrier, never a clock."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from typing import Any

PATIENCE = 10.0


class Stage:
    """What happened in one test, and what its nodes wait for.

    Attributes:
        calls: how often each name was called.
        notes: whatever a node wants the test to see.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.calls: Counter[str] = Counter()
        self.notes: dict[str, Any] = {}
        self._lock = threading.Lock()
        self._taken: set[str] = set()
        self._signals: defaultdict[str, threading.Event] = defaultdict(threading.Event)
        self._barriers: dict[str, threading.Barrier] = {}

    def call(self, name: str) -> int:
        """Count a call; returns its number."""
        with self._lock:
            self.calls[name] += 1
            return self.calls[name]

    def signal(self, name: str) -> None:
        with self._lock:
            event = self._signals[name]
        event.set()

    def signalled(self, name: str) -> bool:
        with self._lock:
            return self._signals[name].is_set()

    def wait_for(self, name: str) -> None:
        """Wait for a signal; fails where it never comes."""
        with self._lock:
            event = self._signals[name]
        if not event.wait(PATIENCE):
            raise TimeoutError(f"nobody signalled {name!r}")

    def enter(self, room: str) -> bool:
        """Go into a room; ``False`` if somebody is in it."""
        with self._lock:
            free = room not in self._taken
            self._taken.add(room)
        return free

    def leave(self, room: str) -> None:
        with self._lock:
            self._taken.discard(room)

    def meet(self, name: str, parties: int) -> None:
        """Wait until ``parties`` threads are here at once."""
        with self._lock:
            barrier = self._barriers.setdefault(name, threading.Barrier(parties))
        barrier.wait(PATIENCE)


STAGE = Stage()
