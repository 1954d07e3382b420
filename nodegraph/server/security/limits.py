"""How much and how fast: rates by client and by user, sizes, and kinds of bodies."""

from __future__ import annotations

import asyncio
import math
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.typedefs import Handler, Middleware

from nodegraph.server.keys import SETTINGS, USER
from nodegraph.server.problems import Problem, too_large
from nodegraph.server.security.addresses import client_address
from nodegraph.server.security.recent import RecentMap
from nodegraph.server.settings import ServerSettings

T = TypeVar("T")

REMEMBERED = 10_000
MAX_HEADERS = 100
MAX_VALUES = 300_000
"""Values in one JSON body. Reading the text of so many takes tens of milliseconds, during which the
interpreter does nothing else, whatever threads there are."""
UPLOADS = frozenset(
    (
        "/api/v1/uploads",
        "/api/v1/workflows/import",
        "/upload/image",
        "/upload/mask",
        "/api/upload/image",
        "/api/upload/mask",
    )
)
"""The only places that take forms and files."""
OWN_API = "/api/v1/"
SIMPLE = ("application/x-www-form-urlencoded", "multipart/form-data", "text/plain")
"""What any page may make a browser send without asking first (the Fetch standard)."""


@dataclass
class _Bucket:
    tokens: float
    filled: float


class TokenBuckets:
    """Allows each key so many requests a second on average, and so many at once."""

    def __init__(self, rate: float, burst: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._burst, self._clock = rate, burst, clock
        self._buckets: RecentMap[str, _Bucket] = RecentMap(REMEMBERED)

    def take(self, key: str) -> float:
        """Take one; returns 0, or the seconds until there is one."""
        now, bucket = self._clock(), self._buckets.get(key)
        if bucket is None:
            bucket = _Bucket(self._burst, now)
            self._buckets.put(key, bucket)
        bucket.tokens = min(self._burst, bucket.tokens + (now - bucket.filled) * self._rate)
        bucket.filled = now
        if bucket.tokens < 1:
            return (1 - bucket.tokens) / self._rate
        bucket.tokens -= 1
        return 0.0

    def __len__(self) -> int:
        return len(self._buckets)

    def check(self, key: str) -> None:
        """Take one.

        Raises:
            Problem: there is none.
        """
        wait = self.take(key)
        if wait:
            seconds = str(math.ceil(wait))
            text = f"too many requests; the next is taken in {seconds} s"
            raise Problem(429, "too_many_requests", text, headers={"Retry-After": seconds})


class OpenStreams:
    """The event streams that are open, of whatever kind; each user may hold so many."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._open: Counter[str] = Counter()

    @contextmanager
    def held_by(self, user: str) -> Iterator[None]:
        """One more stream while the block lasts.

        Raises:
            Problem: the user holds as many as one may.
        """
        if self._open[user] >= self._limit:
            text = f"you hold {self._limit} event streams open, and no more may be; close one first"
            raise Problem(429, "too_many_requests", text)
        self._open[user] += 1
        try:
            yield
        finally:
            self._open[user] -= 1


def client_limit(settings: ServerSettings) -> Middleware:
    """Refuses requests that come too fast from one address; before anything else is done for them."""
    buckets = TokenBuckets(settings.rate, settings.rate_burst)

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        buckets.check(client_address(request, settings))
        return await handler(request)

    return guard


def user_limit(settings: ServerSettings) -> Middleware:
    """Refuses requests that come too fast from one user, from however many addresses."""
    buckets = TokenBuckets(settings.rate, settings.rate_burst)

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request[USER].name:
            buckets.check(request[USER].name)
        return await handler(request)

    return guard


def body_guard(settings: ServerSettings) -> Middleware:
    """Refuses bodies of a kind or size that the place asked for does not take."""

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        if len(request.raw_headers) > MAX_HEADERS:
            raise Problem(431, "too_large", f"a request has up to {MAX_HEADERS} header lines")
        upload = request.path in UPLOADS and request.method == "POST"
        limit = settings.max_upload + settings.max_body if upload else settings.max_body
        if not _is_userdata(request) and (request.content_length or 0) > limit:
            raise too_large("the body", limit)
        if request.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise Problem(415, "unsupported_media_type", "the body must not be compressed")
        if request.body_exists and not upload and request.match_info.http_exception is None:
            _check_kind(request)
        return await handler(request)

    return guard


def check_values(data: bytes) -> None:
    """Refuse a JSON body of very many values: reading it would keep everyone waiting for too long.

    Raises:
        Problem: there are more commas, or more escaped characters, than could be in a sensible one.
    """
    if data.count(b",") > MAX_VALUES or data.count(b"\\") > MAX_VALUES:
        text = f"the body may hold up to {MAX_VALUES} values, and as many escaped characters"
        raise Problem(413, "too_large", text)


DAMAGED_FORM = (ValueError, HttpProcessingError)
"""What reading a form raises that is none."""


async def in_time(request: web.Request, coming: Awaitable[T]) -> T:
    """What is still to come of a request's body.

    Raises:
        Problem: it does not arrive in time.
    """
    try:
        async with asyncio.timeout(request.app[SETTINGS].upload_idle):
            return await coming
    except TimeoutError:
        raise Problem(408, "invalid_request", "the body of the request did not arrive in time") from None


def _is_userdata(request: web.Request) -> bool:
    """Whether a file is sent in place of JSON; its size is bounded while it is read."""
    return "/userdata/" in request.path


def _check_kind(request: web.Request) -> None:
    given = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if request.path.startswith(OWN_API):
        wrong = given != "application/json"
    else:  # clients of other programs' interfaces may say anything, unless an unknown page makes them
        wrong = given in (*SIMPLE, "") and _by_unknown_page(request)
    if wrong:
        shown = given or "nothing"
        text = f"the Content-Type must be application/json, not {shown}"
        raise Problem(415, "unsupported_media_type", text)


def _by_unknown_page(request: web.Request) -> bool:
    """Whether a browser sends a request and does not say for which page."""
    marks = ("Cookie", "Referer", "Sec-Fetch-Site")
    return "Origin" not in request.headers and any(name in request.headers for name in marks)
