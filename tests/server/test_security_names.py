"""Names of files that clients send: what would leave a folder, or mean something else on another system."""

from __future__ import annotations

import unicodedata
from pathlib import Path
from urllib.parse import quote

import pytest
from security_support import Server, form, picture, serving, settings_in

from nodegraph.server.security.paths import user_folder

HOSTILE = {
    "empty": "",
    "parent": "../x.png",
    "parent alone": "..",
    "here": ".",
    "absolute": "/etc/passwd.png",
    "deep parent": "a/../../x.png",
    "backslashes": "..\\x.png",
    "drive": "C:\\x.png",
    "drive relative": "C:x.png",
    "network share": "\\\\host\\share\\x.png",
    "device namespace": "\\\\.\\CON",
    "stream": "x.png:hidden",
    "data stream": "x.png::$DATA",
    "device CON": "CON",
    "device nul with suffix": "nul.png",
    "device COM1": "com1.png",
    "device LPT superscript": "LPT\u00b9.png",
    "device and space": "CON .png",
    "device full width": "\uff23\uff2f\uff2e.png",
    "trailing dot": "x.png.",
    "trailing space": "x.png ",
    "leading dot": ".htaccess",
    "leading space": " x.png",
    "nul byte": "x.png\0.txt",
    "newline": "x\n.png",
    "carriage return": "x\r\nSet-Cookie: a=b.png",
    "escape": "x\x1b[2J.png",
    "delete": "x\x7f.png",
    "c1 control": "x\x85.png",
    "right to left": "x\u202egnp.exe.png",
    "isolate": "x\u2066.png",
    "zero width": "x\u200b.png",
    "byte order mark": "\ufeffx.png",
    "soft hyphen": "x\u00ad.png",
    "line separator": "x\u2028.png",
    "private letter": "x\ue000.png",
    "no letter": "x\uffff.png",
    "full width dots and slash": "\uff0e\uff0e\uff0fx.png",
    "two dot leader": "\u2025/x.png",
    "one dot leader": "\u2024x.png",
    "division slash": "..\u2215x.png",
    "fraction slash": "..\u2044x.png",
    "full width backslash": "..\uff3cx.png",
    "small backslash": "..\ufe68x.png",
    "encoded twice": "%2e%2e%2fx.png",
    "encoded twice backslash": "..%5cx.png",
    "overlong slash": "..%c0%afx.png",
    "wildcard": "*.png",
    "pipe": "x|y.png",
    "quote": 'x".png',
    "angle": "<x>.png",
    "question": "x?.png",
    "too long": "a" * 201 + ".png",
    "too long in bytes": "\u732b" * 80 + ".png",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory):
    with serving(settings_in(tmp_path_factory.mktemp("names"))) as server:
        yield server


def everything_below(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if "jobs.sqlite" not in path.name and path.is_file()}


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_name_is_refused_and_nothing_is_written(server: Server, name: str) -> None:
    before = everything_below(server.settings.data.parent)
    assert server.upload(name, picture()).status == 400
    assert everything_below(server.settings.data.parent) == before


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_subfolder_is_refused(server: Server, name: str) -> None:
    before = everything_below(server.settings.data.parent)
    if name:
        place = f"&subfolder={quote(name + '/a', safe='')}"
        assert server.upload("x.png", picture(), more=place).status == 400
    assert everything_below(server.settings.data.parent) == before


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_name_finds_nothing(server: Server, name: str) -> None:
    for path in ("outputs/output", "outputs/temp", "uploads"):
        reply = server.ask("GET", f"/api/v1/{path}/{quote(name, safe='')}")
        assert reply.status in (400, 404, 405), (path, reply)


@pytest.mark.parametrize(
    ("name", "shown"),
    [("x\x1b[2J.png", "'x\\x1b[2J.png'"), ("a\u202e.png", "'a\\u202e.png'"), ("für.png", "'für.png'")],
)
def test_a_name_is_told_as_it_is_with_what_is_not_seen_escaped_once(
    server: Server, name: str, shown: str
) -> None:
    reply = server.ask("GET", f"/api/v1/outputs/output/{quote(name, safe='')}")
    assert reply.json["detail"].startswith((f"{shown} cannot be", f"there is no file {shown}"))


@pytest.mark.parametrize("name", ["../x.png", "..\\x.png", "a\0b.png", "nul.png", "\uff0e\uff0e\uff0fx.png"])
def test_a_hostile_name_in_a_form_is_refused(server: Server, name: str) -> None:
    before = everything_below(server.settings.data.parent)
    head = f"name=\"file\"; filename*=UTF-8''{quote(name, safe='')}"
    headers, body = form((head, picture()))
    assert server.ask("POST", "/api/v1/uploads", headers, body).status == 400
    assert everything_below(server.settings.data.parent) == before


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/uploads/..%2f..%2fjobs.sqlite",
        "/api/v1/uploads/%2e%2e%2fjobs.sqlite",
        "/api/v1/uploads/../../jobs.sqlite",
        "/api/v1/outputs/output/../../data/jobs.sqlite",
        "/api/v1/outputs/output/%2e%2e/%2e%2e/data/jobs.sqlite",
        "/api/v1/outputs/output/..%252f..%252fdata/jobs.sqlite",
        "/api/v1/outputs/output//etc/passwd",
        "/api/v1/outputs/output/%2fetc%2fpasswd",
        "/api/v1/outputs/input/x.png",
        "/api/v1/outputs/data/jobs.sqlite",
        "/api/v1/outputs/output/%c0%ae%c0%ae/jobs.sqlite",
        "//etc/passwd",
    ],
)
def test_a_path_does_not_lead_out(server: Server, path: str) -> None:
    assert server.settings.database.is_file()
    reply = server.ask("GET", path)
    assert reply.status in (400, 404), reply
    assert not reply.body.startswith(b"SQLite")


@pytest.mark.parametrize(
    "name",
    ["plain.png", "with space.png", "a.b.c.png", "für 猫.png", "50%.png", "100% sure.png", "(1) [x]{y}.png",
     "emoji 👩‍🎨.png", "console.png", "com10.png", "null.png", "it's.png", "a,b;c=d+e&f#g.png",
     "№½…（全角）？.png"],
)  # fmt: skip
def test_an_ordinary_name_is_kept(server: Server, name: str) -> None:
    kept = server.upload(name, picture(colour="blue"))
    assert kept.status == 201
    (file,) = kept.json["uploads"]
    assert file["name"] == name
    assert server.ask("GET", file["url"]).body == picture(colour="blue")


def test_the_two_ways_to_write_a_letter_are_one_name(server: Server) -> None:
    composed, taken_apart = (unicodedata.normalize(form, "é.png") for form in ("NFC", "NFD"))
    assert composed != taken_apart
    kept = server.upload(taken_apart, picture())
    assert kept.json["uploads"][0]["name"] == composed
    for name in (composed, taken_apart):
        assert server.ask("GET", f"/api/v1/uploads/{quote(name)}").status == 200


@pytest.mark.parametrize(
    "user", ["../x", "", "Ann", "con", "a/b", "a" * 70, ".", "..", "_" + "0" * 40, "ü", "a\0b"]
)
def test_an_odd_user_has_a_plain_folder_of_their_own(user: str) -> None:
    folder = user_folder(user)
    assert folder.startswith("_")
    assert folder[1:].isalnum()
    assert len({user_folder(other) for other in (user, user + "x", "ann", "_" + folder[1:])}) == 4


def test_a_plain_user_has_a_folder_of_their_name() -> None:
    assert user_folder("ann-2") == "ann-2"
