"""Pictures from the web: what is fetched, and what must not even be asked for."""

from __future__ import annotations

import asyncio
import http.server
import io
import threading
from collections.abc import Iterator

import pytest
from PIL import Image as Pillow

from nodegraph import Workflow, with_id
from nodes import LoadImageFromUrl
from nodes.images.files.fetching import FetchError, fetch


def png() -> bytes:
    stream = io.BytesIO()
    Pillow.new("RGB", (3, 2), "red").save(stream, "PNG")
    return stream.getvalue()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.path)
        if self.path == "/away":
            self.send_response(302)
            self.send_header("Location", self.server.away)
            self.end_headers()
            return
        if self.path == "/loop":
            self.send_response(302)
            self.send_header("Location", "/loop")
            self.end_headers()
            return
        self.send_response(404 if self.path == "/none" else 200)
        self.end_headers()
        self.wfile.write(png())

    def log_message(self, *_):
        pass


@pytest.fixture
def site() -> Iterator[http.server.HTTPServer]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.asked, server.away = [], ""
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def address(site: http.server.HTTPServer, path: str = "/") -> str:
    return f"http://127.0.0.1:{site.server_port}{path}"


def get(url: str, **options) -> bytes:
    return asyncio.run(fetch(url, **{"allowed": lambda _: True, **options}))


def test_a_file_comes_as_it_is(site):
    assert get(address(site)) == png()


@pytest.mark.parametrize(("path", "problem"), [("/none", "404"), ("/loop", "redirects more than")])
def test_what_cannot_be_had_is_told(site, path, problem):
    with pytest.raises(FetchError, match=problem):
        get(address(site, path))


def test_a_file_that_is_too_large_is_not_read(site):
    with pytest.raises(FetchError, match="larger than 10 bytes"):
        get(address(site), max_bytes=10)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{port}/",
        "http://localhost:{port}/",
        "http://[::1]:{port}/",
        "http://[::ffff:127.0.0.1]:{port}/",
        "http://0.0.0.0:{port}/",
        "http://2130706433:{port}/",
        "http://10.0.0.1/",
        "http://192.168.1.1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://100.64.0.1/",
        "file:///etc/passwd",
        "ftp://example.org/",
        "gopher://127.0.0.1/",
        "//example.org/",
        "nonsense",
    ],
)
def test_an_address_that_is_not_public_is_never_asked(site, make_engine, url):
    handle = with_id(LoadImageFromUrl.node(url.format(port=site.server_port)), "load")
    [error] = make_engine(LoadImageFromUrl).run_sync(Workflow.from_outputs(handle.image)).errors
    assert error.node_id == "load"
    assert "url" in str(error)
    assert site.asked == []


def test_a_redirect_to_an_address_that_is_not_allowed_is_not_followed(site):
    site.away = "http://10.1.2.3/secret"
    with pytest.raises(FetchError):
        get(address(site, "/away"), allowed=lambda found: str(found) == "127.0.0.1")
    assert site.asked == ["/away"]
