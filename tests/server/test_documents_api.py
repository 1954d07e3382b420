"""Workflows imported from files of any kind and exported again, over HTTP."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from security_support import WholeServer, form, serving_all, settings_in

from nodegraph.server.security import limits

WORKFLOWS = Path(__file__).parents[2] / "workflows"
IMPORT = "/api/v1/workflows/import"
PNG = {"Content-Type": "image/png"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WholeServer]:
    with serving_all(settings_in(tmp_path_factory.mktemp("documents"), max_body=200_000)) as server:
        yield server


def golden(name: str) -> dict[str, Any]:
    return json.loads((WORKFLOWS / f"{name}.json").read_text())


def picture(**texts: Any) -> bytes:
    info, stream = PngInfo(), io.BytesIO()
    for keyword, document in texts.items():
        info.add_text(keyword, json.dumps(document))
    Image.new("RGB", (2, 2)).save(stream, "PNG", pnginfo=info)
    return stream.getvalue()


def test_a_workflow_of_our_own_comes_back_as_it_was(server: WholeServer) -> None:
    document = golden("text_to_image")
    read = server.ask("POST", IMPORT, {}, document).json
    assert (read["source"], read["issues"]) == ("nodegraph", [])
    assert read["workflow"] == document


def test_comfyuis_formats_are_told_apart(server: WholeServer) -> None:
    api = golden("comfyui/text_to_image")
    assert server.ask("POST", IMPORT, {}, api).json["source"] == "comfyui"
    placed = {"id": 4, "type": "EmptyImage", "widgets_values": [8, 8, 1, 0], "mode": 3}
    read = server.ask("POST", IMPORT, {}, {"nodes": [placed], "links": []}).json
    assert read["source"] == "comfyui-editor"
    assert read["workflow"]["nodes"]["4"]["inputs"]["width"] == 8
    assert "not_mapped" in {issue["code"] for issue in read["issues"]}


def test_pictures_carry_workflows_as_a_body_or_in_a_form(server: WholeServer) -> None:
    data = picture(prompt=golden("comfyui/text_to_image"))
    read = server.ask("POST", IMPORT, PNG, data)
    assert (read.status, read.json["source"]) == (200, "comfyui")
    headers, body = form(('name="file"; filename="x.png"\r\nContent-Type: image/png', data))
    assert server.ask("POST", IMPORT, headers, body).json == read.json
    large = picture(nodegraph=golden("text_to_image"), filler="x" * 300_000)  # a picture may be larger
    assert server.ask("POST", IMPORT, PNG, large).json["workflow"] == golden("text_to_image")


def test_a_picture_carries_no_more_than_a_body_may(server: WholeServer) -> None:
    """A text of a picture may be packed: a small file would keep the server reading for long."""
    info, stream = PngInfo(), io.BytesIO()
    info.add_text("nodegraph", "[" + "0," * 200_000 + "0]", zip=True)
    Image.new("RGB", (2, 2)).save(stream, "PNG", pnginfo=info)
    reply = server.ask("POST", IMPORT, PNG, stream.getvalue())
    assert len(stream.getvalue()) < 2000
    assert (reply.status, reply.json["code"]) == (413, "too_large")


def test_neither_holds_very_many_values(server: WholeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_VALUES", 1000)
    document = {"nodes": [0] * 2000}
    for headers, data in (({}, document), (PNG, picture(workflow=document))):
        reply = server.ask("POST", IMPORT, headers, data)
        assert (reply.status, "up to 1000 values" in reply.json["detail"]) == (413, True)


def test_unknown_nodes_are_kept_and_named(server: WholeServer) -> None:
    document = {
        "format": "nodegraph",
        "version": 1,
        "nodes": {"x": {"type": "their.Node", "inputs": {"a": 1}}},
    }
    read = server.ask("POST", IMPORT, {}, document).json
    assert read["workflow"] == document
    assert [(issue["code"], issue["node"]) for issue in read["issues"] if issue["node"]] == [
        ("unknown_node", "x")
    ]


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        (PNG, b"\x89PNG\r\n\x1a\nno", 422),
        (PNG, picture(), 422),
        (PNG, b"", 400),
        ({"Content-Type": "text/plain"}, b"{}", 415),
        ({"Content-Type": "application/json"}, b"[1]", 422),
        ({"Content-Type": "application/json"}, b"{", 422),
        ({"Content-Type": "application/json"}, b'"' + b"x" * 200_001 + b'"', 413),
        (*form(('name="other"', b"x")), 400),
    ],
)
def test_what_is_no_workflow_is_refused_in_words(server, headers, body, status) -> None:
    reply = server.ask("POST", IMPORT, headers, body)
    assert reply.status == status, reply.body


def test_a_workflow_is_exported_to_comfyui_and_to_python(server: WholeServer) -> None:
    body = {"workflow": golden("text_to_image")}
    comfy = server.ask("POST", "/api/v1/workflows/export?format=comfyui", {}, body).json
    assert (comfy["name"], comfy["media_type"]) == ("text_to_image.comfyui.json", "application/json")
    again = server.ask("POST", IMPORT, {}, json.loads(comfy["text"])).json
    assert again["issues"] == [] and again["workflow"]["nodes"].keys() == body["workflow"]["nodes"].keys()
    python = server.ask("POST", "/api/v1/workflows/export?format=python", {}, body).json
    assert python["name"] == "text_to_image.py"
    compile(python["text"], python["name"], "exec")
    assert "KSampler.node(" in python["text"]


def test_what_a_format_has_no_words_for_is_told(server: WholeServer) -> None:
    body = {"workflow": golden("refine_loop")}
    reply = server.ask("POST", "/api/v1/workflows/export?format=comfyui", {}, body)
    assert reply.status == 422 and "subgraph" in reply.json["detail"]
    assert server.ask("POST", "/api/v1/workflows/export?format=xml", {}, body).status == 400


def test_the_description_tells_of_files(server: WholeServer) -> None:
    paths = server.ask("GET", "/api/v1/openapi.json").json["paths"]
    content = paths[IMPORT]["post"]["requestBody"]["content"]
    assert {"application/json", "image/png", "multipart/form-data"} <= content.keys()
