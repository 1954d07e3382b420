"""Disks that are full or read-only: a clear state, nothing damaged, and on it goes once there is room."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from served import Answer, Served

PACK = Path(__file__).with_name("nasty_pack.py")
SIZE = 8 << 20


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A file system of its own at a folder; skips the test where none can be had."""
    folder.mkdir(parents=True, exist_ok=True)
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        pytest.skip("only root, on Linux, can mount a small disk")
    command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "nodegraph-test", folder]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no small disk can be mounted here: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def remount(disk: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", disk], check=True)


def fill(disk: Path) -> Path:
    """Write until nothing more goes in."""
    path = disk / "filling"
    with path.open("wb", buffering=0) as stream:
        for size in (1 << 16, 1 << 12):
            try:
                while True:
                    stream.write(b"\0" * size)
            except OSError as error:
                assert error.errno == errno.ENOSPC
    return path


@pytest.fixture
def server(served: Served) -> Served:
    shutil.copy(PACK, served.plugins / "nasty.py")
    return served


@pytest.fixture
def data(server: Served) -> Iterator[Path]:
    with small_disk(server.folder / "home" / "server") as disk:
        yield disk


def fine(x: int, padding: str = "") -> dict[str, Any]:
    return {"a": {"type": "nasty.Fine", "inputs": {"x": x}, "title": f"title{padding}"}}


def picture(color: str) -> dict[str, Any]:
    return {
        "image": {"type": "EmptyImage", "inputs": {"width": 64, "height": 64, "color": color}},
        "save": {"type": "SaveImage", "links": {"images": ["image", "image"]}},
    }


def submit(server: Served, nodes: dict[str, Any]) -> Answer:
    workflow = {"format": "nodegraph", "version": 1, "nodes": nodes}
    return server.ask("POST", "/api/v1/jobs", {"workflow": workflow})


def until_refused(server: Served) -> tuple[list[str], Answer]:
    """Submit until the disk takes no more: what space the database holds already, it may still use."""
    ids = []
    for x in range(400):
        reply = submit(server, fine(x, "x" * 10_000))
        if reply.status != 201:
            return ids, reply
        ids.append(reply.json["id"])
    raise AssertionError("a full disk took 4 MB of jobs")


def assert_says_what_to_do(reply: Answer) -> None:
    assert (reply.status, reply.json["code"]) == (507, "storage_full")
    assert "full" in reply.json["detail"] and "make room" in reply.json["detail"]


def test_a_full_data_disk(server, data):
    server.start()
    log = server.folder / "runs.txt"
    slow = {"a": {"type": "nasty.Slow", "inputs": {"x": 7, "log": str(log), "seconds": 2.0}}}
    server.submit({"a": {"type": "nasty.Fine"}}, wait=60)  # the worker is there
    running = server.submit(slow)["id"]
    while not log.exists():  # from then on it is noted as running
        time.sleep(0.01)
    filling = fill(data)
    accepted, refused = until_refused(server)
    assert_says_what_to_do(refused)
    prompt = {"a": {"class_type": "nasty.Fine", "inputs": {"x": 1}}}
    assert server.ask("POST", "/prompt", {"prompt": prompt}).status == 507
    assert server.ask("GET", "/api/v1/health").status == 200
    assert server.ask("GET", f"/api/v1/jobs/{running}").json["state"] in ("running", "done")
    filling.unlink()
    assert server.ended(running)["result"]["outputs"]["a"]["int"] == [{"value": 14}]
    assert submit(server, fine(1000)).status == 201
    assert {server.ended(id)["state"] for id in accepted} <= {"done"}
    server.end(signal.SIGKILL)
    server.start()
    assert {server.ended(id)["state"] for id in accepted} <= {"done"}
    assert log.read_text() == "7\n"
    server.end()
    with sqlite3.connect(data / "jobs.sqlite") as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    db.close()


def test_a_full_disk_takes_no_upload(server, data):
    server.start()
    filling = fill(data)
    for path in ("/api/v1/uploads?name=a.txt", "/userdata/a.txt"):
        assert_says_what_to_do(upload(server, path))
    left = [path for path in data.rglob("*") if path.is_file() and path != filling]
    assert not [path for path in left if path.parent != data]
    filling.unlink()
    assert upload(server, "/api/v1/uploads?name=a.txt").status == 201


def upload(server: Served, path: str) -> Answer:
    return server.ask("POST", path, b"words " * 10_000)


def test_full_and_read_only_disks_of_caches_and_outputs(server):
    with small_disk(server.folder / "cache") as cache, small_disk(server.folder / "output") as output:
        server.start()
        filling = fill(cache)
        assert server.submit(picture("#000001"), wait=60)["state"] == "done"  # it is only not kept
        filling.unlink()
        assert server.submit(picture("#000002"), wait=60)["state"] == "done"
        filling = fill(output)
        assert_names_the_folder(server.submit(picture("#000003"), wait=60), "No space left")
        assert {path.suffix for path in output.iterdir()} == {".png", ""}
        filling.unlink()
        remount(output, "ro")
        assert_names_the_folder(server.submit(picture("#000003"), wait=60), "Read-only")
        remount(output, "rw")
        assert server.submit(picture("#000003"), wait=60)["state"] == "done"
        server.end()
        assert all(path.read_bytes().endswith(b"IEND\xaeB`\x82") for path in output.glob("*.png"))


def assert_names_the_folder(job: Any, reason: str) -> None:
    assert job["state"] == "failed"
    [error] = job["result"]["errors"]
    assert (error["node"], "output cannot be written" in error["message"]) == ("save", True)
    assert reason in error["message"]


def test_a_read_only_data_folder_is_told_at_the_start(server, data):
    server.start()
    id = server.submit(fine(1), wait=60)["id"]
    server.end()
    remount(data, "ro")
    command = [sys.executable, "-m", "nodegraph", "serve", "--port", "0", "--device", "cpu"]
    done = subprocess.run(
        command, env=server.environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert str(data) in done.stderr and "Traceback" not in done.stderr
    assert "read-only" in done.stderr.lower()
    remount(data, "rw")
    server.start()
    assert server.ended(id)["state"] == "done"
