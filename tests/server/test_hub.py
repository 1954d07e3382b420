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


def test_who_comes_during_a_run_sees_what_its_nodes_show():
    """The latest picture of each node that runs, with its bytes; none of one that is done."""

    async def scene():
        hub = EventHub()
        for job in ("done", "failed", "goes on"):
            for n in range(3):
                hub.publish("ada", event(n, "node_preview", job), bytes([n]))
        hub.publish("ada", event(3, "node_finished", "done"))
        hub.publish("ada", event(4, "job_finished", "failed"))
        told = hub.subscribe(owner="ada", after=0), hub.subscribe(owner="bob", after=0)
        for subscription in told:
            subscription.close()
        return [[(e.get("job"), e.get("n"), body) async for e, body in one][1:] for one in told]

    ada, bob = asyncio.run(scene())
    assert ada == [("goes on", 2, b"\2"), ("done", 3, b""), ("failed", 4, b"")]
    assert bob == []


def test_an_attempt_begins_without_the_pictures_of_the_one_before():
    async def scene():
        hub = EventHub()
        hub.publish("ada", event(0, "node_preview"), b"old")
        hub.publish("ada", {"type": "job_started", "job": "j"})
        return [found["type"] for found in await read(hub.subscribe(owner=None, after=0))]

    assert asyncio.run(scene()) == ["gap", "job_started"]


def test_pictures_of_very_many_nodes_cost_a_bounded_amount():
    async def scene():
        hub = EventHub(passing_bytes=10_000)
        for n in range(100):
            hub.publish("ada", {**event(n, "node_preview"), "node": str(n)}, bytes(1000))
        return [found.get("n") for found in await read(hub.subscribe(owner=None, after=0))]

    kept = asyncio.run(scene())[1:]
    assert kept == list(range(100 - len(kept), 100))
    assert 5 < len(kept) < 10
