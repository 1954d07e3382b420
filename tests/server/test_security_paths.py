"""Where things lie on the server's machine is told to nobody but who runs it without tokens."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from security_support import Reply, WholeServer, serving_all, settings_in

import nodegraph
from nodegraph.files import Folders
from nodegraph.private_paths import hide_paths

User = dict[str, str]
PACK = Path(__file__).with_name("nasty_pack.py")
PRIVATE = Folders(Path("/srv/my pictures"), (Path("/srv/models"),), private=True)
LOST = {"lost": {"type": "nasty.Lost"}}


def loading(name: str) -> dict[str, Any]:
    return {
        "load": {"type": "LoadImage", "inputs": {"image": name}},
        "show": {"type": "PreviewImage", "links": {"images": ["load", "image"]}},
    }


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WholeServer]:
    folder = tmp_path_factory.mktemp("paths")
    (folder / "plugins").mkdir()
    shutil.copy(PACK, folder / "plugins" / "nasty.py")
    with serving_all(settings_in(folder)) as server:
        yield server


@pytest.fixture(scope="module")
def told_to_local(server: WholeServer) -> list[Reply]:
    """What the one who runs the server is told while there is no token."""
    return [server.submit(LOST), server.submit(loading("nothing.png"))]


@pytest.fixture(scope="module")
def ann(server: WholeServer, told_to_local: list[Reply]) -> User:
    return server.user("ann")


@pytest.fixture(scope="module")
def failed(server: WholeServer, ann: User) -> Any:
    prompt = {"lost": {"class_type": "nasty.Lost", "inputs": {}}}
    id = server.ask("POST", "/prompt", ann, {"prompt": prompt}).json["prompt_id"]
    job = server.ask("GET", f"/api/v1/jobs/{id}?wait=60", ann).json
    assert job["state"] == "failed"
    return job


def assert_no_paths(reply: Reply, server: WholeServer) -> None:
    places = (server.settings.data.parent, Path(nodegraph.__file__).parent, Path(sys.prefix), Path.home())
    assert [place for place in places if str(place).encode() in reply.body] == []


def test_who_runs_the_server_without_tokens_is_told_where_to_look(
    server: WholeServer, told_to_local: list[Reply]
) -> None:
    failed, refused = told_to_local
    [error] = failed.json["result"]["errors"]
    assert str(server.settings.plugins / "not there") in error["message"]
    assert str(server.settings.plugins / "nasty.py") in error["place"]
    assert str(server.settings.uploads) in refused.json["detail"]


def test_a_failed_node_is_told_without_paths(failed: Any) -> None:
    [error] = failed["result"]["errors"]
    assert (error["node"], error["type"], error["exception"]) == ("lost", "nasty.Lost", "FileNotFoundError")
    assert error["message"].endswith("No such file or directory: '…/not there'")
    assert error["place"].startswith("…/nasty.py:") and error["place"].endswith(", in Lost")
    assert "traceback" not in error
    assert all(frame.partition(":")[0].replace(".", "").isidentifier() for frame in error["frames"])
    assert any(frame.endswith(", in Lost") for frame in error["frames"])


def test_comfyui_clients_get_frames_without_paths(server: WholeServer, ann: User, failed: Any) -> None:
    entry = server.ask("GET", f"/history/{failed['id']}", ann).json[failed["id"]]
    [[_, told]] = [message for message in entry["status"]["messages"] if message[0] == "execution_error"]
    assert told["exception_type"] == "FileNotFoundError"
    assert told["traceback"][-1].startswith("  pathlib:") or len(told["traceback"]) > 1
    assert not any("/" in frame for frame in told["traceback"])


@pytest.mark.parametrize(
    "path", ["/api/v1/jobs/{id}", "/api/v1/jobs/{id}/events", "/history/{id}", "/api/jobs/{id}"]
)
def test_no_answer_about_a_failed_job_holds_a_path(
    server: WholeServer, ann: User, failed: Any, path: str
) -> None:
    reply = server.ask("GET", path.format(id=failed["id"]), ann)
    assert b"not there" in reply.body
    assert_no_paths(reply, server)


@pytest.mark.parametrize("name", ["nothing.png", "../nothing.png", "/etc/hostname", "x" * 300])
@pytest.mark.parametrize("path", ["/api/v1/jobs", "/api/v1/validate", "/api/v1/plan"])
def test_a_refused_workflow_is_told_without_paths(
    server: WholeServer, ann: User, path: str, name: str
) -> None:
    body = {"workflow": {"format": "nodegraph", "version": 1, "nodes": loading(name)}}
    reply = server.ask("POST", path, ann, body)
    assert {issue["code"] for issue in reply.json["issues"]} == {"missing_file"}
    assert_no_paths(reply, server)


def test_a_refused_prompt_is_told_without_paths(server: WholeServer, ann: User) -> None:
    prompt = {"1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "nothing"}},
              "2": {"class_type": "VAEDecode", "inputs": {"samples": ["1", 0], "vae": ["1", 2]}},
              "3": {"class_type": "PreviewImage", "inputs": {"images": ["2", 0]}}}  # fmt: skip
    reply = server.ask("POST", "/prompt", ann, {"prompt": prompt})
    assert reply.status == 400
    assert_no_paths(reply, server)


# --- the texts themselves --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("no file '/srv/models/vae/x.pt'", "no file '…/models/vae/x.pt'"),
        ("/srv/my pictures/a b.png is gone", "…/my pictures/a b.png is gone"),
        ("file:///home/ann/x.png", "…/x.png"),
        (r"C:\Users\ann\x.png:12, in f", "…/x.png:12, in f"),
        (repr(r"C:\Users\ann\x.png"), "'…/x.png'"),
        ("/usr/lib/python3/site.py:12, in f", "…/site.py:12, in f"),
        ("https://example.org/a/b.png", "https://example.org/a/b.png"),
        ("outer/inner/deep of a and/or b", "outer/inner/deep of a and/or b"),
        ("1/2 of 3/4", "1/2 of 3/4"),
    ],
)
def test_paths_are_cut_down_to_their_last_part(text: str, hidden: str) -> None:
    assert hide_paths(text, PRIVATE) == hidden
    assert hide_paths(text, Folders(Path("/srv/my pictures"))) == text


@given(st.lists(st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=9), max_size=9))
def test_hiding_is_done_once_and_for_all(parts: list[str]) -> None:
    hidden = hide_paths("/".join(parts), PRIVATE)
    assert hide_paths(hidden, PRIVATE) == hidden
    assert "/srv/models" not in hide_paths(f"{'/'.join(parts)} /srv/models/{'/'.join(parts)}", PRIVATE)
