"""Who may ask: tokens, scopes, sessions of browsers, and those who guess."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest
from security_support import Server, serving, settings_in

from nodegraph.jobs.database import Database
from nodegraph.jobs.tokens import TokenStore
from nodegraph.server.security.slowing import FREE_TRIES, Slowing
from nodegraph.server.security.tokens import first_token


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with serving(settings_in(tmp_path)) as server:
        yield server


# --- when a token is needed ------------------------------------------------------------------------------


def test_on_this_machine_alone_no_token_is_needed(server: Server) -> None:
    assert server.ask("GET", "/api/v1/me").json == {"user": "local", "scopes": ["admin", "run"]}


@pytest.mark.parametrize(
    "change",
    [{"host": "0.0.0.0"}, {"host": "::"}, {"host": "192.168.1.2"}, {"public_url": "https://n.example"}],
)
def test_a_server_that_others_reach_needs_a_token_even_before_there_is_one(tmp_path: Path, change) -> None:
    with serving(settings_in(tmp_path, **change)) as server:
        reply = server.ask("GET", "/api/v1/me", host="localhost")
        assert reply.status == 401
        assert reply.headers["WWW-Authenticate"].startswith("Bearer")


def test_the_first_token_is_made_once_and_not_kept(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, host="0.0.0.0")
    database = Database(settings.database)
    tokens = TokenStore(database)
    secret = first_token(settings, tokens)
    assert secret is not None
    assert first_token(settings, tokens) is None
    database.close()
    stored = b"".join(path.read_bytes() for path in settings.data.iterdir())
    assert secret.encode() not in stored
    with serving(settings) as server:
        said = server.ask("GET", "/api/v1/me", {"Authorization": f"Bearer {secret}"})
        assert said.json["scopes"] == ["admin", "run"]


def test_on_this_machine_alone_no_first_token_is_made(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    database = Database(settings.database)
    assert first_token(settings, TokenStore(database)) is None
    database.close()


def test_where_there_is_a_token_one_is_needed(server: Server) -> None:
    ann = server.user("ann")
    assert server.ask("GET", "/api/v1/me").status == 401
    assert server.ask("GET", "/api/v1/me", ann).json == {"user": "ann", "scopes": ["run"]}


def test_revoking_the_last_token_opens_nothing(server: Server) -> None:
    ann = server.user("ann")
    assert server.tokens.revoke("ann's")
    assert server.ask("GET", "/api/v1/me").status == 401
    assert server.ask("GET", "/api/v1/me", ann).status == 401


def test_health_is_told_to_anyone(server: Server) -> None:
    server.user("ann")
    assert server.ask("GET", "/api/v1/health").status == 200


def test_without_a_token_nobody_learns_what_there_is(server: Server) -> None:
    server.user("ann")
    assert server.ask("GET", "/api/v1/me").status == server.ask("GET", "/nowhere").status == 401


# --- tokens that are none --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Bearer x", "Bearer ngt_", "Basic bG9jYWw6eA==", "ngt_", "Token {secret}",
     "{secret}",
     "Bearer {secret}x", "Bearer {prefix}", "Bearer {upper}", "Bearer {secret} {secret}",
     "Bearer ' OR 1=1 --",
     "Bearer " + "a" * 5000, "Bearer \udcff\udcfe"],
)  # fmt: skip
def test_what_is_no_token_is_refused(server: Server, header: str) -> None:
    secret = server.user("ann")["Authorization"].removeprefix("Bearer ")
    given = header.format(secret=secret, prefix=secret[:-1], upper=secret.upper())
    reply = server.ask(
        "GET", "/api/v1/me", {"Authorization": given.encode("utf-8", "surrogateescape").decode("latin-1")}
    )
    assert reply.status == 401, reply


@pytest.mark.parametrize("name", ["token", "access_token", "api_key", "key", "auth", "Authorization"])
def test_a_token_in_the_address_counts_for_nothing(server: Server, name: str) -> None:
    secret = server.user("ann")["Authorization"].removeprefix("Bearer ")
    assert server.ask("GET", f"/api/v1/me?{name}={secret}").status == 401


@pytest.mark.parametrize("name", ["X-User", "X-Forwarded-User", "Remote-User", "X-Api-Key", "X-Auth-Token"])
def test_a_token_or_name_in_another_header_counts_for_nothing(server: Server, name: str) -> None:
    secret = server.user("ann")["Authorization"].removeprefix("Bearer ")
    assert server.ask("GET", "/api/v1/me", {name: secret}).status == 401
    assert server.ask("GET", "/api/v1/me", {name: "ann"}).status == 401


def test_the_word_bearer_is_read_as_the_standard_says(server: Server) -> None:
    secret = server.user("ann")["Authorization"].removeprefix("Bearer ")
    assert server.ask("GET", "/api/v1/me", {"Authorization": f"bearer {secret}"}).status == 200


def test_what_takes_the_scope_admin_is_refused_to_others(server: Server) -> None:
    ann, root = server.user("ann", "run"), server.user("root", "run", "admin")
    assert server.ask("POST", "/api/v1/admin", ann).status == 403
    assert server.ask("POST", "/api/v1/admin", root).status == 200


# --- those who guess -------------------------------------------------------------------------------------


def test_who_tries_token_after_token_has_to_wait_while_who_is_known_goes_on(server: Server) -> None:
    ann = server.user("ann")
    assert server.ask("GET", "/api/v1/me", ann).status == 200
    wrong = [
        server.ask("GET", "/api/v1/me", {"Authorization": f"Bearer x{i}"}) for i in range(FREE_TRIES + 3)
    ]
    assert [reply.status for reply in wrong[:FREE_TRIES]] == [401] * FREE_TRIES
    assert wrong[-1].status == 429
    assert int(wrong[-1].headers["Retry-After"]) >= 1
    assert server.ask("GET", "/api/v1/me", ann).status == 200
    unseen = server.user("bob")
    assert server.ask("GET", "/api/v1/me", unseen).status == 429, (
        "a right guess must not be told from a wrong one"
    )


def test_logging_in_is_slowed_together_with_tokens(server: Server) -> None:
    server.user("ann")
    tries = [server.ask("POST", "/api/v1/session", (), {"token": f"x{i}"}).status for i in range(FREE_TRIES)]
    assert tries == [401] * FREE_TRIES
    assert server.ask("POST", "/api/v1/session", (), {"token": "y"}).status == 429
    assert server.ask("GET", "/api/v1/me", {"Authorization": "Bearer z"}).status == 429


def test_each_wrong_token_doubles_the_pause_up_to_a_minute() -> None:
    now = 0.0
    slowing = Slowing(lambda: now)
    pauses = []
    for _ in range(20):
        started = now
        while True:
            try:
                slowing.check("1.2.3.4")
                break
            except Exception as problem:
                now += float(problem.headers["Retry-After"])
        pauses.append(now - started)
        slowing.failed("1.2.3.4")
    assert pauses[:FREE_TRIES] == [0] * FREE_TRIES
    assert pauses[FREE_TRIES : FREE_TRIES + 7] == [1, 2, 4, 8, 16, 32, 60]
    assert max(pauses) == 60
    slowing.check("1.2.3.5")


def test_counting_those_who_guess_takes_bounded_room() -> None:
    slowing = Slowing()
    for number in range(30_000):
        slowing.failed(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    assert len(slowing) <= 10_000


# --- browsers --------------------------------------------------------------------------------------------


def log_in(server: Server, user: dict[str, str]) -> str:
    secret = user["Authorization"].removeprefix("Bearer ")
    reply = server.ask("POST", "/api/v1/session", {"Origin": own(server)}, {"token": secret})
    assert reply.status == 200, reply
    cookie = reply.headers["Set-Cookie"]
    assert secret not in cookie
    assert {"httponly", "samesite=strict", "path=/"} <= {part.strip().lower() for part in cookie.split(";")}
    return cookie.partition(";")[0]


def own(server: Server) -> str:
    return f"http://127.0.0.1:{server.port}"


def test_a_browser_logs_in_with_a_token_and_goes_on_with_a_cookie(server: Server) -> None:
    cookie = log_in(server, server.user("ann"))
    page = {"Cookie": cookie, "Sec-Fetch-Site": "same-origin"}
    assert server.ask("GET", "/api/v1/me", page).json["user"] == "ann"
    assert server.ask("POST", "/api/v1/notes", {**page, "Origin": own(server)}, {"text": "x"}).status == 200
    out = server.ask("DELETE", "/api/v1/session", {**page, "Origin": own(server)})
    assert out.status == 204
    assert "Max-Age=0" in out.headers["Set-Cookie"]
    assert server.ask("GET", "/api/v1/me", page).status == 401


def test_a_cookie_alone_changes_nothing(server: Server) -> None:
    cookie = log_in(server, server.user("ann"))
    assert server.ask("POST", "/api/v1/notes", {"Cookie": cookie}, {"text": "x"}).status == 403
    other = {"Cookie": cookie, "Origin": "http://evil.example"}
    assert server.ask("POST", "/api/v1/notes", other, {"text": "x"}).status == 403
    assert server.notes == []


def test_revoking_a_token_ends_its_sessions(server: Server) -> None:
    cookie = log_in(server, server.user("ann"))
    assert server.tokens.revoke("ann's")
    assert server.ask("GET", "/api/v1/me", {"Cookie": cookie}).status == 401


@pytest.mark.parametrize("value", ["", "x", "ngt_x", "a" * 3000, '"; drop'])
def test_a_made_up_cookie_is_no_session(server: Server, value: str) -> None:
    server.user("ann")
    assert server.ask("GET", "/api/v1/me", {"Cookie": f"nodegraph_session={value}"}).status == 401


def test_a_token_is_no_cookie(server: Server) -> None:
    secret = server.user("ann")["Authorization"].removeprefix("Bearer ")
    assert server.ask("GET", "/api/v1/me", {"Cookie": f"nodegraph_session={secret}"}).status == 401


def test_over_tls_the_cookie_never_goes_without(tmp_path: Path) -> None:
    with serving(settings_in(tmp_path, public_url="https://n.example")) as server:
        secret = server.user("ann")["Authorization"].removeprefix("Bearer ")
        reply = server.ask("POST", "/api/v1/session", (), {"token": secret}, host="n.example")
        assert "Secure" in reply.headers["Set-Cookie"]


# --- WebSockets ------------------------------------------------------------------------------------------


def connect(server: Server, **options) -> tuple[str | None, str]:
    async def talk() -> tuple[str | None, str]:
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"http://127.0.0.1:{server.port}/ws", **options) as socket,
        ):
            return socket.protocol, await socket.receive_str()

    return asyncio.run(talk())


def test_a_websocket_carries_its_token_as_a_header_or_a_subprotocol(server: Server, caplog) -> None:
    ann = server.user("ann")
    secret = ann["Authorization"].removeprefix("Bearer ")
    assert connect(server, headers=ann) == (None, "ann")
    with caplog.at_level(logging.DEBUG):
        said = connect(
            server, protocols=("nodegraph", f"nodegraph.token.{secret}"), headers={"Origin": own(server)}
        )
    assert said == ("nodegraph", "ann")
    assert secret not in caplog.text


@pytest.mark.parametrize("protocols", [(), ("nodegraph",), ("nodegraph", "nodegraph.token.x"), ("x",)])
def test_a_websocket_without_a_token_is_refused(server: Server, protocols) -> None:
    server.user("ann")
    with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
        connect(server, protocols=protocols)
    assert refusal.value.status == 401


def test_a_websocket_takes_a_session(server: Server) -> None:
    cookie = log_in(server, server.user("ann"))
    assert connect(server, headers={"Cookie": cookie, "Origin": own(server)}) == (None, "ann")


def test_a_websocket_with_a_cookie_says_which_page_it_is_of(server: Server) -> None:
    cookie = log_in(server, server.user("ann"))
    for headers in ({"Cookie": cookie}, {"Cookie": cookie, "Origin": "http://evil.example"}):
        with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
            connect(server, headers=headers)
        assert refusal.value.status == 403


# --- logs and stores -------------------------------------------------------------------------------------


def test_no_secret_is_written_anywhere(server: Server, caplog) -> None:
    with caplog.at_level(logging.DEBUG):
        ann = server.user("ann")
        secret = ann["Authorization"].removeprefix("Bearer ")
        cookie = log_in(server, ann)
        server.ask("GET", f"/api/v1/me?token={secret}", ann)
        server.ask(
            "GET", "/api/v1/me", {"Cookie": cookie, "Referer": f"http://x/?{secret}", "User-Agent": secret}
        )
        server.ask("POST", "/api/v1/session", (), {"token": secret, "more": secret})
        server.ask("GET", "/api/v1/me", {"Authorization": f"Basic {secret}"})
    assert "/api/v1/me" in caplog.text, "the access log was looked at"
    assert secret not in caplog.text
    assert cookie.partition("=")[2] not in caplog.text
    for path in server.settings.data.rglob("*"):
        assert not path.is_file() or secret.encode() not in path.read_bytes()


def test_no_request_writes_a_line_of_its_own_into_the_log(server: Server, caplog) -> None:
    with caplog.at_level(logging.INFO):
        server.ask(
            "GET",
            "/x%0aforged%20line%1b%5b2J\u00e9".encode().decode("latin-1").replace("\u00c3\u00a9", "%c3%a9"),
        )
        lines = []
        while not lines:  # it is written once the answer is on its way
            time.sleep(0.01)
            lines = [text for text in map(logging.LogRecord.getMessage, caplog.records) if "forged" in text]
    (line,) = lines
    assert line.isprintable()


@pytest.mark.parametrize(
    "request_line",
    [b"GET /api/v1/me?token=SECRET HTTP/x.y", b"SECRET", b"GET /?SECRET=" + b"a" * 40_000 + b" HTTP/1.1"],
)
def test_what_is_no_http_is_logged_without_its_words(server: Server, caplog, request_line) -> None:
    data = request_line + b"\r\nHost: localhost\r\n\r\n"
    assert server.raw(data).status == 400
    assert not caplog.records, "anyone could fill the log"
    with caplog.at_level(logging.DEBUG):
        server.raw(data)
    assert "cannot be read" in caplog.text
    assert "SECRET" not in caplog.text and "Traceback" not in caplog.text


def test_what_is_stored_of_a_token_lets_nobody_in(server: Server) -> None:
    server.user("ann")
    with sqlite3.connect(server.settings.database) as db:
        row = db.execute("SELECT * FROM tokens").fetchone()
    db.close()
    for value in row:
        assert server.tokens.verify(str(value)) is None
