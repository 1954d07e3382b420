"""How late the event loop is: whoever holds it up keeps every client waiting."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

THREADS = Path("/proc/self/task")
"""Linux: a folder for each thread; its ``schedstat`` begins with the nanoseconds that it ran, and those that
it was ready to run but had no processor."""
LOOKS = 50
"""New threads are looked for once in so many times."""

Note = Callable[[float, float], None]


class LoopMonitor:
    """Wakes up at regular times and notes by how much it was late.

    Two figures are noted, in seconds: the lag, and how much of it the program itself is to blame for. The
    rest is time in which threads of the program, such as the one that held the interpreter, were ready and
    other programs had the processor. Only Linux tells; elsewhere both are the same.
    """

    def __init__(self, every: float, note: Note) -> None:
        """``every`` is the time between two looks, in seconds; a shorter hold-up may stay unseen."""
        self._every, self._note = every, note

    async def run(self) -> None:
        """Look until cancelled."""
        clock, waits = asyncio.get_running_loop().time, _Waits()
        try:
            while True:
                waits.since_last()
                due = clock() + self._every
                await asyncio.sleep(self._every)
                lag = max(0.0, clock() - due)
                self._note(lag, max(0.0, lag - waits.since_last()))
        finally:
            waits.close()


class _Waits:
    """How long the threads of this process have waited for a processor."""

    def __init__(self) -> None:
        self._files: dict[str, int] = {}
        self._last: dict[str, int] = {}
        self._looks = 0

    def since_last(self) -> float:
        """Seconds since it was last asked, of all threads together."""
        if self._looks % LOOKS == 0:
            self._find_threads()
        self._looks += 1
        now = {name: self._read(name) for name in list(self._files)}
        waited = sum(now[name] - self._last[name] for name in now.keys() & self._last.keys())
        self._last = now
        return waited * 1e-9

    def _find_threads(self) -> None:
        with suppress(OSError):  # another system
            for name in set(os.listdir(THREADS)) - self._files.keys():  # noqa: PTH208 - names are wanted
                with suppress(OSError):  # it has ended
                    self._files[name] = os.open(THREADS / name / "schedstat", os.O_RDONLY)

    def _read(self, name: str) -> int:
        try:
            return int(os.pread(self._files[name], 100, 0).split()[1])
        except (OSError, IndexError):  # the thread has ended
            os.close(self._files.pop(name))
            return self._last.get(name, 0)

    def close(self) -> None:
        """Close its files."""
        for file in self._files.values():
            os.close(file)
        self._files.clear()
