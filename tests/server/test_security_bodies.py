"""Bodies of requests: their kind, their size, how fast they come, and what is in them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator

import pytest
from security_support import OPERATIONS, OWN, Server, form, serving, settings_in, socket_to

JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    settings = settings_in(
        tmp_path_factory.mktemp("bodies"), max_body=50_000, max_upload=100_000, upload_idle=0.3
    )
    with serving(settings) as server:
        yield server


# --- kinds -----------------------------------------------------------------------------------------------

SIMPLE = [
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "text/plain;application/json",
    "",
    "text/json",
    "application/jsonp",
    "application/xml",
    "application/json-seq",
]


@pytest.mark.parametrize("kind", SIMPLE)
def test_what_a_page_can_send_unasked_changes_nothing(server: Server, kind: str) -> None:
    before = list(server.notes)
    headers = {"Content-Type": kind} if kind else {}
    assert server.ask("POST", "/api/v1/notes", headers, b'{"text": "x"}').status == 415
    assert server.notes == before


@pytest.mark.parametrize("kind", SIMPLE[:3])
@pytest.mark.parametrize("mark", ["Cookie", "Referer", "Sec-Fetch-Site"])
def test_comfyui_routes_take_no_form_of_a_browser_that_hides_its_page(
    server: Server, kind: str, mark: str
) -> None:
    before = list(server.notes)
    headers = {"Content-Type": kind, mark: "none"}
    assert server.ask("POST", "/prompt", headers, b"{}").status == 415
    assert server.notes == before


def test_comfyui_scripts_that_say_nothing_of_json_are_read(server: Server) -> None:
    for headers in ({}, {"Content-Type": "application/x-www-form-urlencoded"}):  # as urllib does
        assert server.ask("POST", "/prompt", headers, b"{}").status == 200


def test_only_uploads_take_forms(server: Server) -> None:
    headers, body = form(('name="x"', b"y"))
    for path in ("/api/v1/notes", "/api/v1/session"):
        assert server.ask("POST", path, headers, body).status == 415


@pytest.mark.parametrize("packing", ["gzip", "deflate", "br", "zstd", "gzip, gzip", "x"])
def test_a_compressed_body_is_refused_before_it_is_unpacked(server: Server, packing: str) -> None:
    bomb = gzip.compress(b" " * 10_000_000)
    headers = {**JSON, "Content-Encoding": packing}
    assert server.ask("POST", "/api/v1/notes", headers, bomb).status == 415
    assert server.upload("x.txt", bomb, {"Content-Encoding": packing}).status == 415


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("path", ["/api/v1/notes", "/api/v1/admin", "/api/v1/session", "/prompt"])
def test_nothing_changes_by_looking(server: Server, method: str, path: str) -> None:
    before = list(server.notes)
    for more in ("", "?_method=POST", "?text=x"):
        override = {"X-HTTP-Method-Override": "POST", "X-HTTP-Method": "POST"}
        assert server.ask(method, path + more, override).status == 405
    assert server.notes == before


def test_every_operation_that_looks_is_a_get_and_no_other() -> None:
    changing = {"add_note", "only_admins", "post_upload", "delete_upload", "begin_session", "end_session"}
    for operation in (*OWN, *OPERATIONS):
        assert (operation.method != "GET") == (operation.name in changing), operation


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PUT", "PATCH", "PROPFIND", "x"])
def test_other_methods_are_refused(server: Server, method: str) -> None:
    assert server.ask(method, "/api/v1/notes").status in (400, 404, 405)


# --- sizes -----------------------------------------------------------------------------------------------

HEAD = "POST /api/v1/notes HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


def test_a_large_body_is_refused_before_it_is_sent(server: Server) -> None:
    assert server.raw(f"{HEAD}Content-Length: {10**12}\r\n\r\n".encode()).status == 413


def test_a_large_body_in_pieces_is_refused(server: Server) -> None:
    piece = b"8000\r\n" + b" " * 0x8000 + b"\r\n"
    reply = server.raw(f"{HEAD}Transfer-Encoding: chunked\r\n\r\n".encode() + piece * 3 + b"0\r\n\r\n")
    assert reply.status == 413


def test_a_body_that_does_not_come_is_not_waited_for(server: Server) -> None:
    assert server.raw(f"{HEAD}Content-Length: 20\r\n\r\n".encode() + b'{"text"').status == 408
    assert server.raw(f"{HEAD}Transfer-Encoding: chunked\r\n\r\n7\r\n".encode() + b'{"text"').status == 408


def test_a_large_header_is_refused(server: Server) -> None:
    assert server.ask("GET", "/api/v1/me", {"X-Long": "a" * 20_000}).status in (400, 431)
    assert server.ask("GET", "/api/v1/me?" + "a" * 20_000).status in (400, 414)


def test_many_headers_are_refused(server: Server) -> None:
    assert server.ask("GET", "/api/v1/me", [(f"X-{i}", "a") for i in range(110)]).status in (400, 431)


@pytest.mark.parametrize(
    "lines",
    [
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
        "Content-Length: +5\r\n",
        "Content-Length: -1\r\n",
        "X : y\r\n",
        "X\0Y: z\r\n",
    ],
)
def test_requests_that_two_readers_could_read_in_two_ways_are_refused(server: Server, lines: str) -> None:
    assert server.raw(f"{HEAD}{lines}\r\nhello".encode()).status == 400


def test_a_broken_off_request_leaves_the_server_well(server: Server) -> None:
    for data in (b"\x16\x03\x01\x02\x00", b"GET", HEAD.encode(), b"\0" * 1000, b"\r\n" * 1000):
        with socket_to(server.port) as connection:
            connection.sendall(data)
    assert server.ask("GET", "/api/v1/health").status == 200


# --- JSON ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("depth", [101, 990, 5_000])
@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_json_that_is_nested_too_deep_is_refused(server: Server, opening: str, depth: int) -> None:
    closing = {"[": "]", '{"a":': "}"}[opening]
    whole = '{"text": ' + opening * depth + "1" + closing * depth + "}"
    for body in (whole, opening * depth):
        assert server.ask("POST", "/api/v1/notes", JSON, body.encode()).status == 400


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"text": NaN}', 400),
        (b'{"text": 1e999}', 400),
        (b'{"text": ' + b"9" * 5000 + b"}", 400),
        (b'{"text": "a", "text": "b"}', 400),
        (b'{"text": "\xff"}', 400),
        (b'{"text": "\\ud800"}', 400),
        (b"{", 400),
        (b"{} {}", 400),
        (b"[]", 422),
        (b"null", 422),
        (b'{"text": 1}', 422),
        (b'{"other": 1}', 422),
        (b'{"__class__": 1}', 422),
    ],
)
def test_what_is_not_the_json_described_is_refused(server: Server, body: bytes, status: int) -> None:
    before = list(server.notes)
    assert server.ask("POST", "/api/v1/notes", JSON, body).status == status
    assert server.notes == before


def test_a_refusal_is_a_problem_document_that_runs_nothing(server: Server) -> None:
    reply = server.ask("GET", "/api/v1/uploads/<script>alert(1)<%2fscript>")
    assert reply.status == 400
    assert reply.headers["Content-Type"].startswith("application/problem+json")
    assert json.loads(reply.body)["code"] == "invalid_request"
