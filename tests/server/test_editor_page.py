"""The page of the editor, its files, and what a browser is told about them."""

from __future__ import annotations

import gzip
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from security_support import Server, serving, settings_in
from served import PATIENCE, Served

from nodegraph.server.editor import Editor

PAGE = "<!doctype html><script type=module src=/assets/index-1a2b.js></script>"
SCRIPT = "export const answer = 42;\n" * 400


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as a build leaves it, with a secret beside it."""
    folder = tmp_path_factory.mktemp("built") / "dist"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text(PAGE)
    (folder / "favicon.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    (folder / "assets" / "index-1a2b.js").write_text(SCRIPT)
    (folder / "assets" / "font-1a2b.woff2").write_bytes(b"wOF2" * 1000)
    (folder.parent / "secret.txt").write_text("secret")
    (folder / "assets" / "link.txt").symlink_to(folder.parent / "secret.txt")
    return folder


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, build: Path) -> Iterator[Server]:
    with serving(settings_in(tmp_path_factory.mktemp("editor")), add=Editor(build).add_routes) as server:
        yield server


def test_the_page_is_asked_for_anew_each_time_and_its_scripts_are_kept_for_good(server: Server) -> None:
    page = server.ask("GET", "/")
    assert (page.status, page.body.decode()) == (200, PAGE)
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert page.headers["Cache-Control"] == "no-cache"
    script = server.ask("GET", "/assets/index-1a2b.js")
    assert (script.headers["Content-Type"], script.body.decode()) == (
        "text/javascript; charset=utf-8",
        SCRIPT,
    )
    assert "immutable" in script.headers["Cache-Control"]
    again = server.ask("GET", "/", {"If-None-Match": page.headers["ETag"]})
    assert (again.status, again.body) == (304, b"")


def test_no_script_or_style_runs_but_from_files_of_the_server(server: Server) -> None:
    page = server.ask("GET", "/")
    policy = dict(
        part.strip().split(" ", 1) for part in page.headers["Content-Security-Policy"].split(";") if part
    )
    assert policy["script-src"] == policy["style-src"] == "'self'"
    assert policy["default-src"] == "'none'" and policy["frame-ancestors"] == "'none'"
    assert policy["img-src"] == "'self' blob: data:"
    assert policy["connect-src"] == f"'self' ws://127.0.0.1:{server.port}"
    assert "unsafe" not in page.headers["Content-Security-Policy"]
    for path in ("/", "/assets/index-1a2b.js", "/favicon.svg"):
        assert server.ask("GET", path).headers["X-Content-Type-Options"] == "nosniff"


def test_scripts_come_packed_to_those_who_read_that(server: Server) -> None:
    packed = server.ask("GET", "/assets/index-1a2b.js", {"Accept-Encoding": "br, gzip;q=0.8"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.body).decode() == SCRIPT
    assert len(packed.body) * 20 < len(SCRIPT)
    assert "Accept-Encoding" in ", ".join(packed.headers.get_all("Vary", []))
    plain = server.ask("GET", "/assets/index-1a2b.js", {"Accept-Encoding": "gzip;q=0"})
    assert plain.headers["Content-Encoding"] is None and plain.headers["ETag"] != packed.headers["ETag"]
    font = server.ask("GET", "/assets/font-1a2b.woff2", {"Accept-Encoding": "gzip"})
    assert (font.headers["Content-Encoding"], font.headers["Content-Type"]) == (None, "font/woff2")


@pytest.mark.parametrize(
    "path",
    [
        "/assets/../../secret.txt",
        "/assets/..%2f..%2fsecret.txt",
        "/assets/%2e%2e/index.html",
        "/assets/link.txt",
        "/assets/",
        "/assets/C:/x",
        "/assets/nothing.js",
        "/index.html/..",
        "/secret.txt",
    ],
)
def test_nothing_else_is_served(server: Server, path: str) -> None:
    reply = server.ask("GET", path)
    assert reply.status in (400, 404) and b"secret" not in reply.body.replace(b"secret.txt", b"")


def test_a_rebuilt_page_is_served_at_once(server: Server, build: Path) -> None:
    (build / "assets" / "later-9.js").write_text("1;")
    assert server.ask("GET", "/assets/later-9.js").body == b"1;"
    (build / "assets" / "later-9.js").write_text("22;")
    assert server.ask("GET", "/assets/later-9.js").body == b"22;"


def test_where_it_is_not_built_the_page_says_how_to(tmp_path: Path) -> None:
    with serving(settings_in(tmp_path), add=Editor(tmp_path / "none").add_routes) as server:
        reply = server.ask("GET", "/")
        assert reply.status == 200 and b"make web" in reply.body
        assert str(tmp_path).encode() not in reply.body


def test_the_page_loads_without_a_token_and_a_browser_logs_in_from_it(tmp_path: Path, build: Path) -> None:
    with serving(settings_in(tmp_path), add=Editor(build).add_routes) as server:
        secret = server.user("ann")["Authorization"].removeprefix("Bearer ")
        for path in ("/", "/assets/index-1a2b.js", "/favicon.svg"):
            assert server.ask("GET", path).status == 200
        assert server.ask("GET", "/api/v1/me").status == 401
        own = {"Origin": server.own}
        begun = server.ask("POST", "/api/v1/session", own, {"token": secret})
        found = re.match(r"nodegraph_session=[^;]+", begun.headers["Set-Cookie"])
        assert found
        cookie = {"Cookie": found[0], **own}
        assert server.ask("GET", "/api/v1/me", cookie).json["user"] == "ann"
        # a cookie whose token was revoked neither keeps the page from loading nor from logging in anew
        server.tokens.revoke("ann's")
        fresh = server.user("ben")["Authorization"].removeprefix("Bearer ")
        assert server.ask("GET", "/api/v1/me", cookie).status == 401
        assert server.ask("GET", "/", cookie).status == 200
        assert server.ask("POST", "/api/v1/session", cookie, {"token": fresh}).json["user"] == "ben"


@pytest.mark.skipif(os.name == "nt", reason="the stand-in for a browser is a shell script")
def test_serve_opens_a_browser_once_it_answers(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    note, browser = served.folder / "opened", served.folder / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {note}.new && mv {note}.new {note}\n')
    browser.chmod(0o755)
    monkeypatch.setenv("BROWSER", f"{browser} %s")
    served.options = ("--open",)
    served.start()
    late = time.monotonic() + PATIENCE
    while not note.exists() and time.monotonic() < late:
        time.sleep(0.02)
    assert note.read_text().strip() == served.url
    page = served.ask("GET", "/")
    assert page.status == 200 and page.headers["Content-Type"].startswith("text/html")
    for path in ("/prompt", "/queue", "/system_stats", "/api/v1/health"):  # ComfyUI's places stay
        assert served.ask("GET", path).headers["Content-Type"].startswith("application/json")
