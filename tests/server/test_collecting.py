"""The server collects cyclic garbage at quiet moments."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Callable

import pytest

from nodegraph.server.collecting import MOST_PUT_OFF, Collector

EVERY = 0.005


class Knot:
    """Refers to itself, so that only the cyclic collector frees it."""

    def __init__(self) -> None:
        self.me = self


def knot_is_gone(busy: Callable[[], bool], wait: float) -> bool:
    """Whether garbage made while the collector runs is gone after a time, in seconds."""

    async def scene() -> bool:
        collector = asyncio.create_task(Collector(busy, EVERY).run())
        await asyncio.sleep(0)
        assert not gc.isenabled()
        knot = weakref.ref(Knot())
        deadline = asyncio.get_running_loop().time() + wait
        while knot() is not None and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(EVERY)
        collector.cancel()
        with pytest.raises(asyncio.CancelledError):
            await collector
        return knot() is None

    return asyncio.run(scene())


@pytest.fixture(autouse=True)
def python_collects_again():
    yield
    assert gc.isenabled()


def test_garbage_is_collected_when_it_is_quiet():
    assert knot_is_gone(lambda: False, wait=20)


def test_it_waits_for_a_quiet_moment_but_not_for_ever():
    asked = []

    def busy() -> bool:
        asked.append(True)
        return True

    assert knot_is_gone(busy, wait=20)
    assert len(asked) >= MOST_PUT_OFF


def test_objects_survive_while_it_is_busy():
    assert not knot_is_gone(lambda: True, wait=EVERY * MOST_PUT_OFF / 4)
