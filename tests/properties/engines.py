"""Engines for tests with random input, and a watchdog."""

import os
import sys
import threading
import traceback
from pathlib import Path

from hypothesis import HealthCheck, settings

from nodegraph.cache.disk import DiskStore
from nodegraph.cache.memory import MemoryStore
from nodegraph.cache.results import KeepPolicy, ResultCache
from nodegraph.devices import DeviceManager, pick_device
from nodegraph.engine import Engine
from nodegraph.execution.local import LocalExecutor
from nodegraph.explain import RunLog
from nodegraph.files import Folders

MIB = 1 << 20
SCALE = int(os.environ.get("NODEGRAPH_CASES", "1"))


def cases(number):
    """Settings for so many examples: always the same ones, unless ``NODEGRAPH_CASES=20`` asks for 20
    times as many at random."""
    return settings(
        max_examples=number * SCALE,
        deadline=None,
        database=None,
        derandomize=SCALE == 1,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )


def make_engine(registry, folder: Path, *, memory_bytes=64 * MIB, disk=False, workers=None):
    """An engine of its own below ``folder``; with ``disk`` it stores everything there, however cheap."""
    folders = Folders(output=folder / "output")
    store = DiskStore(folder / "results", 64 * MIB) if disk else None
    cache = ResultCache(MemoryStore(memory_bytes), store, KeepPolicy(min_seconds=0.0, bytes_per_second=1e12))
    devices = DeviceManager(pick_device("cpu"), folders)
    executor, log = LocalExecutor(workers), RunLog(folder / "runs")
    return Engine(registry, cache, folders, devices, executor=executor, run_log=log)


def within(seconds, function, *args, **kwargs):
    """Call a function; fail, showing where every thread stands, if it takes longer."""
    outcome = []

    def call():
        try:
            outcome.append((function(*args, **kwargs), None))
        except BaseException as error:
            outcome.append((None, error))

    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    thread.join(seconds)
    if not outcome:
        stacks = ("".join(traceback.format_stack(frame)) for frame in sys._current_frames().values())
        raise AssertionError(f"no end after {seconds} s\n" + "\n\n".join(stacks))
    result, error = outcome[0]
    if error is not None:
        raise error
    return result
