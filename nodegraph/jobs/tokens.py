"""The tokens that let clients in."""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
import time
from collections.abc import Collection
from dataclasses import dataclass

from nodegraph.jobs.database import Database
from nodegraph.jobs.records import JobError

PREFIX = "ngt_"
MAX_NAME = 200


@dataclass(frozen=True, slots=True)
class Token:
    """What is kept of a token; its secret is not.

    Attributes:
        name: what its owner calls it.
        user: whom it speaks for.
        scopes: what it allows.
        created: when, in seconds since 1970.
    """

    name: str
    user: str
    scopes: frozenset[str]
    created: float


class TokenStore:
    """Tokens by the SHA-256 of their secrets.

    A secret is 256 random bits, so that a plain hash cannot be turned back; slow hashes are for passwords,
    which people choose. Looking the digest up compares no secret, so time tells nothing of one.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, name: str, user: str, scopes: Collection[str]) -> str:
        """Make a token; returns its secret, which cannot be had again.

        From the first one on, nobody is told where files lie: not by what the history holds either.

        Raises:
            JobError: there is a token of that name, or name or user are none.
        """
        _check_names(token=name, user=user)
        secret = PREFIX + secrets.token_urlsafe(32)
        values = (name, user, " ".join(sorted(scopes)), _digest(secret), time.time())
        try:
            with self._database.transaction() as db:
                if not _any(db):
                    db.execute("UPDATE jobs SET result = without_paths(result) WHERE result IS NOT NULL")
                db.execute("INSERT INTO tokens VALUES (?, ?, ?, ?, ?, NULL)", values)
        except sqlite3.IntegrityError:
            raise JobError(f"there is a token called {name!r}; revoke it, or choose another name") from None
        return secret

    def verify(self, secret: str) -> Token | None:
        """The token with that secret, or ``None``."""
        with self._database.reading() as db:
            statement = "SELECT * FROM tokens WHERE digest = ? AND revoked IS NULL"
            row = db.execute(statement, (_digest(secret),)).fetchone()
        return _token(row) if row else None

    def tokens(self) -> list[Token]:
        """All tokens, by name."""
        with self._database.reading() as db:
            return [
                _token(row) for row in db.execute("SELECT * FROM tokens WHERE revoked IS NULL ORDER BY name")
            ]

    def any(self) -> bool:
        """Whether there ever was one: a server whose last token was revoked lets no one in."""
        with self._database.reading() as db:
            return _any(db)

    def revoke(self, name: str) -> bool:
        """Let a token in no more; ``False`` if there is none of that name."""
        if not _is_name(name):
            return False
        with self._database.transaction() as db:
            statement = "UPDATE tokens SET revoked = ? WHERE name = ? AND revoked IS NULL"
            return bool(db.execute(statement, (time.time(), name)).rowcount)


def _is_name(name: str) -> bool:
    return 0 < len(name) <= MAX_NAME and name.isprintable()


def _check_names(**names: str) -> None:
    for what, name in names.items():
        if not _is_name(name):
            raise JobError(f"the name of a {what} has 1 to {MAX_NAME} characters that can be printed")


def _any(db: sqlite3.Connection) -> bool:
    return db.execute("SELECT 1 FROM tokens LIMIT 1").fetchone() is not None


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _token(row: sqlite3.Row) -> Token:
    return Token(row["name"], row["user"], frozenset(row["scopes"].split()), row["created"])
