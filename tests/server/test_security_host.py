"""Requests to names that are not the server's, and pages of other sites that send some."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from security_support import Server, serving, settings_in

from nodegraph.server.settings import ServerSettings


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(settings_in(tmp_path_factory.mktemp("host"))) as server:
        yield server


def test_the_server_listens_to_this_machine_alone_unless_told_otherwise() -> None:
    assert ServerSettings().host == "127.0.0.1"
    assert ServerSettings().loopback


# --- Host: DNS rebinding ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8188",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "evil-localhost",
        "10.0.0.5",
        "192.168.1.2:8188",
        "0.0.0.0:8188",
        "0.0.0.0",
        "2130706433",
        "127.1",
        "0x7f000001",
        "[::2]",
        "[::]",
        "[::ffff:127.0.0.1]:8188",
        "169.254.169.254",
    ],
)
def test_a_name_of_another_is_refused(server: Server, host: str) -> None:
    assert server.ask("GET", "/api/v1/me", host=host).status == 403


@pytest.mark.parametrize(
    "host",
    [
        "",
        "localhost..",
        ":80",
        "localhost:",
        "localhost:0",
        "localhost:65536",
        "localhost:80:80",
        "localhost:8x",
        "user@localhost",
        "localhost/x",
        "localhost, evil.example",
        "localhost evil.example",
        "l\u00f6calhost",
        "[::1",
        "::1",
        "[::1%25eth0]",
        "[localhost]",
        "localhost\t",
        "a" * 300,
    ],
)
def test_what_is_no_name_is_refused(server: Server, host: str) -> None:
    reply = raw(server, f"GET /api/v1/me HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
    expected = (400, 403) if host.startswith(("localhost..", "localhost\t")) else (400,)
    if host == "localhost\t":  # white space around a value is not part of it
        expected = (200,)
    assert status(reply) in expected, reply[:200]


def raw(server: Server, data: bytes) -> bytes:
    import socket

    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(data)
        parts = []
        while part := connection.recv(65536):
            parts.append(part)
    return b"".join(parts)


def status(reply: bytes) -> int:
    return int(reply.split(b" ", 2)[1])


def test_a_request_without_host_is_refused(server: Server) -> None:
    assert server.ask("GET", "/api/v1/me", host=None).status == 400
    assert status(raw(server, b"GET /api/v1/me HTTP/1.0\r\n\r\n")) == 400


@pytest.mark.parametrize("second", ["evil.example", "127.0.0.1"])
@pytest.mark.parametrize("first", ["evil.example", "127.0.0.1"])
def test_a_request_with_two_hosts_is_refused(server: Server, first: str, second: str) -> None:
    assert server.ask("GET", "/api/v1/me", [("Host", second)], host=first).status == 400


@pytest.mark.parametrize(
    "target",
    [
        "http://evil.example/api/v1/me",
        "http://evil.example:8188/api/v1/me",
        "http://localhost@evil.example/api/v1/me",
        "HTTPS://evil.example/api/v1/me",
        "ftp://127.0.0.1/api/v1/me",
        "//evil.example/api/v1/me",
        "evil.example:443",
        "*",
    ],
)
def test_a_request_line_that_asks_for_another_is_refused(server: Server, target: str) -> None:
    reply = raw(
        server,
        f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nConnection: close\r\n\r\n".encode(),
    )
    assert status(reply) in (400, 404), reply[:300]
    assert b'"user"' not in reply


def test_an_absolute_request_line_that_agrees_with_host_is_answered(server: Server) -> None:
    place = f"127.0.0.1:{server.port}"
    reply = raw(
        server,
        f"GET http://{place}/api/v1/me HTTP/1.1\r\nHost: {place}\r\nConnection: close\r\n\r\n".encode(),
    )
    assert status(reply) == 200


@pytest.mark.parametrize(
    "host",
    ["localhost", "LocalHost:8188", "localhost.", "LOCALHOST.:80", "127.0.0.1", "[::1]", "[::1]:9999",
     "[0:0:0:0:0:0:0:1]"],
)  # fmt: skip
def test_a_name_of_this_machine_is_answered(server: Server, host: str) -> None:
    assert server.ask("GET", "/api/v1/me", host=host).status == 200


def test_further_names_are_those_of_the_settings(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, allow_hosts=("Studio.local.",), public_url="https://nodes.example.org/x")
    with serving(settings) as server:
        token = server.user("ann")
        for host in ("studio.local", "nodes.example.org:443", "NODES.example.org."):
            assert server.ask("GET", "/api/v1/me", token, host=host).status == 200
        for host in ("evil.example", "example.org", "x.nodes.example.org"):
            assert server.ask("GET", "/api/v1/me", token, host=host).status == 403


def test_a_server_on_every_address_is_called_by_any_number(tmp_path: Path) -> None:
    with serving(settings_in(tmp_path, host="0.0.0.0")) as server:
        token = server.user("ann")
        assert server.ask("GET", "/api/v1/me", token, host="192.168.7.9:8188").status == 200
        assert server.ask("GET", "/api/v1/me", token, host="[fe80::1]:8188").status == 200
        assert server.ask("GET", "/api/v1/me", token, host="evil.example").status == 403


@pytest.mark.parametrize("header", ["X-Forwarded-Host", "Forwarded", "X-Original-Host", "X-Host"])
def test_what_a_proxy_would_say_of_the_name_counts_for_nothing(server: Server, header: str) -> None:
    value = "host=localhost" if header == "Forwarded" else "localhost"
    assert server.ask("GET", "/api/v1/me", {header: value}, host="evil.example").status == 403


# --- Origin: cross-site requests -------------------------------------------------------------------------


def test_a_page_of_this_server_may_change_something(server: Server) -> None:
    for host in (f"127.0.0.1:{server.port}", "localhost:8188", "[::1]:8188"):
        headers = {"Origin": f"http://{host}", "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}
        assert server.ask("POST", "/api/v1/notes", headers, {"text": "x"}, host=host).status == 200


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "http://evil.example",
        "https://127.0.0.1",
        "http://127.0.0.1",
        "http://127.0.0.1:1",
        "http://localhost:{port}",
        "https://127.0.0.1:{port}",
        "http://127.0.0.1:{port}.evil.example",
        "http://127.0.0.1:{port}@evil.example",
        "http://127.0.0.1:{port}/",
        "http://127.0.0.1:{port}, http://evil.example",
        "file://",
        "chrome-extension://abcdef",
        "",
        "x",
        "http://",
        "http://127.0.0.1:999999",
    ],
)
@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/api/v1/notes"), ("GET", "/api/v1/me"), ("POST", "/prompt")]
)
def test_a_page_of_another_site_is_refused(server: Server, origin: str, method: str, path: str) -> None:
    before = list(server.notes)
    headers = {"Origin": origin.format(port=server.port)}
    reply = server.ask(method, path, headers, {"text": "x"} if method == "POST" else None)
    assert reply.status == 403, reply
    assert "Access-Control-Allow-Origin" not in reply.headers
    assert server.notes == before


def test_two_origins_are_refused(server: Server) -> None:
    own = ("Origin", f"http://127.0.0.1:{server.port}")
    reply = server.ask("POST", "/api/v1/notes", [own, ("Origin", "http://evil.example")], {"text": "x"})
    assert reply.status in (400, 403)
    assert server.ask("POST", "/api/v1/notes", [own, own], {"text": "x"}).status in (400, 403)


@pytest.mark.parametrize("site", ["cross-site", "same-site", "unheard-of"])
@pytest.mark.parametrize(
    ("method", "path", "mode", "dest"),
    [
        ("POST", "/api/v1/notes", "navigate", "document"),
        ("POST", "/api/v1/notes", "no-cors", "empty"),
        ("GET", "/api/v1/outputs/output/x.png", "no-cors", "image"),
        ("GET", "/api/v1/me", "no-cors", "script"),
        ("GET", "/api/v1/me", "navigate", "iframe"),
        ("GET", "/api/v1/me", "navigate", "object"),
        ("GET", "/ws", "websocket", "websocket"),
    ],
)
def test_what_the_browser_says_is_of_another_site_is_refused(
    server: Server, site: str, method: str, path: str, mode: str, dest: str
) -> None:
    headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode, "Sec-Fetch-Dest": dest}
    assert server.ask(method, path, headers, {"text": "x"} if method == "POST" else None).status == 403


@pytest.mark.parametrize("site", ["cross-site", "none", "same-origin"])
def test_a_link_from_anywhere_opens(server: Server, site: str) -> None:
    headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert server.ask("GET", "/api/v1/me", headers).status == 200


UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


@pytest.mark.parametrize(
    "origin", ["null", "http://evil.example", "http://localhost:{port}", "http://127.0.0.1"]
)
def test_a_websocket_from_a_page_of_another_site_is_refused(server: Server, origin: str) -> None:
    headers = {**UPGRADE, "Origin": origin.format(port=server.port)}
    assert server.ask("GET", "/ws", headers).status == 403


def test_a_page_that_is_allowed_may_ask_and_read(tmp_path: Path) -> None:
    with serving(settings_in(tmp_path, allow_origins=("https://editor.example/",))) as server:
        page = {"Origin": "https://editor.example", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"}
        asked = server.ask("OPTIONS", "/api/v1/notes", {**page, "Access-Control-Request-Method": "POST"})
        assert asked.status == 204
        assert asked.headers["Access-Control-Allow-Origin"] == "https://editor.example"
        assert "Content-Type" in asked.headers["Access-Control-Allow-Headers"]
        assert "Access-Control-Allow-Credentials" not in asked.headers
        done = server.ask("POST", "/api/v1/notes", page, {"text": "x"})
        assert (done.status, done.headers["Access-Control-Allow-Origin"]) == (200, "https://editor.example")
        other = {**page, "Origin": "https://editor.example.evil.example"}
        assert server.ask("POST", "/api/v1/notes", other, {"text": "x"}).status == 403
        preflight = {**other, "Access-Control-Request-Method": "POST"}
        assert server.ask("OPTIONS", "/api/v1/notes", preflight).status == 403
