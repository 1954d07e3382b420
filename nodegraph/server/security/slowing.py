"""Keeping those waiting who try one token after another."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from nodegraph.server.problems import Problem
from nodegraph.server.security.recent import RecentMap

FREE_TRIES = 5
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
FORGOTTEN_AFTER = 600.0
REMEMBERED = 10_000


@dataclass
class _Tries:
    failed: int
    last: float

    def pause(self) -> float:
        """Seconds after the last try in which no other is taken."""
        beyond = self.failed - FREE_TRIES
        return 0.0 if beyond < 0 else min(FIRST_PAUSE * 2.0 ** min(beyond, 10), LONGEST_PAUSE)


class Slowing:
    """Counts wrong tokens by address: a few are free, then each doubles the pause before the next try."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._tries: RecentMap[str, _Tries] = RecentMap(REMEMBERED)

    def __len__(self) -> int:
        return len(self._tries)

    def check(self, address: str) -> None:
        """Whether an address may try a token now.

        Raises:
            Problem: it has to wait.
        """
        tries = self._tries.get(address)
        left = tries.last + tries.pause() - self._clock() if tries else 0.0
        if left > 0:
            seconds = str(math.ceil(left))
            raise Problem(
                429,
                "too_many_requests",
                f"too many wrong tokens came from your address; wait {seconds} s",
                headers={"Retry-After": seconds},
            )

    def failed(self, address: str) -> None:
        """Note a wrong token."""
        now, tries = self._clock(), self._tries.get(address)
        earlier = tries.failed if tries and now - tries.last < FORGOTTEN_AFTER else 0
        self._tries.put(address, _Tries(earlier + 1, now))
