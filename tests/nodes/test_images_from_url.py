"""Pictures from the web: what is fetched, and what must not even be asked for."""

from __future__ import annotations

import asyncio
import http.server
import io
import socket
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


def resolving(monkeypatch, answers: dict[str, list[str]]) -> list[str]:
    """Names stand for these addresses, one after the other; which were looked up is told."""
    asked = []

    def getaddrinfo(host, port, *_, **__):
        asked.append(host)
        left = answers[host]
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (left.pop(0) if len(left) > 1 else left[0], port))
        ]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


def test_a_name_of_this_machine_is_not_asked(site, monkeypatch):
    resolving(monkeypatch, {"inside.example": ["127.0.0.1"]})
    with pytest.raises(FetchError):
        asyncio.run(fetch(f"http://inside.example:{site.server_port}/"))
    assert site.asked == []


def test_the_connection_goes_to_the_address_that_was_looked_at(site, monkeypatch):
    """A name that changes its mind between look and connection finds that there is one look alone."""
    asked = resolving(monkeypatch, {"rebind.example": ["127.0.0.1", "127.0.0.2"]})
    allowed = {"127.0.0.1"}
    url = f"http://rebind.example:{site.server_port}/"
    assert get(url, allowed=lambda found: str(found) in allowed) == png()
    assert asked == ["rebind.example"]
    with pytest.raises(FetchError):
        get(url, allowed=lambda found: str(found) in allowed)
    assert len(site.asked) == 1


def test_a_redirect_to_a_name_of_the_inside_is_not_followed(site, monkeypatch):
    asked = resolving(monkeypatch, {"outside.example": ["127.0.0.1"], "inside.example": ["127.0.0.2"]})
    site.away = f"http://inside.example:{site.server_port}/secret"
    with pytest.raises(FetchError):
        get(
            f"http://outside.example:{site.server_port}/away", allowed=lambda found: str(found) == "127.0.0.1"
        )
    assert site.asked == ["/away"] and asked == ["outside.example", "inside.example"]


@pytest.mark.parametrize(
    "target", ["file:///etc/passwd", "ftp://127.0.0.1/", "http://u:p@127.0.0.1/", "http://[::1]/"]
)
def test_a_redirect_to_something_else_is_not_followed(site, target):
    site.away = target
    with pytest.raises(FetchError):
        get(address(site, "/away"), allowed=lambda found: str(found) == "127.0.0.1")
    assert site.asked == ["/away"]
