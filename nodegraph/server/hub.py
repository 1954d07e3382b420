"""Live events: one rising number, bounded memory, and nothing missed by a client that comes back."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Collection, Iterator
from functools import cached_property
from heapq import merge
from typing import Any

from nodegraph.server.json_text import json_bytes
from nodegraph.server.passing import PASSING, Event, LatestOfNodes

Item = tuple[Event, bytes]

WOKEN_AT_ONCE = 10
"""Subscribers woken before the event loop looks at its other work again."""


class NumberedEvent(dict[str, Any]):
    """An event that was told; its JSON text is made once for all who get it."""

    @cached_property
    def text(self) -> bytes:
        """The event as JSON."""
        return json_bytes(self)


def event_text(event: Event) -> bytes:
    """An event as JSON."""
    return event.text if isinstance(event, NumberedEvent) else json_bytes(event)


class EventHub:
    """Numbers events, remembers the last ones, and hands them to subscriptions. Lives on the event loop.

    Args:
        limit: how many events are remembered; twice as many may wait for one subscriber.
        limit_bytes: how many bytes of them are remembered.
        passing_bytes: how many bytes of progress and previews of running nodes are remembered beside them.
    """

    def __init__(
        self, limit: int = 20_000, limit_bytes: int = 16 << 20, passing_bytes: int = 8 << 20
    ) -> None:
        self.limit, self._limit_bytes = limit, limit_bytes
        self._next = time.time_ns() // 1_000  # higher than any number before a restart; exact in a float
        self._log: deque[tuple[str, Event, int]] = deque()
        self._bytes = 0
        self._forgotten = self._next - 1  # the last number that is not remembered
        self._at_work = LatestOfNodes(passing_bytes)
        self._subscriptions: set[Subscription] = set()
        self._to_wake: deque[Subscription] = deque()

    @property
    def subscribers(self) -> int:
        """How many subscriptions are open."""
        return len(self._subscriptions)

    def publish(self, owner: str, event: Event, body: bytes = b"") -> int:
        """Tell an event of a user's job; returns the number it was given.

        Args:
            event: at least ``type`` and ``job``; ``id`` and ``time`` (seconds since 1970) are added.
            body: what goes with it, such as the picture of a preview.
        """
        number, self._next = self._next, self._next + 1
        event = NumberedEvent(event, id=number, time=round(time.time(), 3))
        if event["type"] in PASSING:
            self._at_work.keep(owner, event, body, len(event.text) + len(body))
        else:
            self._at_work.heed(event)
            self._remember(owner, event)
        for subscription in tuple(self._subscriptions):
            if subscription.wants(owner, event):
                subscription.put(event, body)
        return number

    def wake(self, subscription: Subscription) -> None:
        """Let a subscriber go on soon. Hundreds that wait for the same event take turns with other work."""
        if not self._to_wake:
            asyncio.get_running_loop().call_soon(self._wake_some)
        self._to_wake.append(subscription)

    def _wake_some(self) -> None:
        for _ in range(min(WOKEN_AT_ONCE, len(self._to_wake))):
            self._to_wake.popleft().wake()
        if self._to_wake:
            asyncio.get_running_loop().call_soon(self._wake_some)

    def _remember(self, owner: str, event: NumberedEvent) -> None:
        size = len(event.text)
        self._log.append((owner, event, size))
        self._bytes += size
        while len(self._log) > self.limit or self._bytes > self._limit_bytes:
            _, oldest, size = self._log.popleft()
            self._bytes -= size
            self._forgotten = int(oldest["id"])

    def subscribe(
        self, *, owner: str | None, jobs: Collection[str] | None = None, after: int | None = None
    ) -> Subscription:
        """Follow the events of one user, or of all.

        Args:
            owner: the user; ``None`` for everyone's events.
            jobs: ids of the jobs to follow; ``None`` for all.
            after: the number of the last event the client has seen. What came since and is remembered
                comes first, with the latest progress and preview of each node that runs; if some is not
                remembered, an event of type ``gap`` comes before it.
        """
        subscription = Subscription(self, owner, jobs)
        if after is not None:
            if after < self._forgotten:
                subscription.put({"type": "gap", "id": self._forgotten, "time": round(time.time(), 3)})
            for owner_of_event, event, body in self._remembered():
                if event["id"] > after and subscription.wants(owner_of_event, event):
                    subscription.put(event, body)
        self._subscriptions.add(subscription)
        return subscription

    def _remembered(self) -> Iterator[tuple[str, Event, bytes]]:
        """All that may be told again, in order."""
        log = ((owner, event, b"") for owner, event, _ in self._log)
        at_work = ((told.owner, told.event, told.body) for told in self._at_work)
        return merge(log, at_work, key=lambda told: told[1]["id"])

    def forget(self, subscription: Subscription) -> None:
        """Tell a subscription nothing more."""
        self._subscriptions.discard(subscription)


class Subscription(AsyncIterator[Item]):
    """The events that wait for one client, in order.

    Of progress and previews the latest of each node waits. If a client is so slow that twice
    ``EventHub.limit`` others wait, they are dropped and the last event is one of type ``lagged``: it may
    subscribe again after the last number it saw.
    """

    def __init__(self, hub: EventHub, owner: str | None, jobs: Collection[str] | None) -> None:
        self._hub, self._owner = hub, owner
        self._jobs = None if jobs is None else frozenset(jobs)
        self._waiting: OrderedDict[Any, Item] = OrderedDict()
        self._news = asyncio.Event()
        self._closed = self._lagged = self._asleep = False

    def wants(self, owner: str, event: Event) -> bool:
        """Whether an event is meant for this subscriber."""
        return (self._owner is None or self._owner == owner) and (
            self._jobs is None or event.get("job") in self._jobs
        )

    def put(self, event: Event, body: bytes = b"") -> None:
        """Let an event wait."""
        if self._lagged or self._closed:
            return
        passing = event["type"] in PASSING
        key = (event["type"], event["job"], event["node"]) if passing else event["id"]
        self._waiting.pop(key, None)
        self._waiting[key] = (event, body)
        if len(self._waiting) > 2 * self._hub.limit:  # room for a whole replay, and for what comes meanwhile
            self._lagged = True
            self._waiting.clear()
            lagged = {"type": "lagged", "time": event["time"]}
            self._waiting["lagged"] = (lagged, b"")
        if self._asleep:
            self._asleep = False
            self._hub.wake(self)

    def wake(self) -> None:
        """Go on with what waits."""
        self._news.set()

    async def __anext__(self) -> Item:
        while not self._waiting:
            if self._closed or self._lagged:
                self.close()
                raise StopAsyncIteration
            self._news.clear()
            self._asleep = True
            await self._news.wait()
        return self._waiting.popitem(last=False)[1]

    def close(self) -> None:
        """Follow no longer; who waits for the next event is told that there is none."""
        self._closed = True
        self._hub.forget(self)
        self._news.set()
