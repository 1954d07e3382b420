"""Pictures of models over HTTP: found where people keep them, sent small, and nothing else is sent."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from security_support import Reply, WholeServer, picture, serving_all, settings_in

LORAS = "/api/v1/models/loras"


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, models: Path) -> Iterator[WholeServer]:
    with serving_all(settings_in(tmp_path_factory.mktemp("server"), models=(models,))) as server:
        yield server


@pytest.fixture
def loras(models: Path) -> Iterator[Path]:
    folder = models / "loras"
    folder.mkdir(parents=True)
    yield folder
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
    folder.rmdir()


def weights(path: Path, **metadata: str) -> None:
    """A safetensors file without tensors."""
    header = json.dumps({"__metadata__": metadata}).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(len(header).to_bytes(8, "little") + header)


def data_url(data: bytes, type: str = "image/png") -> str:
    return f"data:{type};base64,{base64.b64encode(data).decode()}"


def listed(server: WholeServer) -> tuple[list[str], list[str]]:
    """The models, and those that have a picture."""
    return server.ask("GET", LORAS).json["names"], server.ask("GET", f"{LORAS}/pictures").json["names"]


def shown(reply: Reply) -> Image.Image:
    assert (reply.status, reply.headers["content-type"]) == (200, "image/webp")
    image = Image.open(io.BytesIO(reply.body))
    image.load()
    return image


@pytest.mark.parametrize("ending", [".png", ".jpg", ".jpeg", ".webp", ".preview.png", ".preview.webp"])
def test_one_beside_the_file(server: WholeServer, loras: Path, ending: str) -> None:
    weights(loras / "style/ink.v2.safetensors")
    Image.new("RGB", (600, 300), "red").save(loras / f"style/ink.v2{ending}")
    assert listed(server) == (["style/ink.v2.safetensors"],) * 2
    image = shown(server.ask("GET", f"{LORAS}/pictures/style/ink.v2.safetensors"))
    assert image.size == (256, 128)
    red, green, blue = image.convert("RGB").getpixel((9, 9))
    assert red > 240 and green < 16 and blue < 16


def test_one_that_the_file_carries(server: WholeServer, loras: Path) -> None:
    weights(loras / "a.safetensors", **{"modelspec.thumbnail": data_url(picture())})
    weights(loras / "b.safetensors", title="none")
    assert listed(server) == (["a.safetensors", "b.safetensors"], ["a.safetensors"])
    shown(server.ask("GET", f"{LORAS}/pictures/a.safetensors"))
    weights(loras / "a.safetensors", title="the picture is gone")
    assert listed(server)[1] == []


def test_one_beside_a_folder_that_is_a_model(server: WholeServer, loras: Path) -> None:
    (loras / "whole").mkdir()
    (loras / "whole/config.json").write_text("{}")
    (loras / "whole.png").write_bytes(picture())
    assert listed(server) == (["whole"], ["whole"])
    shown(server.ask("GET", f"{LORAS}/pictures/whole"))


def test_notes_beside_a_model_are_no_models(server: WholeServer, loras: Path) -> None:
    weights(loras / "a.safetensors")
    for name in ("a.json", "a.civitai.info", "a.metadata.json", "a.txt", "a.preview.png", "a.PNG"):
        (loras / name).write_bytes(b"x")
    for name in ("alone.png", "ab.txt"):  # whatever a pack makes of them
        (loras / name).write_bytes(b"x")
    assert listed(server)[0] == ["a.safetensors", "ab.txt", "alone.png"]


@pytest.mark.parametrize(
    "thumbnail",
    [
        "https://example.org/tracker.png",
        "data:image/svg+xml;base64,PHN2Zy8+",
        "data:image/png;base64,AAAA",
        "data:image/png;base64,%%%",
        "data:text/html;base64,PGI+",
        data_url(picture())[:-40],
        "",
    ],
)
def test_what_is_no_picture_is_not_sent(server: WholeServer, loras: Path, thumbnail: str) -> None:
    weights(loras / "a.safetensors", **{"modelspec.thumbnail": thumbnail})
    reply = server.ask("GET", f"{LORAS}/pictures/a.safetensors")
    assert (reply.status, reply.json["code"]) == (404, "not_found")
    assert "a.safetensors" in reply.json["detail"]


@pytest.mark.parametrize(
    "data",
    [b"", b"\xff" * 8, b"\xff" * 9, (2**62).to_bytes(8, "little") + b"{}", b"\2\0\0\0\0\0\0\0[]", b"\1"],
)
def test_a_damaged_file_has_none(server: WholeServer, loras: Path, data: bytes) -> None:
    (loras / "a.safetensors").write_bytes(data)
    assert listed(server) == (["a.safetensors"], [])
    assert server.ask("GET", f"{LORAS}/pictures/a.safetensors").status == 404


def test_nothing_outside_the_folder_is_sent(server: WholeServer, loras: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(picture())
    weights(loras / "a.safetensors")
    (loras / "a.png").symlink_to(tmp_path / "secret.png")
    assert listed(server)[1] == []
    for name in ("a.safetensors", "../loras/a.safetensors", "%2e%2e/x", str(tmp_path / "secret"), "a%00"):
        assert server.ask("GET", f"{LORAS}/pictures/{name}").status in (400, 404)
    assert server.ask("GET", "/api/v1/models/secrets/pictures").json["code"] == "unknown_folder"


def test_a_picture_of_too_many_pixels_is_not_opened(tmp_path: Path) -> None:
    weights(tmp_path / "models/loras/a.safetensors")
    (tmp_path / "models/loras/a.png").write_bytes(picture())
    settings = settings_in(tmp_path / "server", models=(tmp_path / "models",), max_pixels=1)
    with serving_all(settings) as server:
        reply = server.ask("GET", f"{LORAS}/pictures/a.safetensors")
    assert reply.status == 404 and "over 1 pixels" in reply.json["detail"]
