"""Files as they are served: by type, in a form that no browser runs, and never a file of elsewhere."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from hashlib import sha256
from urllib.parse import quote

import pytest
from security_support import Reply, WholeServer, picture, serving_all, settings_in

SCRIPT = b"<script>alert(document.cookie)</script>"
ACTIVE = {
    "page.html": b"<!doctype html>" + SCRIPT,
    "page.htm": b"<html>" + SCRIPT,
    "page.xhtml": b'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"/>',
    "drawing.svg": b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
    "disguised.png": b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
    "disguised.jpg": b"<html>" + SCRIPT,
    "spaced.txt": b"\r\n\t <html>" + SCRIPT,
    "marked.txt": b"\xef\xbb\xbf<html>" + SCRIPT,
    "wide.txt": "<html><script>alert(1)</script>".encode("utf-16"),
    "script.js": b"\0alert(1)",
    "style.css": b"\0body{}",
    "document.pdf": b"%PDF-1.7\n%\xff\xff\xff\xff",
    "feed.xml": b'<?xml version="1.0"?><?xml-stylesheet href="x.xsl"?><x/>',
    "archive.mht": b"\0MIME-Version: 1.0",
    "program.swf": b"CWS\x0a\0\0\0\0",
    "font.woff2": b"wOF2\0\1\0\0",
    "model.safetensors": (2).to_bytes(8, "little") + b"{}",
    "pickle.pkl": b"\x80\x04.",
    "nothing.png": b"",
}
PASSIVE = {
    "picture.png": (picture(), "image/png"),
    "photo.jpg": (picture("JPEG"), "image/jpeg"),
    "picture.webp": (picture("WEBP"), "image/webp"),
    "misnamed.html": (picture(), "image/png"),
    "words.txt": (b"plain words", "text/plain; charset=utf-8"),
    "words.html": (b"plain words", "text/plain; charset=utf-8"),
    "data.json": (b'{"a": "<script>"}', "text/plain; charset=utf-8"),
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WholeServer]:
    settings = settings_in(tmp_path_factory.mktemp("media"), max_pixels=1000)
    with serving_all(settings) as server:
        contents = {**ACTIVE, **{name: data for name, (data, _) in PASSIVE.items()}}
        for folder in (settings.output, settings.uploads / "local", settings.previews / "local"):
            folder.mkdir(parents=True, exist_ok=True)
            for name, data in contents.items():
                (folder / name).write_bytes(data)
        yield server


PLACES = [
    "/api/v1/outputs/output/{}",
    "/api/v1/outputs/temp/{}",
    "/api/v1/uploads/{}",
    "/view?filename={}",
    "/view?filename={}&type=input",
    "/api/view?filename={}&type=temp",
]


def assert_inert(headers: http.client.HTTPMessage) -> None:
    """Whether a browser neither guesses another type nor runs anything of it nor shows it inside a page."""
    assert headers["X-Content-Type-Options"] == "nosniff"
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "sandbox" in policy
    assert "allow-" not in policy and "script-src" not in policy
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", ACTIVE)
def test_what_a_browser_could_run_is_only_saved(server: WholeServer, name: str, place: str) -> None:
    reply = server.ask("GET", place.format(name))
    assert reply.status == 200 and reply.body == ACTIVE[name]
    assert reply.headers["Content-Type"] == "application/octet-stream"
    assert reply.headers["Content-Disposition"] == f'attachment; filename="{name}"'
    assert_inert(reply.headers)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", PASSIVE)
def test_what_is_shown_has_the_type_of_its_content(server: WholeServer, name: str, place: str) -> None:
    reply = server.ask("GET", place.format(name))
    assert (reply.body, reply.headers["Content-Type"]) == PASSIVE[name]
    assert reply.headers["Content-Disposition"].startswith("inline")
    assert_inert(reply.headers)


@pytest.mark.parametrize("more", ["?download=true", "?download=1"])
def test_a_picture_is_saved_where_that_is_asked_for(server: WholeServer, more: str) -> None:
    reply = server.ask("GET", f"/api/v1/outputs/output/picture.png{more}")
    assert reply.headers["Content-Disposition"].startswith("attachment")


@pytest.mark.parametrize("channel", ["rgb", "a", "rgba"])
@pytest.mark.parametrize("preview", ["", "webp;90", "jpeg;5", "html", "svg;1", "../x"])
def test_a_picture_that_is_made_for_showing_is_inert(server: WholeServer, preview: str, channel: str) -> None:
    reply = server.ask("GET", f"/view?filename=picture.png&preview={quote(preview)}&channel={channel}")
    assert reply.status == 200 and reply.headers["Content-Type"].startswith("image/")
    assert_inert(reply.headers)


@pytest.mark.parametrize("query", ["preview=webp", "channel=rgb", "channel=a"])
@pytest.mark.parametrize("name", ["page.html", "drawing.svg", "pickle.pkl", "nothing.png", "document.pdf"])
def test_what_is_no_picture_is_made_into_none(server: WholeServer, name: str, query: str) -> None:
    assert server.ask("GET", f"/view?filename={name}&{query}").status == 400


@pytest.mark.parametrize("query", ["preview=webp", "channel=rgb", "channel=a"])
def test_a_picture_with_too_many_pixels_is_not_decoded(server: WholeServer, query: str) -> None:
    (server.settings.output / "large.png").write_bytes(picture(size=(200, 100)))
    assert server.ask("GET", f"/view?filename=large.png&{query}").status == 413


KEPT = {
    "page.html": "application/octet-stream",
    "drawing.svg": "application/octet-stream",
    "script.js": "application/octet-stream",
    "pack.py": "application/octet-stream",
    "workflow.json": "application/json",
    "picture.png": "image/png",
    "no_suffix": "application/octet-stream",
}


@pytest.mark.parametrize("name", KEPT)
def test_what_comfyui_clients_keep_is_inert_too(server: WholeServer, name: str) -> None:
    assert server.ask("POST", f"/userdata/{name}", (), b"<html>" + SCRIPT).status == 200
    reply = server.ask("GET", f"/userdata/{name}")
    assert reply.body == b"<html>" + SCRIPT and reply.headers["Content-Type"] == KEPT[name]
    kind = "attachment" if KEPT[name].endswith("octet-stream") else "inline"
    assert reply.headers["Content-Disposition"].startswith(kind)
    assert_inert(reply.headers)


@pytest.mark.parametrize(
    "name", ['a"b.txt', "a;b.txt", "für 猫.txt", "a%0d%0ab.txt", "a,b=c.txt", "emoji 👩‍🎨.txt"]
)
def test_a_name_does_not_break_out_of_its_header(server: WholeServer, name: str) -> None:
    (server.settings.output / name).write_bytes(b"words")
    reply = server.ask("GET", f"/api/v1/outputs/output/{quote(name, safe='')}")
    if reply.status == 400:  # no name that the server takes
        return
    given = reply.headers["Content-Disposition"]
    assert reply.headers.get_all("Content-Disposition") == [given]
    plain = given.partition('filename="')[2].partition('"')[0]
    assert plain.isascii() and given.count('"') == 2 and ";" not in plain


@pytest.mark.parametrize(
    "range",
    ["bytes=-0", "bytes=99999-", "bytes=5-2", "bytes=a-b", "bytes=0-0,2-2", "lines=1", "bytes=" + "9" * 99],
)
def test_an_odd_range_gives_all_or_nothing(server: WholeServer, range: str) -> None:
    reply = server.ask("GET", "/api/v1/outputs/output/words.txt", {"Range": range})
    assert reply.status == 416 or (reply.status in (200, 206) and reply.body == b"plain words")


# --- links -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", PLACES)
def test_a_link_that_leads_out_is_not_followed(server: WholeServer, place: str) -> None:
    secret = server.settings.data / "webhook-secret"
    assert secret.is_file()
    for folder in (
        server.settings.output,
        server.settings.uploads / "local",
        server.settings.previews / "local",
    ):
        for name, target in (("link.txt", secret), ("folder", secret.parent), ("far.txt", "/etc/passwd")):
            (folder / name).unlink(missing_ok=True)
            (folder / name).symlink_to(target)
    for name in ("link.txt", "far.txt"):
        assert server.ask("GET", place.format(name)).status == 404
    assert ask_below(server, place, "folder", "webhook-secret").status in (400, 404)


def ask_below(server: WholeServer, place: str, folder: str, name: str) -> Reply:
    if "filename" in place:
        return server.ask("GET", f"{place.format(name)}&subfolder={folder}")
    if "uploads" in place:
        return server.ask("GET", f"{place.format(name)}?subfolder={folder}")
    return server.ask("GET", place.format(f"{folder}/{name}"))


def test_links_are_not_among_what_is_found_by_content_or_listed(server: WholeServer) -> None:
    digest = sha256((server.settings.data / "webhook-secret").read_bytes()).hexdigest()
    (server.settings.output / "again.txt").symlink_to(server.settings.data / "webhook-secret")
    assert server.ask("GET", f"/api/v1/outputs/{digest}").status == 404
    uploads = server.settings.uploads / "local"
    (uploads / "again.txt").symlink_to(server.settings.data / "webhook-secret")
    names = {file["name"] for file in server.ask("GET", "/api/v1/uploads").json["uploads"]}
    assert "picture.png" in names and "again.txt" not in names


def test_an_upload_does_not_follow_a_link(server: WholeServer) -> None:
    uploads, outside = server.settings.uploads / "local", server.settings.data / "outside.txt"
    outside.write_text("as it was")
    (uploads / "target.txt").symlink_to(outside)
    (uploads / "way.d").symlink_to(server.settings.data)
    assert server.upload("target.txt", b"overwritten", more="&overwrite=true").status == 201
    assert server.upload("outside.txt", b"overwritten", more="&overwrite=true&subfolder=way.d").status == 400
    assert outside.read_text() == "as it was"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/view?filename=../../data/jobs.sqlite"),
        ("GET", "/view?filename=jobs.sqlite&subfolder=../data"),
        ("GET", "/view?filename=/etc/passwd"),
        ("GET", "/view?filename=passwd&subfolder=/etc"),
        ("GET", "/view?filename=jobs.sqlite&type=../data"),
        ("GET", "/view?filename=jobs.sqlite%20[data]"),
        ("GET", "/view?filename=..%5c..%5cdata%5cjobs.sqlite"),
        ("GET", "/userdata/..%2f..%2f..%2fjobs.sqlite"),
        ("GET", "/userdata/%2fetc%2fpasswd"),
        ("GET", "/userdata/%2e%2e%2fsettings.json"),
        ("GET", "/userdata?dir=.."),
        ("GET", "/userdata?dir=/etc"),
        ("GET", "/v2/userdata?path=../.."),
        ("POST", "/userdata/..%2f..%2f..%2fevil.py"),
        ("POST", "/userdata/a%00b"),
        ("POST", "/userdata/con"),
        ("POST", "/userdata/a%3ab"),
        ("POST", "/userdata/.."),
        ("DELETE", "/userdata/..%2fsettings.json"),
        ("POST", "/userdata/workflow.json/move/..%2f..%2fevil.json"),
        ("GET", "/models/..%2f..%2fdata"),
        ("GET", "/api/v1/models/..%2f"),
    ],
)
def test_comfyui_clients_do_not_leave_their_folders(server: WholeServer, method: str, path: str) -> None:
    before = {item for item in server.settings.data.parent.rglob("*") if "sqlite" not in item.name}
    reply = server.ask(method, path, (), b"evil" if method == "POST" else None)
    assert reply.status in (400, 403, 404), reply
    after = {item for item in server.settings.data.parent.rglob("*") if "sqlite" not in item.name}
    assert after == before


def test_a_file_does_not_become_a_folder_nor_a_folder_a_file(server: WholeServer) -> None:
    assert server.ask("POST", "/userdata/f%2fg", (), b"x").status == 200
    assert server.ask("POST", "/userdata/f", (), b"x").status == 409
    assert server.ask("POST", "/userdata/f%2fg%2fh", (), b"x").status == 409
    assert server.ask("POST", "/userdata/f%2fg/move/f", (), b"").status == 409
    assert server.ask("POST", "/userdata/f%2fg/move/f%2fg%2fh", (), b"").status == 409
    assert server.ask("GET", "/userdata/f%2fg").body == b"x"


# --- every answer ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "host"),
    [
        ("GET", "/api/v1/jobs", ""),
        ("GET", "/queue", ""),
        ("GET", "/", ""),
        ("GET", "/nowhere", ""),
        ("POST", "/api/v1/health", ""),
        ("GET", "/api/v1/jobs", "evil.example"),
        ("GET", "/api/v1/jobs/nobody", ""),
    ],
)
def test_every_answer_tells_the_browser_what_not_to_make_of_it(
    server: WholeServer, method: str, path: str, host: str
) -> None:
    headers = server.ask(method, path, host=host).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["X-Frame-Options"] == "DENY"
    kept = ("no-store", "no-cache") if path == "/" else ("no-store",)  # the page itself holds no secrets
    assert headers["Cache-Control"] in kept
    assert "aiohttp" not in headers["Server"]
    assert "Access-Control-Allow-Origin" not in headers


def test_the_description_runs_no_scripts(server: WholeServer) -> None:
    reply = server.ask("GET", "/api/v1/docs")
    assert reply.headers["Content-Type"].startswith("text/html")
    assert "default-src 'none'" in reply.headers["Content-Security-Policy"]
    assert b"<script" not in reply.body
