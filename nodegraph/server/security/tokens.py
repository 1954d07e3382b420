"""Who sends a request: tokens, and the sessions of browsers.

A token comes in ``Authorization: Bearer``; from a browser in the cookie of a session, or, for WebSockets,
where its scripts can set no header, as a subprotocol. Never in the address: addresses are logged.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Collection
from typing import Protocol

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from nodegraph.server.keys import ADMIN, LOCAL, RUN, USER, User
from nodegraph.server.problems import Problem
from nodegraph.server.security.addresses import client_address
from nodegraph.server.security.recent import RecentMap
from nodegraph.server.security.sessions import SESSION_COOKIE, SESSIONS, SLOWING, Sessions
from nodegraph.server.security.slowing import Slowing
from nodegraph.server.settings import ServerSettings

PROTOCOL = "nodegraph"
"""The WebSocket subprotocol that a browser names beside the one that carries its token."""
TOKEN_PROTOCOL = "nodegraph.token."
BEARER = "bearer "
MAX_TOKEN = 512
KNOWN_GOOD = 4096
ANSWER_PROTOCOL = web.RequestKey("answer_protocol", str)
"""The subprotocol that the answer to a WebSocket's handshake names."""
UNSAFE = ("POST", "PUT", "PATCH", "DELETE")


class KnownToken(Protocol):
    """What is known of a valid token."""

    @property
    def user(self) -> str:
        """Whose it is."""

    @property
    def scopes(self) -> Collection[str]:
        """What it allows."""


class Tokens(Protocol):
    """The tokens of a server, stored hashed; may be used from any thread."""

    def verify(self, secret: str) -> KnownToken | None:
        """The token of that secret, compared in constant time; ``None`` if there is none."""

    def any(self) -> bool:
        """Whether there ever was a token, revoked ones included."""


class TokenMaker(Tokens, Protocol):
    """Tokens that can be added to."""

    def create(self, name: str, user: str, scopes: Collection[str]) -> str:
        """Make a token; returns its secret."""


def is_shared(settings: ServerSettings) -> bool:
    """Whether others than this machine's user can send requests: over the network, or through a proxy."""
    return not settings.loopback or settings.public_url is not None


def needs_tokens(settings: ServerSettings, tokens: Tokens) -> bool:
    """Whether requests need a token: others than this machine's user can send some, or there are tokens."""
    return is_shared(settings) or tokens.any()


def first_token(settings: ServerSettings, tokens: TokenMaker) -> str | None:
    """The token of a server that needs one and never had any: made now, to be shown once."""
    if not is_shared(settings) or tokens.any():
        return None
    return tokens.create("first", LOCAL, (RUN, ADMIN))


def token_guard(settings: ServerSettings, tokens: Tokens) -> Middleware:
    """Says who sends a request; refuses those that need a token and have none that is valid."""
    sessions, slowing = Sessions(), Slowing()
    good: RecentMap[tuple[str, str], None] = RecentMap(KNOWN_GOOD)

    async def user_with(secret: str, address: str) -> User:
        known = (address, hashlib.sha256(secret.encode(errors="replace")).hexdigest())
        if known not in good:  # who guesses is kept waiting; who is known here is not
            slowing.check(address)
        found = await asyncio.to_thread(tokens.verify, secret) if len(secret) <= MAX_TOKEN else None
        if found is None:
            good.discard(known)
            slowing.failed(address)
            raise unauthorized("the token is not valid; it may have been revoked")
        good.put(known, None)
        if not {RUN, ADMIN}.intersection(found.scopes):
            raise Problem(403, "forbidden", f"this takes a token of the scope {RUN} or {ADMIN}")
        return User(found.user, frozenset(found.scopes))

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        request[SESSIONS], request[SLOWING] = sessions, slowing
        if not await asyncio.to_thread(needs_tokens, settings, tokens):
            request[USER] = User(LOCAL)
            return await handler(request)
        secret = secret_of(request, sessions)
        if is_open(request) and (secret is None or "Authorization" not in request.headers):
            request[USER] = User("", frozenset())  # who logs in may have the cookie of a revoked token
        elif secret is None:
            raise unauthorized("this server needs a token: Authorization: Bearer <token>")
        else:
            request[USER] = await user_with(secret, client_address(request, settings))
        return await handler(without_token(request))

    return guard


def unauthorized(why: str) -> Problem:
    """The answer to a request without a valid token."""
    return Problem(401, "unauthorized", why, headers={"WWW-Authenticate": 'Bearer realm="nodegraph"'})


def is_open(request: web.Request) -> bool:
    """Whether the place asked for takes no token."""
    handler = request.match_info.handler
    return bool(getattr(handler, "open", getattr(getattr(handler, "__self__", None), "open", False)))


def secret_of(request: web.Request, sessions: Sessions) -> str | None:
    """The token that a request carries.

    Raises:
        Problem: a request that changes something carries only a cookie and does not say which page sent it.
    """
    header = request.headers.get("Authorization", "")
    if header[: len(BEARER)].lower() == BEARER:
        return header[len(BEARER) :].strip()
    for protocol in _protocols(request):
        if protocol.startswith(TOKEN_PROTOCOL):
            return protocol.removeprefix(TOKEN_PROTOCOL)
    secret = sessions.secret(request.cookies.get(SESSION_COOKIE, ""))
    if secret is not None and _changes(request) and "Origin" not in request.headers:
        raise Problem(403, "forbidden", "with a cookie, the request must say in Origin which page it is of")
    return secret


def _changes(request: web.Request) -> bool:
    """Whether a request may change something, now or later over the WebSocket that it opens."""
    return request.method in UNSAFE or "Upgrade" in request.headers


def without_token(request: web.Request) -> web.Request:
    """The request without the subprotocol that carries its token, which would be logged with the others."""
    offered = _protocols(request)
    kept = [protocol for protocol in offered if not protocol.startswith(TOKEN_PROTOCOL)]
    if len(kept) == len(offered):
        return request
    headers = request.headers.copy()
    headers.popall("Sec-WebSocket-Protocol")
    if PROTOCOL in kept:
        request[ANSWER_PROTOCOL] = PROTOCOL
    return request.clone(headers=headers)


def _protocols(request: web.Request) -> list[str]:
    given = ",".join(request.headers.getall("Sec-WebSocket-Protocol", []))
    return [protocol.strip() for protocol in given.split(",") if protocol.strip()]
