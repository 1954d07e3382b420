"""Files that clients bring: how many, how large, how fast, and what is in them."""

from __future__ import annotations

import json
import struct
import zipfile
import zlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from security_support import Server, form, picture, serving, settings_in

FORM = {"Content-Type": "multipart/form-data; boundary=edge"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    settings = settings_in(
        tmp_path_factory.mktemp("uploads"),
        max_body=50_000,
        max_upload=1_000_000,
        max_pixels=1000,
        upload_idle=0.3,
    )
    with serving(settings) as server:
        yield server


def kept(server: Server) -> set[Path]:
    """Every file that is kept, finished or not."""
    return {path for path in server.settings.uploads.rglob("*") if path.is_file()}


# --- how much and how fast -------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "text/html", ""])
def test_an_upload_is_no_form_of_text(server: Server, kind: str) -> None:
    assert server.upload("x.png", picture(), {"Content-Type": kind}).status == 415


def test_a_large_upload_is_refused_and_leaves_nothing(server: Server) -> None:
    before, big = kept(server), b"\x89PNG\r\n\x1a\n" + b"a" * 1_000_001
    assert server.upload("big.png", big).status == 413
    headers, body = form(('name="file"; filename="big.png"', big))
    assert server.ask("POST", "/api/v1/uploads", headers, body).status == 413
    assert kept(server) == before


@pytest.mark.parametrize("kind", ["image/png", FORM["Content-Type"]])
@pytest.mark.parametrize("sent", [b"", b"\x89PNG", b"--edge\r\nContent-Disposition: form-data; na"])
def test_an_upload_that_stands_still_is_let_go_and_leaves_nothing(
    server: Server, sent: bytes, kind: str
) -> None:
    before = kept(server)
    head = f"POST /api/v1/uploads?name=cut.png HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\n"
    assert server.raw(f"{head}Content-Length: 999\r\n\r\n".encode() + sent).status in (400, 408)
    assert kept(server) == before


def test_a_field_that_stands_still_is_let_go(server: Server) -> None:
    sent = b'--edge\r\nContent-Disposition: form-data; name="subfolder"\r\n\r\nab'
    head = f"POST /api/v1/uploads HTTP/1.1\r\nHost: localhost\r\nContent-Type: {FORM['Content-Type']}\r\n"
    assert server.raw(f"{head}Content-Length: 999\r\n\r\n".encode() + sent).status == 408


def test_an_empty_upload_is_refused(server: Server) -> None:
    assert server.upload("empty.png", b"").status == 400


def test_a_user_may_keep_so_many_files_and_bytes(tmp_path: Path) -> None:
    one = picture()
    with serving(settings_in(tmp_path, max_files=3)) as server:
        assert [server.upload(f"{i}.png", one).status for i in range(4)] == [201, 201, 201, 507]
        assert server.ask("DELETE", "/api/v1/uploads/0.png").status == 204
        assert server.upload("4.png", one).status == 201
    with serving(settings_in(tmp_path / "b", quota=2 * len(one) + 1)) as server:
        assert [server.upload(f"{i}.png", one).status for i in range(3)] == [201, 201, 413]


# --- forms -----------------------------------------------------------------------------------------------


def test_a_form_of_many_parts_is_refused(server: Server) -> None:
    headers, body = form(*[('name="subfolder"', b"a")] * 100)
    assert server.ask("POST", "/api/v1/uploads", headers, body).status == 413


def test_a_long_field_is_refused(server: Server) -> None:
    headers, body = form(('name="subfolder"', b"a" * 10_000))
    assert server.ask("POST", "/api/v1/uploads", headers, body).status == 413


@pytest.mark.parametrize(
    ("name", "value"),
    [("subfolder", b"a" * 2000), ("overwrite", b"maybe"), ("subfolder", b"\xff"), ("path", b"x"), ("", b"x")],
)
def test_a_field_that_is_none_is_refused(server: Server, name: str, value: bytes) -> None:
    before, parts = kept(server), [(f'name="{name}"', value), ('name="file"; filename="x.png"', picture())]
    for order in (parts, parts[::-1]):
        headers, body = form(*order)
        assert server.ask("POST", "/api/v1/uploads", headers, body).status == 400
        assert kept(server) == before


def test_fields_after_the_files_count_as_well(server: Server) -> None:
    files = [(f'name="file"; filename="after{i}.txt"', b"one %d" % i) for i in (1, 2)]
    headers, body = form(*files, ('name="subfolder"', b"below"), ('name="overwrite"', b"true"))
    uploads = server.ask("POST", "/api/v1/uploads", headers, body).json["uploads"]
    assert [(one["subfolder"], one["name"]) for one in uploads] == [
        ("below", f"after{i}.txt") for i in (1, 2)
    ]


def test_the_files_of_a_form_share_the_room_there_is(tmp_path: Path) -> None:
    with serving(settings_in(tmp_path, quota=1500)) as server:
        headers, body = form(*[(f'name="file"; filename="{i}.txt"', b"%d" % i * 900) for i in range(2)])
        assert server.ask("POST", "/api/v1/uploads", headers, body).status == 413
        assert kept(server) == set()


def test_a_form_within_a_form_is_refused(server: Server) -> None:
    inner = form(('name="file"; filename="x.png"', picture()), boundary="inner")[1]
    body = b"--edge\r\nContent-Type: multipart/mixed; boundary=inner\r\n\r\n" + inner + b"\r\n--edge--\r\n"
    assert server.ask("POST", "/api/v1/uploads", FORM, body).status == 400


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--edge--\r\n",
        b"--edge\r\n",
        b"no form",
        b'--edge\r\nContent-Disposition: form-data; name="file"\r\n\r\nx\r\n--edge--\r\n',
        b"--edge\r\nContent-Disposition: x\r\n\r\nx\r\n--edge--\r\n",
        b'--edge\r\nContent-Disposition: form-data; name="file"; filename="x.png"\r\n'
        b"Content-Length: abc\r\n\r\nx\r\n--edge--\r\n",
        b'--edge\r\nContent-Disposition: form-data; name="a\x0bb"\r\n\r\nx\r\n--edge--\r\n',
        b"--edge\r\nA" + b"a" * 9000 + b": x\r\n\r\nx\r\n--edge--\r\n",
    ],
)
def test_a_form_without_a_file_is_refused(server: Server, body: bytes) -> None:
    before = kept(server)
    assert server.ask("POST", "/api/v1/uploads", FORM, body).status in (400, 415)
    assert kept(server) == before


@pytest.mark.parametrize("kind", ["multipart/form-data", "multipart/form-data; boundary=" + "a" * 200])
def test_a_form_without_a_boundary_is_refused(server: Server, kind: str) -> None:
    assert server.ask("POST", "/api/v1/uploads", {"Content-Type": kind}, b"--\r\n").status == 400


def test_a_file_does_not_become_a_folder_nor_a_folder_a_file(server: Server) -> None:
    assert server.upload("a.txt", b"words", more="&subfolder=b.txt").status == 201
    assert server.upload("c.txt", b"words", more="&subfolder=b.txt/a.txt").status == 409
    assert server.upload("b.txt", b"words", more="&overwrite=true").status == 409
    assert server.ask("GET", "/api/v1/uploads/a.txt?subfolder=b.txt").body == b"words"


# --- what is in them -------------------------------------------------------------------------------------


def png(*chunks: tuple[bytes, bytes], size: tuple[int, int] = (3, 2)) -> bytes:
    """A PNG with chunks of one's own before its pixels."""
    header = struct.pack(">IIBBBBB", *size, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\0" + bytes(9)) * 2  # far fewer than a large picture says it has
    parts = [(b"IHDR", header), *chunks, (b"IDAT", pixels), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )


def archive(*names: str) -> bytes:
    """A zip file, as torch writes them around its pickles."""
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        for name in names:
            file.writestr(name, PICKLE)
    return stream.getvalue()


PICKLE = b"\x80\x04cposix\nsystem\nX\x04\x00\x00\x00true\x85R."
PICKLES = {
    "model.ckpt": PICKLE,
    "model.pt": archive("archive/data.pkl"),
    "model.pth": archive("archive/data.pkl"),
    "pytorch_model.bin": archive("archive/data.pkl"),
    "x.pkl": PICKLE,
    "x.PICKLE": PICKLE,
    "x.joblib": PICKLE,
    "x.npy": b"\x93NUMPY\x01\x00",
    "x.npz": archive("a.npy"),
    "model.ckpt.png": PICKLE,
    "model.safetensors": PICKLE,
    "zipped.safetensors": archive("archive/data.pkl"),
    "picture.png": archive("archive/data.pkl"),
}


@pytest.mark.parametrize("name", PICKLES)
def test_a_pickle_is_refused_whatever_it_is_called(server: Server, name: str) -> None:
    before = kept(server)
    assert server.upload(name, PICKLES[name]).status == 415
    assert kept(server) == before


def safetensors(header: object, data: bytes = b"") -> bytes:
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


@pytest.mark.parametrize(
    "data",
    [
        safetensors({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}),
        safetensors({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}, b"12345"),
        safetensors({"a": 1}),
        safetensors({"a": {"data_offsets": "x"}}),
        safetensors({"a": {"data_offsets": [0, 1e999]}}),
        safetensors({"a": {"data_offsets": []}}),
        (1 << 40).to_bytes(8, "little") + b'{"',
        (1000).to_bytes(8, "little") + b'{"a"',
        (1000).to_bytes(8, "little") + b'{"a":' * 200,
    ],
)
def test_damaged_safetensors_are_refused(server: Server, data: bytes) -> None:
    assert server.upload("x.safetensors", data).status in (415, 422)


PROGRAMS = {
    "page.html": b"<!doctype html><script>alert(1)</script>",
    "page.png": b"<html><script>alert(1)</script>",
    "page.txt": b"\n <script>alert(1)</script>",
    "page.xhtml": b'<?xml version="1.0"?><html/>',
    "drawing.svg": b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
    "drawing.png": b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>',
    "script.js": b"alert(1)",
    "script.txt": b"#!/bin/sh\ntrue\n",
    "pack.py": b"import os",
    "pack.pth.py": b"import os",
    "program.png": b"MZ\x90\0",
    "program.exe": b"MZ\x90\0",
    "library.so": b"\x7fELF",
    "document.pdf": b"%PDF-1.7",
    "archive.zip": archive("a"),
    "picture.html": picture(),
    "picture.svg": picture(),
    "picture.json": picture(),
    "workflow.png": b'{"nodes": {}}',
    "table.php": b"plain words",
    "no_suffix": b"plain words",
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_what_may_run_is_refused_whatever_it_is_called(server: Server, name: str) -> None:
    before = kept(server)
    assert server.upload(name, PROGRAMS[name]).status == 415
    assert kept(server) == before


LONG = zlib.compress(bytes(100 << 20), 9)
BOMBS = {
    "texts that unpack": (png((b"zTXt", b"prompt\0\0" + LONG)), 422),
    "international texts that unpack": (png((b"iTXt", b"prompt\0\1\0\0\0" + LONG)), 422),
    "a colour profile that unpacks": (png((b"iCCP", b"profile\0\0" + LONG)), 422),
    "many texts that unpack": (png(*[(b"zTXt", b"p\0\0" + zlib.compress(bytes(9 << 20), 9))] * 8), 422),
    "a text that is damaged": (png((b"zTXt", b"prompt\0\0nonsense")), 422),
    "a chunk longer than the file": (png()[:33] + b"\xff\xff\xff\xfftEXtx", 422),
    "many pixels": (png(size=(40_000, 40_000)), 413),
    "most pixels": (png(size=(2**31 - 1, 2**31 - 1)), 413),
    "a few pixels too many": (picture(size=(40, 26)), 413),
    "no pixels": (png(size=(0, 5)), 422),
    "a cut picture": (picture()[:40], 422),
    "a signature alone": (b"\x89PNG\r\n\x1a\n", 422),
}


@pytest.mark.parametrize(("data", "status"), BOMBS.values(), ids=BOMBS)
def test_a_picture_that_would_unpack_to_too_much_is_refused(server: Server, data: bytes, status: int) -> None:
    before = kept(server)
    assert server.upload("x.png", data).status == status
    assert kept(server) == before


@pytest.mark.parametrize("format", ["JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"])
def test_other_pictures_are_bounded_too(server: Server, format: str) -> None:
    suffix = {"JPEG": "jpg", "TIFF": "tif"}.get(format, format.lower())
    assert server.upload(f"small.{suffix}", picture(format)).status == 201
    assert server.upload(f"large.{suffix}", picture(format, size=(100, 100))).status == 413


def test_a_picture_with_its_workflow_is_kept(server: Server) -> None:
    text = json.dumps({"nodes": {}}).encode()
    data = png((b"tEXt", b"prompt\0" + text), (b"zTXt", b"workflow\0\0" + zlib.compress(text)))
    assert server.upload("workflow.png", data).status == 201
    assert server.ask("GET", "/api/v1/uploads/workflow.png").body == data
