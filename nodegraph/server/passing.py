"""What shows nodes at work: the latest progress and preview of each node that runs, bounded in bytes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import Any, NamedTuple

PASSING = ("node_progress", "node_preview")
"""Events of which only the latest counts, for each node of each job."""

LAST_OF_NODE = ("node_finished", "node_failed", "node_cancelled")
JOB_AFRESH = ("job_started", "job_finished")
"""Before the first, nothing of this attempt ran; after the last, nothing does."""

Event = dict[str, Any]
Key = tuple[Any, str, Any]


class Told(NamedTuple):
    """An event as it was told, and what went with it."""

    owner: str
    event: Event
    body: bytes
    size: int


class LatestOfNodes:
    """The latest passing event of each kind of every node that runs, for those who come while it does.

    Args:
        limit_bytes: how much is kept; what was told longest ago goes first.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._kept: OrderedDict[Key, Told] = OrderedDict()
        self._bytes = 0

    def keep(self, owner: str, event: Event, body: bytes, size: int) -> None:
        """Keep a passing event of ``size`` bytes in place of the one before it."""
        key = (event["job"], event["type"], event["node"])
        self._drop(key)
        self._kept[key] = Told(owner, event, body, size)
        self._bytes += size
        while self._bytes > self._limit_bytes:
            self._drop(next(iter(self._kept)))

    def heed(self, event: Event) -> None:
        """Forget what an event that is not passing puts an end to."""
        if event["type"] in LAST_OF_NODE:
            for type in PASSING:
                self._drop((event["job"], type, event["node"]))
        elif event["type"] in JOB_AFRESH:
            for key in [key for key in self._kept if key[0] == event["job"]]:
                self._drop(key)

    def _drop(self, key: Key) -> None:
        told = self._kept.pop(key, None)
        if told is not None:
            self._bytes -= told.size

    def __iter__(self) -> Iterator[Told]:
        """In the order in which they were told."""
        return iter(self._kept.values())
