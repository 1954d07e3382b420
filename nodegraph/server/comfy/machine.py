"""The machine as ``/system_stats`` tells of it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from nodegraph.hardware import total_ram


def system_info() -> dict[str, Any]:
    """The operating system, its memory, and versions; how the server was started is not told."""
    return {
        "os": sys.platform,
        "ram_total": total_ram(),
        "ram_free": free_ram(),
        "comfyui_version": installed("nodegraph"),
        "python_version": sys.version,
        "pytorch_version": installed("torch"),
        "embedded_python": False,
        "argv": [],
    }


def free_ram() -> int:
    """Bytes of main memory that nothing uses; all of it where the system does not say."""
    try:
        free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return total_ram()
    return min(free, total_ram())


def installed(package: str) -> str:
    """The version of a package; empty where it is not installed as one."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def devices(workers: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The devices that nodes compute on, each once.

    Args:
        workers: what each worker tells of its memory.
    """
    names = dict.fromkeys(str(memory["device"]) for memory in workers if "device" in memory)
    return [_device(name) for name in names or ("cpu",)]


def _device(name: str) -> dict[str, Any]:
    """One device; the memory of those with memory of their own is not known here, and told as 0."""
    kind, _, index = name.partition(":")
    total, free = (total_ram(), free_ram()) if kind == "cpu" else (0, 0)
    return {
        "name": name,
        "type": kind,
        "index": int(index) if index.isdecimal() else None,
        "vram_total": total,
        "vram_free": free,
        "torch_vram_total": total,
        "torch_vram_free": free,
    }
