"""What this machine computes on: devices, the dtypes that suit them, and how much memory there is."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from nodegraph.errors import InputError, OutOfMemory

if TYPE_CHECKING:
    import torch

GIB = 1 << 30
UNKNOWN_RAM = 8 * GIB
CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")
OUT_OF_MEMORY_SIGNS = (
    "out of memory",
    "can't allocate memory",
    "not enough memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
)


def pick_device(name: str = "auto") -> torch.device:
    """The device of that name; ``auto`` is CUDA where there is one, else MPS, else the CPU.

    Raises:
        InputError: there is no such device here.
    """
    import torch

    available = available_devices()
    if name == "auto":
        return torch.device(available[0])
    if name == "cuda" and "cuda:0" in available:
        return torch.device("cuda:0")
    if name not in available:
        raise InputError("device", f"{name!r} is not available here; there are: auto, {', '.join(available)}")
    return torch.device(name)


def available_devices() -> list[str]:
    """Names of the devices of this machine, best first."""
    import torch

    cuda = (
        [f"cuda:{index}" for index in range(torch.cuda.device_count())] if torch.cuda.is_available() else []
    )
    return [*cuda, *(["mps"] if torch.backends.mps.is_available() else []), "cpu"]


def compute_dtype(device: torch.device, override: torch.dtype | None = None) -> torch.dtype:
    """The floating-point type that models compute in on a device.

    float16 on CUDA and MPS, where it halves memory and is fast on every generation; float32 on the CPU,
    which has no fast half precision. It is a wish: a recipe whose model overflows in float16 builds it in
    bfloat16 or float32 instead.
    """
    import torch

    if override is not None:
        return override
    return torch.float32 if device.type == "cpu" else torch.float16


def default_model_bytes(device: torch.device) -> int:
    """How many bytes of models a device shall hold, the rest being for what is computed with them.

    Three quarters of the free memory of a CUDA device, and at most all but 1 GiB of it; elsewhere half of
    the memory of the machine.
    """
    import torch

    if device.type != "cuda":
        return total_ram() // 2
    free, _ = torch.cuda.mem_get_info(device)
    return max(0, free - max(free // 4, GIB))


def total_ram() -> int:
    """Bytes of main memory that this process may use; 8 GiB where the system does not say."""
    try:
        pages, page_size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return UNKNOWN_RAM
    return min(pages * page_size, _container_limit())


def _container_limit() -> int:
    try:
        return int(CGROUP_LIMIT.read_text())
    except (OSError, ValueError):  # no container, or "max"
        return sys.maxsize


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that a device or the machine has no memory left."""
    if isinstance(error, MemoryError | OutOfMemory):
        return True
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(error, torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(sign in str(error) for sign in OUT_OF_MEMORY_SIGNS)
