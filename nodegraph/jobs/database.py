"""The one SQLite file of a server: opened, checked, brought up to date, written in transactions."""

from __future__ import annotations

import errno
import logging
import os
import shutil
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from nodegraph.jobs.records import StorageError
from nodegraph.jobs.redaction import add_functions
from nodegraph.system_errors import system_message

logger = logging.getLogger(__name__)

BUSY_SECONDS = 10.0
LITTLE_BYTES = 1 << 16
"""With less than this on the disk, an error of reading or writing is taken for a lack of room."""
NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE workflows (digest TEXT PRIMARY KEY, document TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE jobs (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        owner TEXT NOT NULL,
        state TEXT NOT NULL,
        priority INTEGER NOT NULL,
        position REAL NOT NULL,
        created REAL NOT NULL,
        started REAL,
        finished REAL,
        attempts INTEGER NOT NULL DEFAULT 0,
        cancel_requested INTEGER NOT NULL DEFAULT 0,
        workflow TEXT NOT NULL REFERENCES workflows (digest),
        targets TEXT,
        label TEXT NOT NULL,
        client TEXT NOT NULL,
        extra TEXT NOT NULL,
        idempotency_key TEXT,
        webhook TEXT,
        time_limit REAL,
        result TEXT
    );
    CREATE UNIQUE INDEX jobs_by_key ON jobs (owner, idempotency_key) WHERE idempotency_key IS NOT NULL;
    CREATE INDEX jobs_waiting ON jobs (priority DESC, position) WHERE state IN ('queued', 'interrupted');
    CREATE INDEX jobs_by_state ON jobs (state, number);
    CREATE INDEX jobs_by_owner ON jobs (owner, state, number);
    CREATE INDEX jobs_by_workflow ON jobs (workflow);
    CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE tokens (
        name TEXT PRIMARY KEY, user TEXT NOT NULL, scopes TEXT NOT NULL, digest TEXT NOT NULL UNIQUE,
        created REAL NOT NULL, revoked REAL
    ) WITHOUT ROWID;
    CREATE TABLE webhooks (
        job TEXT PRIMARY KEY, url TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, due REAL NOT NULL,
        error TEXT NOT NULL DEFAULT ''
    ) WITHOUT ROWID;
    CREATE INDEX webhooks_due ON webhooks (due);
    """,
    """
    UPDATE jobs SET result = without_tracebacks(result) WHERE instr(result, '"traceback":')
    """,
    """
    ALTER TABLE jobs ADD COLUMN summary TEXT NOT NULL DEFAULT '{}'
    """,
)
"""One script for each version of the schema; a published one is never changed, only followed."""


class Database:
    """A connection that several threads may share: each transaction has it for itself.

    A transaction that returned is on the disk (write-ahead log, synced), also after a power cut.
    """

    def __init__(self, path: Path) -> None:
        """Open or make the file.

        A damaged file is set aside under another name and a new one begun, which the log tells.

        Raises:
            StorageError: it cannot be used, or a newer version of the program made it.
        """
        self.path = path
        self._lock = threading.RLock()
        with _plain_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                self._db = _open(path)
            except sqlite3.OperationalError:
                raise
            except sqlite3.DatabaseError as error:
                _set_aside(path, error)
                self._db = _open(path)
            self._migrate()

    def _migrate(self) -> None:
        version = int(self._db.execute("PRAGMA user_version").fetchone()[0])
        if version > len(MIGRATIONS):
            self._db.close()
            raise StorageError(
                f"{self.path} was made by a newer version of nodegraph (schema {version}, this one knows "
                f"{len(MIGRATIONS)}); use that version, or another data folder"
            )
        for number, script in enumerate(MIGRATIONS[version:], version + 1):
            self._db.executescript(f"BEGIN IMMEDIATE;{script};PRAGMA user_version = {number};COMMIT")

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Read and write; all of it happens, or nothing.

        Raises:
            StorageError: the disk is full, the folder read-only, or another process holds the file.
        """
        with self._lock, _plain_errors(self.path):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):  # SQLite has rolled back by itself if the disk was full
                    self._db.execute("ROLLBACK")
                raise

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Read only."""
        with self._lock, _plain_errors(self.path):
            yield self._db

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()


def _open(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        db.row_factory = sqlite3.Row
        add_functions(db)
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA foreign_keys = ON")
        if not os.access(path, os.W_OK):  # SQLite would tell it when the first job comes
            raise sqlite3.OperationalError("the file is read-only")
        if db.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
            raise sqlite3.DatabaseError("it fails SQLite's own check")
    except sqlite3.Error:
        db.close()
        raise
    return db


def _set_aside(path: Path, error: sqlite3.DatabaseError) -> None:
    aside = path.with_name(f"{path.name}.damaged-{time.strftime('%Y%m%d-%H%M%S')}")
    logger.error("%s is damaged (%s); it is kept as %s, and a new one is begun", path, error, aside.name)
    for suffix in ("", "-wal", "-shm"):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(aside.with_name(aside.name + suffix))


@contextmanager
def _plain_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.IntegrityError:
        raise
    except (sqlite3.Error, OSError) as error:
        raise _in_words(path, error) from error


def _in_words(path: Path, error: sqlite3.Error | OSError) -> StorageError:
    if _lacks_room(path, error):
        return StorageError(f"{path} cannot be used: the disk is full; make room on it", full=True)
    if isinstance(error, FileExistsError | NotADirectoryError):
        return StorageError(f"{path} cannot be used: {path.parent} is not a folder")
    if isinstance(error, OSError):
        return StorageError(f"the folder of data cannot be used: {system_message(error)}")
    return StorageError(f"{path} cannot be used: {_why(path) or error}")


def _why(path: Path) -> str:
    """What SQLite has no words for; empty where it is none of that."""
    remedy = "let this user write there, or name another folder"
    try:
        if path.parent.is_dir() and not _writable(path.parent):
            return f"the folder is read-only; {remedy}"
        if path.is_dir():
            return "it is a folder; move it away, or name another folder of data"
        if path.exists() and not os.access(path, os.R_OK | os.W_OK):
            return f"the file is read-only; {remedy}"
    except OSError as closed:
        return system_message(closed)
    return ""


def _lacks_room(path: Path, error: sqlite3.Error | OSError) -> bool:
    if isinstance(error, OSError):
        return error.errno in NO_ROOM
    kind = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the rest says where it happened
    if kind == sqlite3.SQLITE_IOERR and path.parent.is_dir():
        return shutil.disk_usage(path.parent).free < LITTLE_BYTES
    return kind == sqlite3.SQLITE_FULL


def _writable(folder: Path) -> bool:
    """Whether files may be made in a folder; root may everywhere but on a read-only file system."""
    return os.access(folder, os.W_OK)
