"""``nodegraph cache``: the results that outlive a run."""

from __future__ import annotations

from pathlib import Path

from nodegraph.cache.disk import DiskStore
from nodegraph.console.engines import EngineOptions
from nodegraph.console.errors import DONE, FAILED, counted
from nodegraph.console.output import complain, say
from nodegraph.locations import DISK_CACHE_BYTES
from nodegraph.workflow.writing import dump_json


def info_command(cache: Path | None, *, as_json: bool) -> int:
    """Say where the cache is and how full."""
    store = _store(cache)
    info = store.info()
    if as_json:
        say(dump_json({"folder": str(store.folder), **info._asdict()}, 2))
    else:
        say(store.folder)
        say(f"{counted(info.entries, 'result')}, {size(info.bytes)} of {size(info.limit)}")
    return DONE


def clear_command(cache: Path | None) -> int:
    """Forget every result."""
    store = _store(cache)
    before = store.info()
    store.clear()
    say(f"removed {counted(before.entries, 'result')}, {size(before.bytes)}")
    return DONE


def verify_command(cache: Path | None) -> int:
    """Check every result; damaged ones are removed, and computed anew when they are next needed."""
    store = _store(cache)
    damaged = store.verify()
    for key in damaged:
        complain(f"damaged and removed: {key.hex()}")
    say(f"{counted(store.info().entries, 'result')} intact, {len(damaged)} damaged")
    return FAILED if damaged else DONE


def _store(cache: Path | None) -> DiskStore:
    return DiskStore(EngineOptions(cache=cache).cache_folder / "results", DISK_CACHE_BYTES)


def size(count: float) -> str:
    """A number of bytes as people say it: ``640 B``, ``1.5 GiB``."""
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} GiB"
