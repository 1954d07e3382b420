"""Letting go of files that nobody keeps: previews, oldest first."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

KEPT = 0.9
"""To what part of the limit it goes down: so that not every look has to sort them all."""


def prune_files(folder: Path, limit: int) -> int:
    """Delete the oldest files below a folder, if they take more than ``limit`` bytes, until they take less.

    Returns:
        How many were deleted.

    Raises:
        OSError: one cannot be.
    """
    total, deleted = sum(size for _, _, size in _files(folder)), 0
    if total <= limit:
        return deleted
    for _, path, size in sorted(_files(folder)):
        if total <= limit * KEPT:
            break
        with suppress(FileNotFoundError):
            os.unlink(path)  # noqa: PTH108 - text takes less room, and there may be very many
        total, deleted = total - size, deleted + 1
    return deleted


def _files(folder: Path | str) -> Iterator[tuple[float, str, int]]:
    """When each was written, where it is, and its bytes; those that vanish meanwhile are left out."""
    with suppress(FileNotFoundError), os.scandir(folder) as listing:
        for item in listing:
            if item.is_dir(follow_symlinks=False):
                yield from _files(item.path)
            else:
                with suppress(FileNotFoundError):  # a run may replace files meanwhile
                    state = item.stat(follow_symlinks=False)
                    yield state.st_mtime, item.path, state.st_size
