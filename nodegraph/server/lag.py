"""How late the event loop is: whoever holds it up keeps every client waiting."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

SCHEDSTAT = Path("/proc/thread-self/schedstat")
"""Linux: nanoseconds that this thread ran, that it was ready but had no processor, and a count."""

Note = Callable[[float, float], None]


class LoopMonitor:
    """Wakes up at regular times and notes by how much it was late.

    Two figures are noted, in seconds: the lag, and how much of it the program itself is to blame for. The
    rest is time in which the loop's thread was ready and other processes had the processor; only Linux
    tells, so that elsewhere both are the same.
    """

    def __init__(self, every: float, note: Note) -> None:
        """``every`` is the time between two looks, in seconds; a shorter hold-up may stay unseen."""
        self._every, self._note = every, note

    async def run(self) -> None:
        """Look until cancelled."""
        clock, waits = asyncio.get_running_loop().time, _Waits()
        try:
            while True:
                due, waited = clock() + self._every, waits.seconds()
                await asyncio.sleep(self._every)
                lag = max(0.0, clock() - due)
                self._note(lag, max(0.0, lag - (waits.seconds() - waited)))
        finally:
            waits.close()


class _Waits:
    """How long the thread that made it has waited for a processor."""

    def __init__(self) -> None:
        try:
            self._file: int | None = os.open(SCHEDSTAT, os.O_RDONLY)
        except OSError:
            self._file = None

    def seconds(self) -> float:
        if self._file is None:
            return 0.0
        return int(os.pread(self._file, 100, 0).split()[1]) * 1e-9

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
