"""Live events: order, resuming, and bounds for those who do not read."""

from __future__ import annotations

import asyncio
from typing import Any

from nodegraph.server.hub import EventHub, Subscription


def event(n: int, type: str = "node_finished", job: str = "j") -> dict[str, Any]:
    return {"type": type, "job": job, "node": "n", "n": n}


async def read(subscription: Subscription) -> list[dict[str, Any]]:
    """What waits."""
    subscription.close()
    return [event async for event, _ in subscription]


def test_numbers_rise_also_after_a_restart():
    numbers = [EventHub().publish("ada", event(n)) for n in range(3)]
    hub = EventHub()
    numbers += [hub.publish("ada", event(n)) for n in range(3)]
    assert numbers == sorted(set(numbers))


def test_a_subscriber_gets_its_owners_events_and_those_of_its_jobs():
    async def scene():
        hub = EventHub()
        ada, everyone = hub.subscribe(owner="ada"), hub.subscribe(owner=None)
        one = hub.subscribe(owner=None, jobs=["k"])
        for owner, job in (("ada", "j"), ("bob", "k")):
            hub.publish(owner, event(0, job=job))
        return [[found["job"] for found in await read(s)] for s in (ada, everyone, one)]

    assert asyncio.run(scene()) == [["j"], ["j", "k"], ["k"]]


def test_who_comes_back_misses_nothing_and_is_told_of_a_gap():
    async def scene():
        hub = EventHub(limit=5)
        first = hub.publish("ada", event(0))
        for n in range(1, 5):
            hub.publish("ada", event(n))
        resumed = [found.get("n") for found in await read(hub.subscribe(owner="ada", after=first))]
        for n in range(5, 9):
            hub.publish("ada", event(n))
        late = await read(hub.subscribe(owner="ada", after=first))
        return resumed, [found["type"] for found in late[:1]], [found.get("n") for found in late[1:]]

    assert asyncio.run(scene()) == ([1, 2, 3, 4], ["gap"], [4, 5, 6, 7, 8])


def test_of_progress_the_latest_waits_in_its_place():
    async def scene():
        hub = EventHub()
        slow = hub.subscribe(owner=None)
        for n in range(1000):
            hub.publish("ada", event(n, "node_progress"))
        hub.publish("ada", event(1000))
        return [found["n"] for found in await read(slow)]

    assert asyncio.run(scene()) == [999, 1000]


def test_who_never_reads_costs_a_bounded_amount_and_is_told():
    async def scene():
        hub = EventHub(limit=100)
        slow = hub.subscribe(owner=None)
        for n in range(10_000):
            hub.publish("ada", event(n))
        return [found["type"] async for found, _ in slow], hub.subscribers

    assert asyncio.run(scene()) == (["lagged"], 0)


def test_bytes_are_bounded_too():
    async def scene():
        hub = EventHub(limit_bytes=10_000)
        for n in range(100):
            hub.publish("ada", {**event(n), "text": "x" * 1000})
        return await read(hub.subscribe(owner=None, after=0))

    assert len(asyncio.run(scene())) < 12
