"""Who may ask this server for what: see SECURITY.md for what each guard is against."""

from __future__ import annotations

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from nodegraph.server.problems import Problem
from nodegraph.server.security.host import host_guard
from nodegraph.server.security.limits import body_guard, client_limit, user_limit
from nodegraph.server.security.origin import origin_guard
from nodegraph.server.security.tokens import Tokens, is_shared, token_guard
from nodegraph.server.settings import ServerSettings


def middlewares(settings: ServerSettings, tokens: Tokens) -> list[Middleware]:
    """The guards of a server, in the order in which a request passes them.

    Each refuses with a problem document. ``headers.add_headers`` belongs to them: it is to be added to
    ``app.on_response_prepare``, since streams are sent before any middleware sees their answer.
    """
    shared = is_shared(settings)
    return [
        _refusals,
        host_guard(settings),
        *([client_limit(settings)] if shared else []),
        origin_guard(settings),
        body_guard(settings),
        token_guard(settings, tokens),
        *([user_limit(settings)] if shared else []),
    ]


@web.middleware
async def _refusals(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answers what the guards and the handlers refuse, wherever the application puts its own handling."""
    try:
        return await handler(request)
    except Problem as problem:
        return problem.response()
