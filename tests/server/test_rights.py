"""Folders that are closed, read-only, gone or none: a word of where and what to do, never an empty list."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from served import Answer, Served

REMEDY = "let this user use it, or name another place"
WITHOUT_RIGHTS = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
"""Root, as everyone else, then has the rights alone that the modes of files give."""
NODES: dict[str, Any] = {
    "image": {"type": "EmptyImage", "inputs": {"width": 16, "height": 16}},
    "save": {"type": "SaveImage", "links": {"images": ["image", "image"]}},
    "show": {"type": "PreviewImage", "links": {"images": ["image", "image"]}},
}
WORKFLOW = {"format": "nodegraph", "version": 1, "nodes": NODES}
KEPT = {
    "workflows": ("PUT", "/api/v1/workflows/a", {"workflow": WORKFLOW}),
    "preferences": ("PUT", "/api/v1/settings", {"settings": {"theme": "dark"}}),
    "uploads": ("POST", "/api/v1/uploads?name=a.txt", b"words"),
}
LISTED = {"workflows": "/api/v1/workflows", "preferences": "/api/v1/settings", "uploads": "/api/v1/uploads"}


def limited() -> list[str]:
    """What a command begins with so that modes of files hold for it; skips where they cannot be made to."""
    if os.name != "posix":
        pytest.skip("modes of files are POSIX's")
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None or subprocess.run([*WITHOUT_RIGHTS, "true"], check=False).returncode:
        pytest.skip("root cannot give up its rights to every file here")
    return WITHOUT_RIGHTS


@pytest.fixture
def server(served: Served) -> Served:
    served.before = limited()
    return served


@pytest.fixture
def closing(tmp_path: Path) -> Iterator[Callable[[Path, int], None]]:
    """Gives a folder a mode; the test's folders are open again after it."""
    changed: list[Path] = []

    def close(path: Path, mode: int = 0) -> None:
        changed.append(path)
        path.chmod(mode)

    yield close
    for path in changed:
        if path.exists():
            path.chmod(0o755)


def command(server: Served, *arguments: object, folder: Path | None = None) -> tuple[int, str]:
    """A command of the user who has no rights: its exit code, and all that it says."""
    given = [*server.before, sys.executable, "-m", "nodegraph", *map(str, arguments)]
    done = subprocess.run(
        given,
        cwd=folder or server.folder,
        env=server.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=90,
        check=False,
    )
    assert "Traceback" not in done.stdout
    return done.returncode, done.stdout


def put(server: Served, kind: str) -> Answer:
    return server.ask(*KEPT[kind])


def assert_unavailable(reply: Answer) -> None:
    assert (reply.status, reply.json["code"]) == (503, "storage_unavailable"), reply.body


def assert_told(server: Served, path: Path, reason: str) -> None:
    """The log names the place, why and what to do, in one line."""
    log = (server.folder / "log").read_text()
    assert "Traceback" not in log
    assert any(f"{path}" in line and f"{reason}; " in line for line in log.splitlines()), log


def test_what_a_user_keeps_is_not_empty_because_it_is_closed(server, closing):
    server.start()
    data = server.folder / "home" / "server"
    assert {put(server, kind).status for kind in KEPT} == {200, 201}
    for kind, path in LISTED.items():
        closing(data / kind / "local" if (data / kind / "local").is_dir() else data / kind, 0)
        assert_unavailable(server.ask("GET", path))
        assert_unavailable(put(server, kind))
        assert_told(server, data / kind, "Permission denied")
        (data / kind / "local" if (data / kind / "local").exists() else data / kind).chmod(0o555)
        assert server.ask("GET", path).status == 200
        assert_unavailable(put(server, kind))
        (data / kind / "local" if (data / kind / "local").is_dir() else data / kind).chmod(0o755)
        assert put(server, kind).status in (200, 201)
    assert server.ask("GET", "/api/v1/settings").json == {"settings": {"theme": "dark"}}


def test_a_file_in_the_place_of_a_folder_is_told_as_such(served):
    data = served.folder / "home" / "server"
    data.mkdir(parents=True)
    for kind in KEPT:
        (data / kind).write_text("I was here first")
    served.start()
    for kind, path in LISTED.items():
        assert_unavailable(served.ask("GET", path))
        assert_unavailable(put(served, kind))
        assert_told(served, data / kind, "Not a directory")
        (data / kind).unlink()
        assert put(served, kind).status in (200, 201)


def test_a_cache_that_cannot_be_written_is_told_at_the_start_and_costs_previews_alone(server, closing):
    cache = server.folder / "cache"
    cache.mkdir()
    closing(cache, 0o555)
    server.start()
    assert f"no picture previewed: {cache}: {REMEDY}" in (server.folder / "log").read_text()
    saved = {id: node for id, node in NODES.items() if id != "show"}
    assert server.submit(saved, wait=60)["state"] == "done"
    job = server.submit(NODES, wait=60)
    [error] = job["result"]["errors"]
    assert (job["state"], error["node"]) == ("failed", "show")
    assert "previews" in error["message"] and REMEDY in error["message"]
    cache.chmod(0o755)
    assert server.submit(NODES, wait=60)["state"] == "done"


def test_folders_that_vanish_while_it_runs_are_made_anew(served):
    served.start()
    served.submit(NODES, wait=60)
    for folder in ("cache", "output"):
        shutil.rmtree(served.folder / folder)
        assert served.submit(NODES, wait=60)["state"] == "done"
    shutil.rmtree(served.folder / "output")
    (served.folder / "output").write_text("I was here first")
    job = served.submit(NODES, wait=60)
    assert job["state"] == "failed"
    assert "output cannot be made: File exists; something else has the name of a folder" in str(job)


def test_a_data_folder_that_cannot_be_used_is_told_at_the_start(server, closing, tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    (data / "jobs.sqlite").mkdir()
    code, said = command(server, "serve", "--port", 0, "--device", "cpu", "--data", data)
    assert (code, f"{data / 'jobs.sqlite'} cannot be used: it is a folder; move it away" in said) == (1, True)
    (data / "jobs.sqlite").rmdir()
    command(server, "token", "create", "ann", "--data", data)
    closing(data / "jobs.sqlite", 0o444)
    code, said = command(server, "token", "list", "--data", data)
    assert (code, "the file is read-only; let this user write there" in said) == (1, True)
    closing(data, 0o555)
    code, said = command(server, "token", "create", "bob", "--data", data / "inner")
    assert (code, f"{data / 'inner'}: Permission denied; {REMEDY}" in said) == (1, True)


def test_inputs_that_may_not_be_read_are_an_issue_that_says_where(server, closing):
    inputs = server.folder / "home" / "inputs"
    inputs.mkdir()
    Image.new("RGB", (8, 8)).save(inputs / "a.png")
    nodes = {
        "load": {"type": "LoadImage", "inputs": {"image": "a.png"}},
        "show": {"type": "PreviewImage", "links": {"images": ["load", "image"]}},
    }
    server.start()
    for closed in (inputs / "a.png", inputs):
        closing(closed, 0)
        reply = server.ask("POST", "/api/v1/jobs", {"workflow": {**WORKFLOW, "nodes": nodes}})
        assert (reply.status, reply.json["issues"][0]["input"]) == (422, "image")
        assert f"{inputs / 'a.png'}: Permission denied; {REMEDY}" in reply.json["detail"]


def test_commands_say_which_folder_they_may_not_use(server, closing):
    home, models = server.folder / "home", server.folder / "home" / "models" / "vae"
    models.mkdir(parents=True)
    closing(models, 0)
    code, said = command(server, "models", "list")
    assert (code, f"its files are not listed: {models}: Permission denied; {REMEDY}" in said) == (0, True)
    output = server.folder / "pictures"
    output.mkdir()
    closing(output, 0o600)
    (server.folder / "a.json").write_text(json.dumps(WORKFLOW))
    code, said = command(server, "run", "a.json", "--out", output)
    assert (code, said) == (2, f"error: --out {output} cannot be written: {REMEDY}\n")
    closing(home / "plugins", 0)
    code, said = command(server, "nodes")
    assert (code, said) == (1, f"error: {home / 'plugins'}: Permission denied; {REMEDY}\n")
    closing(home, 0)
    code, said = command(server, "cache", "info", "--cache-dir", home / "cache")
    assert code == 2 and f"{home / 'cache'}: Permission denied; {REMEDY}" in said


def test_a_working_folder_that_is_gone_is_told(served):
    """Libraries that are loaded without one end the process in their own ways."""
    script = f"mkdir gone; cd gone; rmdir ../gone; exec {sys.executable} -m nodegraph nodes"
    done = subprocess.run(
        ["sh", "-c", script],
        cwd=served.folder,
        env=served.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "error: the folder that this was called in is gone; change to another one with cd\n"
