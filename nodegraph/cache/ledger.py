"""How many bytes a folder holds, counted together by all the processes that use it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

LOCK_SECONDS = 10.0
TABLE = "CREATE TABLE IF NOT EXISTS usage (id INTEGER PRIMARY KEY CHECK (id = 0), bytes INTEGER NOT NULL)"


class Ledger:
    """A count of bytes in a small SQLite file, which is also the lock.

    SQLite locks on every platform and the lock of a killed process falls away with it. Nothing is synced
    to disk: if a power cut spoils the file, the count is taken anew.
    """

    def __init__(self, path: Path, count: Callable[[], int]) -> None:
        """``count`` gives the true number of bytes, where the file does not know it."""
        self._path = path
        self._count = count

    def add(self, size: int) -> int:
        """Add to the count; returns the new total."""
        with self._transaction() as db:
            row = db.execute("SELECT bytes FROM usage").fetchone()
            total = (int(row[0]) if row else self._count()) + size
            db.execute("INSERT OR REPLACE INTO usage VALUES (0, ?)", (total,))
        return total

    def recount(self, count: Callable[[], int]) -> None:
        """Set the total to what ``count`` returns, while every other process that wants to add waits."""
        with self._transaction() as db:
            db.execute("INSERT OR REPLACE INTO usage VALUES (0, ?)", (count(),))

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(self._connect()) as db:
                yield db
                db.execute("COMMIT")
        except sqlite3.Error as error:
            raise OSError(f"{self._path}: {error}") from error

    def _connect(self) -> sqlite3.Connection:
        try:
            return self._open()
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError:
            for path in (self._path, self._path.with_name(f"{self._path.name}-journal")):
                path.unlink(missing_ok=True)
            return self._open()

    def _open(self) -> sqlite3.Connection:
        db = sqlite3.connect(self._path, timeout=LOCK_SECONDS, isolation_level=None)
        try:
            db.execute("PRAGMA synchronous = OFF")
            db.execute("PRAGMA journal_mode = PERSIST")  # creating a file costs more than all the rest
            db.execute("BEGIN IMMEDIATE")
            db.execute(TABLE)
        except sqlite3.Error:
            db.close()
            raise
        return db
