"""When the server looks for cyclic garbage: between heavy requests, not in the middle of one."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from itertools import count

YOUNG, OLD, ALL = 0, 1, 2
EVERY = 1.0
"""Seconds between two looks at the youngest objects."""
OLD_TURNS, ALL_TURNS = 10, 60
"""Older objects are looked at every so many times, and all of them."""
MOST_PUT_OFF = 10
"""How many times in a row it is put off."""


class Collector:
    """Collects cyclic garbage at regular times instead of whenever many objects were made.

    A workflow of 10,000 nodes is some 100,000 objects, none of them garbage. Python's own collector would
    walk them again and again while they are made, each time holding the interpreter, and with it every
    client, for tens of milliseconds; a moment later reference counting frees them all.
    """

    def __init__(self, busy: Callable[[], bool], every: float = EVERY) -> None:
        """``busy`` tells whether very many objects may be in use for a moment; ``every`` is in seconds."""
        self._busy, self._every = busy, every

    async def run(self) -> None:
        """Collect until cancelled; Python's own collector rests meanwhile.

        What lives when this begins is never looked at again.
        """
        gc.freeze()
        gc.disable()
        try:
            for turn in count(1):
                await asyncio.sleep(self._every)
                await self._quiet()
                gc.collect(_generation(turn))
        finally:
            gc.enable()
            gc.unfreeze()

    async def _quiet(self) -> None:
        """Wait for a quiet moment; a server that is always busy has to do without one."""
        for _ in range(MOST_PUT_OFF):
            if not self._busy():
                return
            await asyncio.sleep(self._every)


def _generation(turn: int) -> int:
    if turn % ALL_TURNS == 0:
        return ALL
    return OLD if turn % OLD_TURNS == 0 else YOUNG
