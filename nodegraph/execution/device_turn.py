"""One node at a time on the device."""

from __future__ import annotations

import sys
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, TypeVar

from nodegraph.execution.lanes import prepare_torch

T = TypeVar("T")


class DeviceTurn:
    """Does one thing at a time, for every run.

    CUDA's libraries keep what they prepared for the thread that asked for it: cuDNN, in a thread that is new,
    plans every convolution anew, which takes as long as half of a picture of Stable Diffusion 1.5. There, all
    is done in one thread. It is a daemon, so that a node that never returns does not keep the process from
    ending, and ends with this object. On the CPU each run has its own, because OpenMP, too, keeps threads for
    every thread that used it, and slows all down where they are more than the cores.

    Args:
        own_thread: whether all is done in one thread, instead of in those that ask for it.
    """

    def __init__(self, *, own_thread: bool = False) -> None:
        self._own_thread = own_thread
        self._jobs: _Jobs = SimpleQueue()
        self._turn = threading.Lock()
        self._started = False

    def call(self, work: Callable[[], T]) -> T:
        """What ``work`` returns or raises, once what was asked for before is done."""
        if not self._own_thread:
            with self._turn:
                return work()
        self._start()
        job: Future[T] = Future()
        self._jobs.put((job, work))
        return job.result()

    def _start(self) -> None:
        with self._turn:
            if not self._started:
                thread = threading.Thread(target=_serve, args=(self._jobs,), name="nodegraph-on-device")
                thread.daemon = True
                thread.start()
                weakref.finalize(self, self._jobs.put, None)
                self._started = True


_Jobs = SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None]


def _serve(jobs: _Jobs) -> None:
    while (job := jobs.get()) is not None:
        _do(*job)
        del job  # what the last job held is not to live until the next one


def _do(job: Future[Any], work: Callable[[], Any]) -> None:
    if "torch" in sys.modules:
        prepare_torch(None)  # each time: a node may have changed it
    try:
        job.set_result(work())
    except BaseException as error:  # noqa: BLE001 - it is raised where it was asked for
        job.set_exception(error)
