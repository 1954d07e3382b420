"""The files of a disk store: listing them, and removing those used longest ago."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple


class StoredFile(NamedTuple):
    """One file. In sorted order, what was used longest ago comes first, and documents before blobs.

    Attributes:
        used: when it was last used, in nanoseconds since 1970.
        is_blob: whether it is a blob, not a document.
        size: bytes.
        path: where it is; text, because there may be very many.
    """

    used: int
    is_blob: bool
    size: int
    path: str

    @property
    def stem(self) -> str:
        """Its name without the ending."""
        return os.path.splitext(os.path.basename(self.path))[0]  # noqa: PTH119, PTH122 - see ``path``


def files_in(folder: Path, suffix: str, *, are_blobs: bool = False) -> Iterator[StoredFile]:
    """The files of a folder that end in ``suffix``; those that vanish meanwhile are left out."""
    try:
        listing = os.scandir(folder)
    except FileNotFoundError:
        return
    with listing:
        for item in listing:
            if item.name.endswith(suffix):
                try:
                    status = item.stat()
                except FileNotFoundError:
                    continue
                yield StoredFile(status.st_mtime_ns, are_blobs, status.st_size, item.path)


def shrink(files: Iterable[StoredFile], total: int, target: int) -> int:
    """Remove files in order until at most ``target`` of ``total`` bytes are left; returns what is left."""
    for file in sorted(files):
        if total <= target:
            break
        _remove(file)
        total -= file.size
    return total


def remove_unused(files: Iterable[StoredFile], seconds: float) -> None:
    """Remove the files not used for so many seconds."""
    now = time.time_ns()
    for file in files:
        if now - file.used > seconds * 1e9:
            _remove(file)


def _remove(file: StoredFile) -> None:
    with suppress(FileNotFoundError):
        os.unlink(file.path)  # noqa: PTH108 - see ``StoredFile.path``
