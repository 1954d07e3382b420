"""Files that are numbered in the order they are written: ``name_00001.png``, ``name_00002.png``, …"""

from __future__ import annotations

import errno
import os
import reprlib
import tempfile
import threading
import unicodedata
from collections import OrderedDict
from collections.abc import Collection
from pathlib import Path

from nodegraph.errors import FileProblem
from nodegraph.system_errors import system_reason

REMEMBERED = 1_000
UNNAMEABLE = ("Cc", "Cs")
"""Unicode's categories of control characters, which a terminal obeys, and of halves of characters."""


def write_numbered(root: Path, prefix: str, suffix: str, data: bytes, closed: Collection[str] = ()) -> Path:
    """Write ``<root>/<prefix>_00001<suffix>`` or the next free number, whole or not at all.

    Args:
        closed: names of folders in ``root`` that nothing is written to, however their letters are cased.

    Raises:
        FileProblem: ``prefix`` names no file, leads outside ``root``, is too long or holds control
            characters, or the file cannot be written.
    """
    if any(unicodedata.category(character) in UNNAMEABLE for character in prefix):
        raise FileProblem(f"{prefix!r} holds characters that no file's name should; use letters")
    home, base = root.resolve(), (root / prefix).resolve()
    if base == home:
        raise FileProblem(f"{prefix!r} names no file in the output folder; use a name, or folder/name")
    if home not in base.parents:
        raise FileProblem(f"{prefix!r} leads outside the output folder; use a name, or folder/name")
    if base.parent != home and base.relative_to(home).parts[0].casefold() in closed:
        raise FileProblem(f"{prefix!r} leads to the files of other users; use another folder")
    try:
        base.parent.mkdir(parents=True, exist_ok=True)
        return _write_next(base, suffix, data)
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            shown = reprlib.repr(prefix)
            raise FileProblem(f"{shown} is too long for a file's name; use a shorter one") from error
        raise FileProblem(f"{base.parent} cannot be written: {system_reason(error)}") from error


def _write_next(base: Path, suffix: str, data: bytes) -> Path:
    path = _reserve(base, suffix)
    handle, temporary = tempfile.mkstemp(dir=base.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except OSError:
        Path(temporary).unlink(missing_ok=True)
        path.unlink(missing_ok=True)
        raise
    return path


def _reserve(base: Path, suffix: str) -> Path:
    """Create the next free name, so that no other process takes it too."""
    number = _LAST.number(base, suffix)
    while True:
        number += 1
        path = _numbered(base, number, suffix)
        try:
            path.open("xb").close()
        except FileExistsError:
            continue
        _LAST.note(base, suffix, number)
        return path


def _numbered(base: Path, number: int, suffix: str) -> Path:
    return base.with_name(f"{base.name}_{number:05}{suffix}")


class _LastNumbers:
    """The last numbers that this process took: a folder of very many files is not listed for each."""

    def __init__(self) -> None:
        self._numbers: OrderedDict[tuple[str, str], int] = OrderedDict()
        self._lock = threading.Lock()

    def number(self, base: Path, suffix: str) -> int:
        """The last one; the folder tells if that file is gone, because then its others may be too."""
        with self._lock:
            last = self._numbers.get((str(base), suffix))
        if last is not None and _numbered(base, last, suffix).exists():
            return last
        return _highest(base, suffix)

    def note(self, base: Path, suffix: str, number: int) -> None:
        """Remember one."""
        with self._lock:
            self._numbers[str(base), suffix] = number
            self._numbers.move_to_end((str(base), suffix))
            if len(self._numbers) > REMEMBERED:
                self._numbers.popitem(last=False)


_LAST = _LastNumbers()


def _highest(base: Path, suffix: str) -> int:
    start, found = f"{base.name}_", 0
    with os.scandir(base.parent) as listing:
        for item in listing:
            if item.name.startswith(start) and item.name.endswith(suffix):
                digits = item.name[len(start) : -len(suffix)]
                found = max(found, int(digits) if digits.isdecimal() else 0)
    return found
