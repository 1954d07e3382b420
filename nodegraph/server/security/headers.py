"""What every answer tells the browser: what it must not make of it."""

from __future__ import annotations

from aiohttp import web

from nodegraph.server.security.origin import ALLOWED_ORIGIN, EXPOSED
from nodegraph.server.security.tokens import ANSWER_PROTOCOL

ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    "Server": "nodegraph",
}
UNLESS_SAID = {
    "Content-Security-Policy": (
        "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'self' 'unsafe-inline'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
}
"""No answer of the server is a page with scripts; one that is says so itself."""
EDITOR_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; worker-src 'self'; "
    "manifest-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; connect-src 'self' {socket}; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""For the editor, the one page with scripts: they come from files of this server alone. ``socket`` is its
address for WebSockets, which some browsers do not count as the page's own."""
FILE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; media-src 'self'; sandbox"
"""For files that clients made: whatever is in them, it runs nothing and belongs to no site."""


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Add the headers to an answer that is about to be sent; for ``app.on_response_prepare``."""
    response.headers.update(ALWAYS)
    for name, value in UNLESS_SAID.items():
        response.headers.setdefault(name, value)
    origin = request.get(ALLOWED_ORIGIN)
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin" if origin else "same-origin"
    response.headers.add("Vary", "Origin, Authorization, Cookie")
    if origin:
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Expose-Headers"] = EXPOSED
    if ANSWER_PROTOCOL in request and response.status == 101:
        response.headers["Sec-WebSocket-Protocol"] = request[ANSWER_PROTOCOL]
