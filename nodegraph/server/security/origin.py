"""The page a request was sent by: only our own (cross-site request forgery), and others that are allowed.

Any page may make a browser send requests to this server. The browser says in ``Origin`` which page it was
and in ``Sec-Fetch-Site`` whether it is ours; programs that are no browsers send neither.
"""

from __future__ import annotations

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from yarl import URL

from nodegraph.server.problems import Problem
from nodegraph.server.settings import ServerSettings

SAFE = ("GET", "HEAD", "OPTIONS")
OURS = ("same-origin", "none")
METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE"
HEADERS = "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID, Range"
EXPOSED = "ETag, Location, Retry-After, Content-Range, Content-Disposition"
PREFLIGHT_SECONDS = "600"
ALLOWED_ORIGIN = web.RequestKey("allowed_origin", str)
"""The page of another site that may read the answer to this request."""


def origin_guard(settings: ServerSettings) -> Middleware:
    """Refuses requests that another site's page made a browser send; answers preflights of allowed ones."""
    others = frozenset(filter(None, map(plain_origin, settings.allow_origins)))
    public = plain_origin(str(URL(settings.public_url).origin())) if settings.public_url else None

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        origin = _origin(request)
        if origin is not None and origin in others:
            request[ALLOWED_ORIGIN] = origin
            return _preflight(request) or await handler(request)
        if origin is not None and origin not in (own_origin(request), public):
            raise _refused("a page of another site must not use this server; --allow-origin lets it")
        if not _sent_by_us(request):
            raise _refused("a page of another site must not embed this server or read from it")
        return await handler(request)

    return guard


def _origin(request: web.Request) -> str | None:
    """The page that sent a request, or ``None`` where no page did.

    Raises:
        Problem: it hides itself, or there are several.
    """
    given = request.headers.getall("Origin", [])
    if not given:
        return None
    origin = plain_origin(given[0])
    if len(given) > 1 or origin is None or given[0].rstrip("/") != given[0]:
        raise _refused("the page that sent the request does not say which site it is of")
    return origin


def _refused(why: str) -> Problem:
    return Problem(403, "forbidden", why)


def plain_origin(text: str) -> str | None:
    """``scheme://host[:port]`` in its plain form; ``None`` for ``null`` and what is no origin."""
    try:
        url = URL(text)
        origin = url.origin()
    except ValueError:
        return None
    if origin.scheme not in ("http", "https") or url.path not in ("", "/") or url.raw_query_string:
        return None
    return None if url.raw_user is not None else str(origin).lower()


def own_origin(request: web.Request) -> str | None:
    """The origin of this server's own pages, as the request was sent."""
    scheme = "https" if request.transport and request.transport.get_extra_info("sslcontext") else "http"
    return plain_origin(f"{scheme}://{request.headers.get('Host', '')}")


def _sent_by_us(request: web.Request) -> bool:
    """Whether the browser says that no other site is behind a request, or that it opens a page.

    Following a link to this server is opening a page; showing it inside another is not.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is None or site in OURS:
        return True
    opens = (request.headers.get("Sec-Fetch-Mode"), request.headers.get("Sec-Fetch-Dest"))
    return request.method in SAFE and opens == ("navigate", "document")


def _preflight(request: web.Request) -> web.Response | None:
    """The answer to a browser's question whether a page may send a request."""
    if request.method != "OPTIONS" or "Access-Control-Request-Method" not in request.headers:
        return None
    headers = {
        "Access-Control-Allow-Methods": METHODS,
        "Access-Control-Allow-Headers": HEADERS,
        "Access-Control-Max-Age": PREFLIGHT_SECONDS,
    }
    return web.Response(status=204, headers=headers)
