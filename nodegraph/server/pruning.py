"""Letting go of files that nobody keeps: previews, oldest first."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple


class _Kept(NamedTuple):
    modified: float
    path: Path
    size: int


def prune_files(folder: Path, limit: int) -> int:
    """Delete the oldest files below a folder, until what is left takes up to ``limit`` bytes.

    Returns:
        How many were deleted.

    Raises:
        OSError: one cannot be.
    """
    kept = sorted(_files(folder))
    total, deleted = sum(file.size for file in kept), 0
    for file in kept:
        if total <= limit:
            break
        file.path.unlink(missing_ok=True)
        total, deleted = total - file.size, deleted + 1
    return deleted


def _files(folder: Path) -> Iterator[_Kept]:
    for path in folder.rglob("*"):
        try:
            state = path.lstat()
        except FileNotFoundError:  # a run may replace files meanwhile
            continue
        if not path.is_dir():
            yield _Kept(state.st_mtime, path, state.st_size)
