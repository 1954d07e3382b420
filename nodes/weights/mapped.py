"""Safetensors files mapped into memory: a tensor takes memory while it is read, and can be let go."""

from __future__ import annotations

import json
import mmap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

DTYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "F8_E4M3": torch.float8_e4m3fn,
    "F8_E5M2": torch.float8_e5m2,
    "I64": torch.int64,
    "I32": torch.int32,
    "I16": torch.int16,
    "I8": torch.int8,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}
"""torch's types by the names that safetensors gives them."""
LENGTH_BYTES = 8
METADATA = "__metadata__"


class MappedFile:
    """One file; the process holds of it what was read and not released.

    Args:
        path: a safetensors file.

    Raises:
        ValueError: it is no safetensors file, or a damaged one.
    """

    def __init__(self, path: Path) -> None:
        _check(path)
        with path.open("rb") as file:
            self._map = mmap.mmap(
                file.fileno(), 0, access=mmap.ACCESS_COPY
            )  # torch wants to be able to write
        self._bytes = torch.frombuffer(self._map, dtype=torch.uint8)
        start = LENGTH_BYTES + int.from_bytes(self._map[:LENGTH_BYTES], "little")
        self._entries: Mapping[str, Any] = json.loads(self._map[LENGTH_BYTES:start])
        self._data = self._bytes[start:]

    def tensors(self, prefix: str = "") -> Iterator[tuple[str, Tensor]]:
        """The tensors whose names begin with ``prefix``, by what follows it; nothing is read yet."""
        for name, entry in self._entries.items():
            if name.startswith(prefix) and name != METADATA:
                yield name.removeprefix(prefix), self._tensor(name, entry)

    def owns(self, tensor: Tensor) -> bool:
        """Whether a tensor is a view of this file."""
        return tensor.untyped_storage().data_ptr() == self._bytes.untyped_storage().data_ptr()

    def release(self, tensor: Tensor) -> None:
        """Let go of the memory that reading a tensor of this file took; it can be read again."""
        if not hasattr(mmap, "MADV_DONTNEED"):
            return
        start = tensor.data_ptr() - self._bytes.data_ptr()
        first = start // mmap.PAGESIZE * mmap.PAGESIZE
        self._map.madvise(mmap.MADV_DONTNEED, first, start + tensor.nbytes - first)

    def _tensor(self, name: str, entry: Mapping[str, Any]) -> Tensor:
        if entry["dtype"] not in DTYPES:
            raise ValueError(f"{name!r} is of type {entry['dtype']}; known are {', '.join(DTYPES)}")
        dtype, (begin, end) = DTYPES[entry["dtype"]], entry["data_offsets"]
        stored = self._data[begin:end]
        if stored.storage_offset() % dtype.itemsize:
            stored = stored.clone()  # written without regard to alignment
        return stored.view(dtype).reshape(entry["shape"])


class MappedTensors(dict[str, Tensor]):
    """Tensors of several files, by name.

    Args:
        paths: safetensors files.
        prefix: only tensors whose names begin with it, by what follows it.

    Raises:
        ValueError: a file is no safetensors file, or a damaged one.
    """

    def __init__(self, paths: list[Path], prefix: str = "") -> None:
        self.prefix = prefix
        self._files = [MappedFile(path) for path in paths]
        super().__init__(pair for file in self._files for pair in file.tensors(prefix))

    def owns(self, tensor: Tensor) -> bool:
        """Whether a tensor is a view of one of the files."""
        return any(file.owns(tensor) for file in self._files)

    def release(self, tensor: Tensor) -> None:
        """Let go of the memory that reading a tensor took, where it is a view of one of the files."""
        for file in self._files:
            if file.owns(tensor):
                file.release(tensor)


def _check(path: Path) -> None:
    """Leave the checks of the header (sizes, overlaps, bounds) to safetensors."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt"):
            return
    except SafetensorError as error:
        raise ValueError(f"{path.name} is not a readable safetensors file ({error})") from error
