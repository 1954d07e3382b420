"""``/session``: how a browser logs in and out."""

from __future__ import annotations

import asyncio
from typing import Annotated

from aiohttp import web
from pydantic import Field

from nodegraph.server.keys import SETTINGS, TOKENS
from nodegraph.server.routes.answers import answer
from nodegraph.server.routes.operation import Call, operation
from nodegraph.server.security.addresses import client_address
from nodegraph.server.security.sessions import SECONDS, SESSION_COOKIE, SESSIONS, SLOWING
from nodegraph.server.security.tokens import MAX_TOKEN, unauthorized
from nodegraph.server.views import Answer
from nodegraph.server.wire import NoBody, NoQuery, Request


class SessionRequest(Request):
    """Who logs in."""

    token: Annotated[str, Field(min_length=1, max_length=MAX_TOKEN, repr=False)] = Field(
        description="The token; it is not kept by the browser."
    )


class SessionView(Answer):
    """Who is logged in."""

    user: str
    scopes: list[str]


@operation("POST", "/session", NoQuery, SessionRequest, {200: SessionView}, open=True)
async def begin_session(call: Call[NoQuery, SessionRequest]) -> web.Response:
    """Log a browser in: a token gives a cookie that no script can read, for seven days."""
    slowing, address = call.request[SLOWING], client_address(call.request, call.app[SETTINGS])
    slowing.check(address)
    found = await asyncio.to_thread(call.app[TOKENS].verify, call.body.token)
    if found is None:
        slowing.failed(address)
        raise unauthorized("the token is not valid; it may have been revoked")
    response = answer({"user": found.user, "scopes": sorted(found.scopes)})
    response.set_cookie(
        SESSION_COOKIE,
        call.request[SESSIONS].begin(call.body.token),
        max_age=int(SECONDS),
        path="/",
        httponly=True,
        samesite="Strict",
        secure=_by_tls(call),
    )
    return response


@operation("DELETE", "/session", NoQuery, NoBody, {204: ""}, open=True)
async def end_session(call: Call[NoQuery, NoBody]) -> web.Response:
    """Log a browser out."""
    call.request[SESSIONS].end(call.request.cookies.get(SESSION_COOKIE, ""))
    response = web.Response(status=204)
    response.del_cookie(SESSION_COOKIE, path="/", httponly=True, samesite="Strict", secure=_by_tls(call))
    return response


def _by_tls(call: Call[NoQuery, SessionRequest] | Call[NoQuery, NoBody]) -> bool:
    """Whether the browser speaks TLS: with the server, or with the proxy that stands for it."""
    public = call.app[SETTINGS].public_url or ""
    return call.request.secure or public.startswith("https://")
