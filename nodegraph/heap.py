"""Giving memory back to the system in processes that run for long."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable
from functools import cache


class HeapTrimmer:
    """Returns freed memory to the system now and then.

    The C library keeps what was freed in the gaps between what is still used, and so a process that lives on
    small and large pieces of memory by turns grows for days. Where it has no ``malloc_trim`` (only glibc
    has), nothing is done.
    """

    def __init__(self, every: float) -> None:
        """``every``: the time between two rounds, in seconds; one takes about a millisecond."""
        self._every, self._last = every, time.monotonic()

    def trim(self) -> None:
        """Make a round, unless the last one was a short time ago."""
        now = time.monotonic()
        if now - self._last >= self._every:
            self._last = now
            _malloc_trim()(0)


@cache
def _malloc_trim() -> Callable[[int], int]:
    try:
        function: Callable[[int], int] = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):  # another C library; Windows has no library of that name
        return lambda pad: 0
    return function
