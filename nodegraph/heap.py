"""Giving memory back to the system in processes that run for long."""

from __future__ import annotations

import ctypes
import time
import traceback
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


def empty_frames(error: BaseException) -> None:
    """Let go of what the functions an exception came through, and those behind its causes, still held.

    Otherwise the pictures that a failed node was given stay until the cyclic collector comes by.
    """
    seen: set[int] = set()
    left: list[BaseException | None] = [error]
    while left:
        one = left.pop()
        if one is not None and id(one) not in seen:
            seen.add(id(one))
            traceback.clear_frames(one.__traceback__)
            left += (one.__cause__, one.__context__)


@cache
def _malloc_trim() -> Callable[[int], int]:
    try:
        function: Callable[[int], int] = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):  # another C library; Windows has no library of that name
        return lambda pad: 0
    return function
