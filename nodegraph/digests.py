"""SHA-256 of files, remembered as long as they do not change."""

from __future__ import annotations

import hashlib
import logging
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path

logger = logging.getLogger(__name__)

CHUNK_BYTES = 1 << 20
RACY_NANOSECONDS = 2_000_000_000
TABLE = (
    "CREATE TABLE IF NOT EXISTS digests (path TEXT PRIMARY KEY, stamp TEXT NOT NULL, digest TEXT NOT NULL)"
)


class DigestCache:
    """SHA-256 of files, remembered by path, size, modification time and inode.

    A file modified less than two seconds ago is digested anew each time, because a second change within
    the clock's grain could leave size and time as they were. The database only saves time: a damaged one
    is begun anew, and one that cannot be used is done without.
    """

    def __init__(self, database: Path | None = None) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, tuple[str, str]] = {}  # what the database says, without asking it each time
        self._db = _opened(database) if database else None

    def digest(self, path: Path) -> str:
        """Hexadecimal SHA-256 of a file, or of the names and digests of all files of a folder."""
        if not path.is_dir():
            return self._file_digest(path)
        tree = hashlib.sha256(b"folder\0")
        for name, member in sorted(_members(path)):
            tree.update(f"{name}\0{self._file_digest(member)}\0".encode(errors="surrogateescape"))
        return tree.hexdigest()

    def _file_digest(self, path: Path) -> str:
        place = str(path.absolute())
        status = path.stat()
        stamp = f"{status.st_size}:{status.st_mtime_ns}:{status.st_ino}"
        known = self._known.get(place) or self._recall(place)
        if known and known[0] == stamp:
            return known[1]
        digest = sha256_of(path)
        if time.time_ns() - status.st_mtime_ns > RACY_NANOSECONDS:
            self._remember(place, stamp, digest)
        return digest

    def _recall(self, place: str) -> tuple[str, str] | None:
        rows = self._ask("SELECT stamp, digest FROM digests WHERE path = ?", place)
        for stamp, digest in rows:
            self._known[place] = (str(stamp), str(digest))
        return self._known.get(place)

    def _remember(self, place: str, stamp: str, digest: str) -> None:
        self._known[place] = (stamp, digest)
        self._ask("INSERT OR REPLACE INTO digests VALUES (?, ?, ?)", place, stamp, digest)

    def _ask(self, statement: str, *values: str) -> list[tuple[str, str]]:
        with self._lock:
            if self._db is None:
                return []
            try:
                return self._db.execute(statement, values).fetchall()
            except (sqlite3.Error, UnicodeEncodeError) as error:
                logger.warning("digests of files are not remembered: %s", error)
                self._db.close()
                self._db = None
                return []

    def close(self) -> None:
        """Close the database."""
        if self._db is not None:
            self._db.close()


def _opened(path: Path) -> sqlite3.Connection | None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            return _connect(path)
        except sqlite3.OperationalError:
            raise  # locked, read-only, disk full: nothing is wrong with what is in it
        except sqlite3.DatabaseError as error:
            logger.warning("%s is damaged and begun anew: %s", path, error)
            path.unlink()
            return _connect(path)
    except (OSError, sqlite3.Error, ValueError) as error:
        logger.warning("digests of files are not remembered in %s: %s", path, error)
        return None


def _connect(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=30)
    try:
        db.execute(TABLE)
        if db.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
            raise sqlite3.DatabaseError("it fails SQLite's own check")
    except sqlite3.Error:
        db.close()
        raise
    return db


def _members(folder: Path) -> Iterator[tuple[str, Path]]:
    """Every file below a folder, with its name there; links to folders are not followed."""
    for current, _, files in os.walk(folder):
        here = Path(current)
        inside = here.relative_to(folder)
        yield from (((inside / name).as_posix(), here / name) for name in files if (here / name).is_file())


def sha256_of(path: Path) -> str:
    """Hexadecimal SHA-256 of one file's bytes, read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
