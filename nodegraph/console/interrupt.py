"""Ctrl-C cancels a run in order; a second one leaves at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import typer

from nodegraph.execution.base import CancelToken


@contextmanager
def cancelled_by_interrupt() -> Iterator[CancelToken]:
    """A token that Ctrl-C sets while the ``with`` block lasts."""
    token = CancelToken()

    def stop(number: int, frame: FrameType | None) -> None:
        if token.cancelled:
            raise KeyboardInterrupt
        # A signal handler may stand inside any lock of this thread, the token's own included.
        threading.Thread(target=token.cancel, daemon=True).start()
        typer.echo("\nstopping; press Ctrl-C again to leave at once", err=True)

    previous = signal.signal(signal.SIGINT, stop)
    try:
        yield token
    finally:
        signal.signal(signal.SIGINT, previous)
