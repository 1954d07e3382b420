"""Worker threads: CPU nodes side by side, one node at a time on the device."""

from __future__ import annotations

import sys
import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, NoReturn, TypeVar

T = TypeVar("T")


class Lane(Generic[T]):
    """A queue and the threads that serve it. Threads start when there is work and end with the run.

    A thread carries on with what its last item made ready, without a queue between. Several threads
    share the work only while it is heavy: for trivial items they would spend more time handing the
    interpreter lock to each other than working, so then one thread works and the others sleep.

    Args:
        limit: how many threads at most.
        work: runs an item and returns the next one to carry on with, or ``None``.
        heavy: whether an item is worth a thread of its own.
        lock: guards the queue, and the state of the run around it.
        torch_threads: how many threads torch may use inside one item; ``None`` for its default.
    """

    def __init__(
        self,
        name: str,
        limit: int,
        work: Callable[[T], T | None],
        heavy: Callable[[T], bool],
        lock: threading.Lock,
        torch_threads: int | None = None,
    ) -> None:
        self._name = name
        self._limit = limit
        self._work = work
        self._heavy = heavy
        self._ready: deque[T] = deque()
        self._lock = lock
        self._awake = threading.Condition(lock)
        self._threads: list[threading.Thread] = []
        self._active = 0
        self._busy = 0
        self._closed = False
        self._torch_threads = torch_threads

    def push(self, item: T) -> None:
        """Queue an item; the caller holds the lock."""
        self._ready.append(item)
        if self._active == self._busy or self._heavy(item):
            self._wake_one()

    def drain(self) -> list[T]:
        """Take every queued item back; the caller holds the lock."""
        items = list(self._ready)
        self._ready.clear()
        return items

    def close(self) -> None:
        """Let the threads end, now that no work is left; the caller holds the lock."""
        self._closed = True
        self._work = self._heavy = _refuse  # lanes and run shall not keep each other from being freed
        self._awake.notify_all()

    def _wake_one(self) -> None:
        if self._active < len(self._threads):
            self._awake.notify()
        elif len(self._threads) < self._limit:
            thread = threading.Thread(target=self._serve, name=f"nodegraph-{self._name}-{len(self._threads)}")
            thread.daemon = True  # a node that never returns must not keep the process from ending
            self._threads.append(thread)
            self._active += 1
            thread.start()

    def _serve(self) -> None:
        prepared = False
        while (item := self._next()) is not None:
            following: T | None = item
            while following is not None:
                if not prepared and "torch" in sys.modules:
                    prepare_torch(self._torch_threads)
                    prepared = True
                following = self._work_busily(following) if self._heavy(following) else self._work(following)

    def _work_busily(self, item: T) -> T | None:
        """Work on an item that takes a while: others see to what is ready, trivial or not."""
        with self._lock:
            self._busy += 1
            if self._ready:
                self._wake_one()
        try:
            return self._work(item)
        finally:
            with self._lock:
                self._busy -= 1

    def _next(self) -> T | None:
        with self._awake:
            self._active -= 1
            while not self._closed and not self._may_take():
                self._awake.wait()
            self._active += 1
            return self._ready.popleft() if self._ready else None

    def _may_take(self) -> bool:
        return bool(self._ready) and (self._active == self._busy or self._heavy(self._ready[0]))


def _refuse(item: object) -> NoReturn:
    """Stands in for the functions of a closed lane, which has no item to call them with."""
    raise AssertionError(f"a closed lane was given {item!r}")


def prepare_torch(threads: int | None) -> None:
    """Set up torch for this thread: no gradients, and ``threads`` threads inside one operation.

    torch keeps the number of threads per thread, but a new thread starts from the value set last by
    any: a short-lived thread puts that back, so that code outside the engine is not affected.
    """
    import torch

    torch.set_grad_enabled(False)
    if threads is None:
        return
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    restore = threading.Thread(target=torch.set_num_threads, args=(before,))
    restore.start()
    restore.join()
