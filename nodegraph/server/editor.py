"""The editor: a page, and the scripts and styles that its build left in one folder.

Files below ``assets/`` carry a hash of their content in their names, so that a browser may keep them for
good; the page that names them is asked for anew each time. Nothing here takes a token: the page is what
asks the user for one.
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath

from aiohttp import web

from nodegraph.server.security.headers import EDITOR_POLICY
from nodegraph.server.security.origin import own_origin
from nodegraph.server.security.paths import find_inside, safe_name, safe_subfolder

PAGE = "index.html"
ASSETS = "assets"
FOR_GOOD = "public, max-age=31536000, immutable"
ASK_FIRST = "no-cache"
KEPT = 256
"""How many files stay in memory; a build has a few dozen."""
WORTH_PACKING = 1024
"""Files of fewer bytes are sent as they are."""
TYPES = {
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".map": "application/json",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
    ".ico": "image/x-icon",
}
"""Types that the system's own table may lack, or have wrong."""
PACKED = ("text/", "application/json", "application/manifest+json", "image/svg+xml", "application/wasm")
MISSING = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>nodegraph: the editor is not built</title>
<h1>The editor is not built</h1>
<p>The server runs, but the files of the editor are missing: <code>{folder}</code> has no {page}.</p>
<p>In a copy of the source, <code>make web</code> builds them; then load this page again.</p>
<p>The API is there in any case: see <a href="/api/v1/docs">its description</a>.</p>
</html>
"""


@dataclass(frozen=True, slots=True)
class Asset:
    """A file as it is sent: its content, the same packed where that is shorter, its type and its tag."""

    body: bytes
    packed: bytes | None
    type: str
    tag: str


@lru_cache(KEPT)
def load_asset(path: Path, modified: int, size: int) -> Asset:
    """A file, read and packed once for as long as it stays as it is; ``modified`` and ``size`` say so."""
    body = path.read_bytes()
    kind = TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    packed = gzip.compress(body, 9, mtime=0) if size >= WORTH_PACKING and kind.startswith(PACKED) else None
    smaller = packed if packed is not None and len(packed) < len(body) else None
    return Asset(body, smaller, kind, hashlib.sha256(body).hexdigest()[:32])


class Editor:
    """Serves the files of a build.

    Attributes:
        open: it takes no token.
        folder: where they are, or would be.
    """

    open = True

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add_routes(self, app: web.Application) -> None:
        """Let an application answer for the page and its files."""
        app.router.add_get("/", self.page)
        app.router.add_get(f"/{ASSETS}/{{path:.+}}", self.asset)
        for name in self._beside_the_page():
            app.router.add_get(f"/{name}", self.beside)

    def _beside_the_page(self) -> list[str]:
        """Names of further files of the folder, such as an icon."""
        found = (path.name for path in self.folder.iterdir()) if self.folder.is_dir() else ()
        return sorted(name for name in found if name != PAGE and (self.folder / name).is_file())

    async def page(self, request: web.Request) -> web.Response:
        """The page itself."""
        found = await asyncio.to_thread(self._find, PAGE)
        if found is None:
            text = MISSING.format(folder=self.folder.name, page=PAGE)
            return web.Response(text=text, content_type="text/html")
        socket = (own_origin(request) or "").replace("http", "ws", 1)
        headers = {"Content-Security-Policy": EDITOR_POLICY.format(socket=socket)}
        return _answer(request, found, ASK_FIRST, headers)

    async def asset(self, request: web.Request) -> web.Response:
        """A file whose name changes with its content."""
        return await self._file(request, f"{ASSETS}/{request.match_info['path']}", FOR_GOOD)

    async def beside(self, request: web.Request) -> web.Response:
        """A file beside the page."""
        return await self._file(request, request.path.removeprefix("/"), ASK_FIRST)

    async def _file(self, request: web.Request, path: str, caching: str) -> web.Response:
        found = await asyncio.to_thread(self._find, path)
        if found is None:
            raise web.HTTPNotFound
        return _answer(request, found, caching, {})

    def _find(self, path: str) -> Asset | None:
        folder, _, name = path.rpartition("/")
        found = find_inside([self.folder], PurePosixPath(safe_subfolder(folder)), safe_name(name))
        if found is None:
            return None
        state = found.stat()
        return load_asset(found, state.st_mtime_ns, state.st_size)


def _answer(request: web.Request, asset: Asset, caching: str, headers: dict[str, str]) -> web.Response:
    packed = asset.packed is not None and _takes_gzip(request)
    tag = f'"{asset.tag}{"-gz" if packed else ""}"'
    told = {"ETag": tag, "Cache-Control": caching, "Vary": "Accept-Encoding", **headers}
    if tag.strip('"') in {known.value for known in request.if_none_match or ()}:
        return web.Response(status=304, headers=told)
    if packed:
        told["Content-Encoding"] = "gzip"
    charset = "; charset=utf-8" if asset.type.startswith("text/") else ""
    told["Content-Type"] = asset.type + charset
    return web.Response(body=asset.packed if packed else asset.body, headers=told)


def _takes_gzip(request: web.Request) -> bool:
    """Whether a client reads gzip; one that gives it the weight 0 does not."""
    for part in request.headers.get("Accept-Encoding", "").lower().split(","):
        name, _, weight = part.partition(";")
        if name.strip() == "gzip":
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False
