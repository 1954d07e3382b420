"""The workflows to start from, over HTTP: each is whole, and says whether it would run."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from security_support import WholeServer, serving_all, settings_in

WORKFLOWS = Path(__file__).parents[2] / "workflows"
NAMES = sorted(path.stem for path in WORKFLOWS.glob("*.json"))
NEED_WEIGHTS = {
    "controlnet",
    "gan",
    "inpaint_model",
    "instruct_pix2pix",
    "ip_adapter",
    "lcm",
    "lora",
    "model_merge",
    "sdxl_refiner",
    "t2i_adapter",
    "turbo",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WholeServer]:
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("templates")
        patch.setenv("NODEGRAPH_HOME", str(folder / "home"))
        with serving_all(settings_in(folder)) as server:
            yield server


def test_every_template_is_listed_and_says_what_it_lacks(server: WholeServer) -> None:
    listed = server.ask("GET", "/api/v1/templates").json["templates"]
    assert [template["name"] for template in listed] == NAMES
    assert {template["name"] for template in listed if not template["valid"]} == NEED_WEIGHTS
    for template in listed:
        assert template["title"] and template["description"]
        assert template["valid"] or any("put it into" in issue["message"] for issue in template["issues"])


@pytest.mark.parametrize("name", NAMES)
def test_a_template_is_the_file_itself(server: WholeServer, name: str) -> None:
    reply = server.ask("GET", f"/api/v1/templates/{name}")
    assert reply.json == json.loads((WORKFLOWS / f"{name}.json").read_text())


def test_what_runs_as_it_is_has_a_small_picture(server: WholeServer) -> None:
    for template in server.ask("GET", "/api/v1/templates").json["templates"]:
        if template["name"] in NEED_WEIGHTS:
            assert template["picture"] is None
            continue
        reply = server.ask("GET", template["picture"])
        assert (reply.status, reply.headers["Content-Type"]) == (200, "image/webp")
        assert len(reply.body) <= 30_000
        with Image.open(io.BytesIO(reply.body)) as picture:
            assert max(picture.size) <= 256


@pytest.mark.parametrize("path", ["nothing", "..%2fREADME", "gan/picture", "nothing/picture"])
def test_what_is_not_there_is_not_found(server: WholeServer, path: str) -> None:
    reply = server.ask("GET", f"/api/v1/templates/{path}")
    assert (reply.status, reply.json["code"]) == (404, "not_found")
