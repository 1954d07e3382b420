"""Ctrl-C and SIGTERM cancel a run in order; a second one leaves at once."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

from nodegraph.console.output import complain

if TYPE_CHECKING:
    from nodegraph.execution.base import CancelToken

LEAVING_SECONDS = 2.0
Handler = Callable[[int, FrameType | None], object]


@contextmanager
def cancelled_by_interrupt() -> Iterator[CancelToken]:
    """A token that Ctrl-C or SIGTERM sets while the ``with`` block lasts."""
    from nodegraph.execution.base import CancelToken  # slow to import, and other commands do without

    token = CancelToken()

    def stop(number: int, frame: FrameType | None) -> None:
        if token.cancelled:
            threading.Thread(target=_leave_soon, daemon=True).start()
            raise KeyboardInterrupt
        # A signal handler may stand inside any lock of this thread, the token's own included.
        threading.Thread(target=token.cancel, daemon=True).start()
        how = "press Ctrl-C" if number == signal.SIGINT else "send SIGTERM"
        complain(f"\nstopping; {how} again to leave at once")

    with _handled(signal.SIGINT, stop), _handled(signal.SIGTERM, stop):
        yield token


def _leave_soon() -> None:
    """End the process if it does not end by itself: a node may hold on to its thread or its event loop."""
    time.sleep(LEAVING_SECONDS)
    complain("cancelled; a node did not stop, and was ended")
    os._exit(1)


@contextmanager
def terminated_as_interrupted() -> Iterator[None]:
    """While the ``with`` block lasts SIGTERM raises ``KeyboardInterrupt``, as Ctrl-C does."""
    with _handled(signal.SIGTERM, signal.default_int_handler):
        yield


@contextmanager
def _handled(number: signal.Signals, handler: Handler) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield  # Python gives signals to the main thread alone
        return
    previous = signal.signal(number, handler)
    try:
        yield
    finally:
        signal.signal(number, previous)
