"""Sessions of browsers: a cookie in place of a token, so that no script of a page ever holds the token."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from nodegraph.server.security.recent import RecentMap
from nodegraph.server.security.slowing import Slowing

SESSION_COOKIE = "nodegraph_session"
SECONDS = 7 * 24 * 3600.0
MAX_SESSIONS = 10_000


@dataclass(frozen=True, slots=True)
class _Session:
    secret: str
    ends: float


class Sessions:
    """Which session stands for which token; in memory only, so a restart ends all of them.

    A session is worth no more than its token: that is looked at anew with each request, so revoking the
    token ends its sessions. Ids are kept hashed, as tokens are.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._sessions: RecentMap[bytes, _Session] = RecentMap(MAX_SESSIONS)

    def begin(self, secret: str) -> str:
        """A new session for a token; returns its id, which only the browser keeps."""
        id = secrets.token_urlsafe(32)
        self._sessions.put(_hashed(id), _Session(secret, self._clock() + SECONDS))
        return id

    def secret(self, id: str) -> str | None:
        """The token of a session, or ``None`` where there is none or it is over."""
        session = self._sessions.get(_hashed(id)) if id else None
        return session.secret if session and session.ends > self._clock() else None

    def end(self, id: str) -> None:
        """Forget a session."""
        self._sessions.discard(_hashed(id))


def _hashed(id: str) -> bytes:
    return hashlib.sha256(id.encode(errors="replace")).digest()


SESSIONS = web.RequestKey("sessions", Sessions)
SLOWING = web.RequestKey("slowing", Slowing)
"""The sessions and the count of wrong tokens, for the route that logs in."""
