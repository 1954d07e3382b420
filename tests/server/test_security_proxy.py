"""What a proxy says of its clients, and who is believed to be one."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError
from security_support import Server, serving, settings_in

from nodegraph.server.security.slowing import FREE_TRIES
from nodegraph.server.settings import ServerSettings

PUBLIC = {"public_url": "https://n.example"}
SPARSE = {"rate": 0.001, "rate_burst": 3}
ALLOWED = [200] * 3 + [429]


def health(server: Server, told: str, name: str = "X-Forwarded-For") -> int:
    return server.ask("GET", "/api/v1/health", {name: told}).status


# --- whose requests are counted together -----------------------------------------------------------------


def test_behind_a_proxy_each_client_and_each_user_is_counted(tmp_path: Path) -> None:
    with serving(settings_in(tmp_path, **PUBLIC, **SPARSE)) as server:
        ann, bob = server.user("ann"), server.user("bob")

        def ask(user: dict[str, str], client: str) -> int:
            return server.ask("GET", "/api/v1/me", {**user, "X-Forwarded-For": client}).status

        assert [ask(ann, "9.9.9.9") for _ in range(4)] == ALLOWED
        assert ask(ann, "8.8.8.8") == 429, "the user is counted, whatever the address"
        assert [ask(bob, f"1.1.1.1, 7.7.7.{i}") for i in range(3)] == [200] * 3


@pytest.mark.parametrize(
    "told",
    [
        "6.6.6.{}, 5.5.5.5",
        "5.5.5.5, 6.6.6.{}, 5.5.5.5",
        "2001:db8:0:1::{}",
        "[2001:db8:0:2::{}]",
        "::ffff:5.5.5.6, ::ffff:5.5.5.6, 5.5.5.6",
        "{}.{}.{}.nonsense",
        "unknown, {}.example",
    ],
)
def test_what_a_client_writes_itself_gives_it_no_more_requests(tmp_path: Path, told: str) -> None:
    """The last address is the proxy's word; a household has many of IPv6; what is no address is nobody."""
    with serving(settings_in(tmp_path, **PUBLIC, **SPARSE)) as server:
        assert [health(server, told.replace("{}", str(i))) for i in range(4)] == ALLOWED


@pytest.mark.parametrize(
    "change",
    [
        {"host": "0.0.0.0"},
        {"host": "0.0.0.0", "trusted_proxies": ("10.0.0.0/8", "::1")},
        {"host": "0.0.0.0", "trusted_proxies": ("127.0.0.2",)},
    ],
)
def test_who_is_no_trusted_proxy_is_not_believed(tmp_path: Path, change) -> None:
    with serving(settings_in(tmp_path, **change, **SPARSE)) as server:
        assert [health(server, f"9.9.9.{i}") for i in range(4)] == ALLOWED


@pytest.mark.parametrize(
    "name", ["X-Real-IP", "Forwarded", "X-Client-IP", "CF-Connecting-IP", "True-Client-IP"]
)
def test_other_headers_tell_no_address(tmp_path: Path, name: str) -> None:
    with serving(settings_in(tmp_path, **PUBLIC, **SPARSE)) as server:
        assert [health(server, f"for=9.9.9.{i}" if name == "Forwarded" else f"9.9.9.{i}", name)
                for i in range(4)] == ALLOWED  # fmt: skip


@pytest.mark.parametrize("proxies", [("127.0.0.1",), ("127.0.0.0/8",), ("::/0", "127.0.0.1/32")])
def test_who_is_named_as_a_proxy_is_believed(tmp_path: Path, proxies: tuple[str, ...]) -> None:
    settings = settings_in(tmp_path, host="0.0.0.0", trusted_proxies=proxies, **SPARSE)
    with serving(settings) as server:
        assert [health(server, f"9.9.9.{i}") for i in range(4)] == [200] * 4


def test_of_two_trusted_proxies_the_outer_one_tells_the_client(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, **PUBLIC, trusted_proxies=("10.0.0.0/8",), **SPARSE)
    with serving(settings) as server:
        assert [health(server, f"9.9.9.{i}, 10.0.0.1") for i in range(4)] == [200] * 4
        assert [health(server, f"8.8.8.{i}, 9.9.9.9, 10.0.0.1") for i in range(4)] == ALLOWED
        assert [health(server, f"8.8.8.{i}" + ", 10.0.0.1" * 50) for i in range(4)] == ALLOWED


def test_guessing_is_slowed_by_the_address_that_the_proxy_tells(tmp_path: Path) -> None:
    with serving(settings_in(tmp_path, **PUBLIC)) as server:
        server.user("ann")

        def guess(number: int, client: str) -> int:
            headers = {"Authorization": f"Bearer x{number}", "X-Forwarded-For": client}
            return server.ask("GET", "/api/v1/me", headers).status

        tries = [guess(i, f"1.1.1.{i}, 9.9.9.9") for i in range(FREE_TRIES + 1)]
        assert tries == [401] * FREE_TRIES + [429]
        assert guess(99, "8.8.8.8") == 401


# --- names and pages -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["X-Forwarded-Host", "Forwarded", "X-Original-Host", "X-Forwarded-Server"])
def test_a_proxy_does_not_say_what_the_server_is_called(tmp_path: Path, name: str) -> None:
    with serving(settings_in(tmp_path, **PUBLIC)) as server:
        value = "host=n.example" if name == "Forwarded" else "n.example"
        assert server.ask("GET", "/api/v1/health", {name: value}, host="evil.example").status == 403
        assert server.ask("GET", "/api/v1/health", host="n.example").status == 200


@pytest.mark.parametrize(
    "url", ["https://n.example", "https://n.example/", "https://n.example/nodes", "https://N.example:443"]
)
@pytest.mark.parametrize("host", ["n.example", "127.0.0.1"])
def test_pages_of_the_public_name_are_ours_and_no_others(tmp_path: Path, url: str, host: str) -> None:
    """The proxy may pass on the name that it was called by, or call the server by its own."""
    with serving(settings_in(tmp_path, public_url=url)) as server:
        ann = server.user("ann")

        def post(origin: str) -> int:
            return server.ask(
                "POST", "/api/v1/notes", {**ann, "Origin": origin}, {"text": "x"}, host=host
            ).status

        assert post("https://n.example") == 200
        for other in (
            "http://n.example.evil.example",
            "https://evil.example",
            "https://n.example:444",
            "null",
        ):
            assert post(other) == 403


def test_a_scheme_that_anyone_may_write_makes_no_page_ours(tmp_path: Path) -> None:
    with serving(settings_in(tmp_path, **PUBLIC)) as server:
        headers = {**server.user("ann"), "Origin": "https://127.0.0.1", "X-Forwarded-Proto": "https"}
        assert server.ask("POST", "/api/v1/notes", headers, {"text": "x"}, host="127.0.0.1").status == 403


# --- settings that could not work ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"public_url": "n.example"},
        {"public_url": "ftp://n.example"},
        {"public_url": "https://"},
        {"public_url": "https://user:word@n.example"},
        {"public_url": "https://n.example?x=1"},
        {"allow_origins": ("*",)},
        {"allow_origins": ("null",)},
        {"allow_origins": ("https://a.example", "b.example")},
        {"allow_hosts": ("*",)},
        {"allow_hosts": ("https://n.example",)},
        {"allow_hosts": ("n.example:8188",)},
        {"trusted_proxies": ("*",)},
        {"trusted_proxies": ("proxy.example",)},
        {"trusted_proxies": ("10.0.0.1/8",)},
        {"tls_cert": Path("cert.pem")},
        {"tls_key": Path("key.pem")},
        {"rate": 0.0},
        {"max_body": 0},
        {"max_sockets": -1},
    ],
)
def test_a_setting_that_would_shut_out_or_let_in_everyone_is_refused(change) -> None:
    with pytest.raises(ValidationError) as refusal:
        ServerSettings(**change)
    assert next(iter(change)) in str(refusal.value) or "certificate" in str(refusal.value)
