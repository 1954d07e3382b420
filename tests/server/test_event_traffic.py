"""How much a watched run costs its watchers: it grows with the work, and no faster."""

from __future__ import annotations

import shutil
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from comfy_support import Comfy
from security_support import WholeServer, serving_all, settings_in

PACK = Path(__file__).with_name("nasty_pack.py")
COUNT = 1000
MOST = 2_000_000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WholeServer]:
    folder = tmp_path_factory.mktemp("traffic")
    (folder / "plugins").mkdir()
    shutil.copy(PACK, folder / "plugins" / "nasty.py")
    with serving_all(settings_in(folder)) as server:
        yield server


def trivial(offset: int) -> dict[str, Any]:
    nodes = {str(n): {"type": "nasty.Fine", "inputs": {"x": n + offset}} for n in range(COUNT)}
    return {"format": "nodegraph", "version": 1, "nodes": nodes}


def test_a_thousand_trivial_nodes_send_little(server: WholeServer) -> None:
    job = server.ask("POST", "/api/v1/jobs", (), {"workflow": trivial(0)}).json["id"]
    size = finished = 0
    with urllib.request.urlopen(f"{server.own}/api/v1/jobs/{job}/events?after=0", timeout=60) as stream:
        for line in stream:
            size += len(line)
            finished += line == b"event: node_finished\n"
    assert finished == COUNT and size <= MOST


def test_a_thousand_trivial_nodes_send_little_to_a_comfyui_client(server: WholeServer) -> None:
    client = Comfy(server.own)
    socket = client.socket("me")
    prompt = {str(n): {"class_type": "nasty.Fine", "inputs": {"x": n + COUNT}} for n in range(COUNT)}
    id = client.post("/prompt", {"prompt": prompt, "client_id": "me"}).json["prompt_id"]
    seen = socket.until_done(id)
    assert sum(type == "executed" for type, _ in seen) == COUNT
    assert sum(len(repr(message)) for message in seen) <= MOST
    socket.close()
    client.close()
