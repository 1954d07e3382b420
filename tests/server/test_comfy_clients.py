"""ComfyUI clients made by others, unmodified, against a real server; ``clients/install.py`` gets them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from nodegraph.registry import NodeRegistry
from nodegraph.workflow import export_comfy, read_workflow

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PICTURE = ROOT / "nodes/inputs/red_apple.png"
INSTALLED = os.environ.get("NODEGRAPH_COMFY_CLIENTS", "")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not INSTALLED,
        reason="NODEGRAPH_COMFY_CLIENTS does not name the folder that tests/server/clients/install.py made",
    ),
]


@pytest.fixture
def prompt(tmp_path: Path) -> Path:
    """The golden text-to-image workflow as ComfyUI's editor would export it, titles included."""
    workflow = read_workflow(ROOT / "workflows/text_to_image.json")
    document = export_comfy(workflow, NodeRegistry.with_plugins(), complete=True)
    titles = {"sampler": "Sample", "save": "Save Image"}
    for id, node in document.items():
        node["_meta"] = {"title": titles.get(id, node["class_type"])}
    path = tmp_path / "prompt.json"
    path.write_text(json.dumps(document))
    return path


def said_by(command: list[Any], folder: Path) -> dict[str, Any]:
    """The last line that a client prints, which is JSON."""
    home = {**os.environ, "HOME": str(folder), "NO_COLOR": "1"}
    done = subprocess.run(
        command, cwd=folder, env=home, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    said: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return said


def python(script: str, *arguments: Any, folder: Path) -> dict[str, Any]:
    return said_by([Path(INSTALLED) / "venv/bin/python", HERE / "clients" / script, *arguments], folder)


def javascript(script: str, *arguments: Any) -> dict[str, Any]:
    node = shutil.which("node")
    if node is None or not (Path(INSTALLED) / "node_modules").is_dir():
        pytest.skip("node or the clients in JavaScript are not installed")
    return said_by([node, HERE / "clients" / script, *arguments], Path(INSTALLED))


def host(url: str) -> str:
    return url.partition("://")[2]


def test_comfy_api_simplified(comfy_url, prompt, tmp_path):
    said = python("simplified.py", comfy_url, prompt, PICTURE, folder=tmp_path)
    assert said["uploaded"]["subfolder"] == "default_upload_folder"
    assert list(said["images"].values()) == [b"\x89PNG\r\n\x1a\n".hex()]
    assert "400" in said["error"]
    assert said["sampler"] == ["LATENT"] and said["queue"]["queue_running"] == []


def test_comfyui_workflow_client(comfy_url, prompt, tmp_path):
    assert python("workflow_client.py", host(comfy_url), prompt, folder=tmp_path) == {
        "Save Image": [128, 128]
    }


def test_comfy_api_client(comfy_url, prompt, tmp_path):
    said = python("api_client.py", comfy_url, prompt, PICTURE, folder=tmp_path)
    assert said["images"] == [[128, 128]] and said["completed"] and said["left"] == {}
    assert said["uploaded"] == {"name": "api_client.png", "subfolder": "clients", "type": "input"}


def test_comfy_script(comfy_url, tmp_path):
    assert python("comfy_script_runtime.py", comfy_url, folder=tmp_path) == {"size": [128, 128]}


def test_comfy_cli(comfy_url, prompt, tmp_path):
    address, _, port = host(comfy_url).partition(":")
    comfy = Path(INSTALLED) / "venv/bin/comfy"
    run = ["run", "--workflow", prompt, "--wait", "--host", address, "--port", port]
    said = said_by([comfy, "--skip-prompt", "--json", *run], tmp_path)
    assert said["ok"] is True and said["data"]["status"] == "completed"
    assert said["data"]["outputs_by_node"].keys() == {"save"}


def test_saintno_comfyui_sdk(comfy_url, prompt):
    said = javascript("saintno.mjs", comfy_url, prompt)
    done = said["done"]
    assert done["started"] and 20 in done["progress"] and done["previews"] >= 1
    assert done["type"] == "image/png" and done["bytes"] > 1000
    assert said["again"]["image"] == done["image"]  # from the cache
    assert said["stopped"] == {"failed": "ExecutionInterruptedError"}
    assert said["refused"] == {"failed": "EnqueueFailedError"}
    assert "emoji-sd" in said["checkpoints"] and "dpmpp_2m" in said["samplers"]
    assert said["setting"] == "auto" and said["history"] == 2


def test_stable_canvas_comfyui_client(comfy_url):
    said = javascript("stable_canvas.mjs", host(comfy_url))
    assert {"executed", "executing", "execution_start", "progress", "status"} <= set(said["events"])
    assert said["type"] == "image/png" and "400" in said["refused"]
    assert "emoji-sd" in said["checkpoints"] and said["queue"] == {"Running": [], "Pending": []}


def test_comfy_ui_client(comfy_url, prompt):
    said = javascript("comfy_ui_client.mjs", host(comfy_url), prompt, PICTURE)
    assert said["uploaded"]["name"] == "node.png" and said["bytes"] > 1000
    assert json.loads(said["refused"])["error"]["type"] == "missing_node_type"
