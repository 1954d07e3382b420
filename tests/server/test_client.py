"""The Python client and ``nodegraph run --server`` against real servers."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from PIL import Image
from served import Served
from typer.testing import CliRunner

from nodegraph.cli import app
from nodegraph.client import Client, ServerError, UnreachableError

PACK = Path(__file__).parent / "nasty_pack.py"
ROOT = Path(__file__).parents[2]
TEXT_TO_IMAGE = ROOT / "workflows" / "text_to_image.json"


def slow(x: int, log: Path, seconds: float = 0.0) -> dict[str, Any]:
    node = {"type": "nasty.Slow", "inputs": {"x": x, "log": str(log), "seconds": seconds}}
    return {"format": "nodegraph", "version": 1, "nodes": {"a": node}}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One server for all tests that leave it as it was."""
    served = with_pack(Served(tmp_path_factory.mktemp("served")))
    yield served.start()
    served.end()


def with_pack(served: Served) -> Served:
    served.plugins.mkdir(parents=True, exist_ok=True)
    shutil.copy(PACK, served.plugins / "nasty.py")
    return served


@pytest.fixture
def client(server: Served) -> Iterator[Client]:
    with Client(server.url) as client:
        yield client


def run(*arguments: str) -> Result:
    """``nodegraph run`` in this process."""
    return CliRunner().invoke(app, ["run", *arguments], env={"COLUMNS": "200"})


def test_a_job_is_submitted_followed_and_fetched(client: Client, tmp_path: Path) -> None:
    job = client.submit(TEXT_TO_IMAGE, label="mine")
    seen = [event["type"] for event in client.events(job.id)]
    assert seen[0] == "job_queued" and seen[-1] == "job_finished" and "node_progress" in seen
    done = client.wait(job.id)
    assert (done.state, done.label) == ("done", "mine")
    [path] = client.download(done, tmp_path / "pictures")
    assert path.read_bytes().startswith(b"\x89PNG")
    assert client.download(done, tmp_path / "pictures") == [path]  # there already
    path.write_bytes(b"something else")
    [other] = client.download(done, tmp_path / "pictures")
    assert other != path and path.read_bytes() == b"something else"
    [file] = [entry.file for outs in done.result.outputs.values() for told in outs.values() for entry in told]
    assert hashlib.sha256(other.read_bytes()).hexdigest() == file.digest


def test_what_the_readme_shows(
    server: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (block,) = re.findall(
        r"```python\n(from nodegraph.client.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL
    )
    monkeypatch.chdir(ROOT)
    code = block.replace("http://127.0.0.1:8188", server.url).replace('"pictures"', repr(str(tmp_path)))
    exec(compile(code, "README.md", "exec"), {})
    (picture,) = tmp_path.glob("*.png")
    assert capsys.readouterr().out.strip() == repr([picture])


def test_a_batch_pages_and_a_repeated_key(client: Client, tmp_path: Path) -> None:
    log = tmp_path / "log"
    jobs = client.submit_batch(slow(0, log), [{"a.x": x} for x in range(5)])
    ended = [client.wait(job.id) for job in jobs]
    values = [job.result.outputs["a"]["int"][0].value for job in ended if job.result]
    assert values == [0, 2, 4, 6, 8]
    first, second = (client.submit(slow(7, log), key="mine") for _ in range(2))
    assert first.id == second.id
    client.wait(first.id)
    newest = [job.id for job in islice(client.jobs(), 6)]
    assert newest == [first.id, *(job.id for job in reversed(jobs))]
    assert [job.id for job in client.jobs(states=["failed"])] == []


def test_what_is_wrong_comes_as_issues(client: Client) -> None:
    wrong = {
        "format": "nodegraph",
        "version": 1,
        "nodes": {"s": {"type": "KSampler", "inputs": {"steps": 0}}},
    }
    with pytest.raises(ServerError) as caught:
        client.submit(wrong)
    assert caught.value.status == 422
    assert {issue.node for issue in caught.value.issues} == {"s", None} and len(caught.value.issues) > 2
    assert not client.validate(wrong).valid
    with pytest.raises(ServerError, match="job"):
        client.job("nothing")


def test_a_job_is_cancelled(client: Client, tmp_path: Path) -> None:
    client.pause()
    job = client.submit(slow(1, tmp_path / "log", 60))
    assert client.queue().paused and client.cancel(job.id) == "cancelled"
    client.resume()
    assert not client.queue().paused and client.job(job.id).state == "cancelled"


def test_uploads_and_what_the_server_knows(client: Client, tmp_path: Path) -> None:
    picture = ROOT / "docs"
    found = next(iter(sorted(picture.rglob("*.png"))), None) or next(iter(sorted(ROOT.glob("docs/**/*.png"))))
    name = client.upload(found, subfolder="mine")
    assert name == f"mine/{found.name}"
    assert "KSampler" in client.nodes().nodes and client.models().folders
    assert client.system().user == "local" and client.health().status == "ok"


def test_a_server_that_dies_is_waited_for(served: Served, tmp_path: Path) -> None:
    server = with_pack(served).start()
    port = server.url.rpartition(":")[2]
    server.options = (*server.options, "--port", port)
    log = tmp_path / "log"
    with Client(server.url, patience=60) as client:
        job = client.submit(slow(21, log, 1.0))
        stream = client.events(job.id)
        seen = [next(event["type"] for event in stream if event["type"] == "node_started")]
        server.end(signal.SIGKILL)
        starter = threading.Timer(0.3, server.start)
        starter.start()
        seen += [event["type"] for event in stream]
        starter.join()
        assert seen[-1] == "job_finished"
        done = client.job(job.id)
        assert done.state == "done" and done.result is not None
        assert done.result.outputs["a"]["int"][0].value == 42


def test_no_server_is_said_plainly(tmp_path: Path) -> None:
    with Client("http://127.0.0.1:9", patience=0) as client, pytest.raises(UnreachableError, match="serve"):
        client.job("x")
    with pytest.raises(ValueError, match="http"):
        Client("127.0.0.1:8188")


def test_run_on_a_server(server: Served, tmp_path: Path) -> None:
    out = tmp_path / "fetched"
    first = run(str(TEXT_TO_IMAGE), "--server", server.url, "--out", str(out), "--json")
    told = json.loads(first.stdout)
    assert first.exit_code == 0 and told["status"] == "done", first.stderr
    [path] = told["outputs"]
    assert Path(path).parent == out and Path(path).read_bytes().startswith(b"\x89PNG")
    again = run(str(TEXT_TO_IMAGE), "--server", server.url, "--out", str(out))
    assert again.exit_code == 0 and "from memory" in again.stdout, again.stdout


def test_waiting_is_told_apart_from_running(served: Served, tmp_path: Path) -> None:
    """The first job waits for the worker, which is started for it; the second does not."""
    with_pack(served).start()
    workflow = tmp_path / "w.json"
    told = []
    for x in (1, 2):
        workflow.write_text(json.dumps(slow(x, tmp_path / "log")))
        told.append(run(str(workflow), "--server", served.url))
    assert re.search(r"waited \d+\.\d s for the worker to start", told[0].stderr), told[0].stderr
    assert "waited" not in told[1].stderr
    with Client(served.url) as client:
        second, first = (job.result for job in client.jobs())
    assert first and second
    assert second.waited < 0.5 < first.waited and first.seconds < first.waited


def test_run_on_a_server_with_mistakes(server: Served, tmp_path: Path) -> None:
    workflow = tmp_path / "w.json"
    workflow.write_text(json.dumps(slow(1, tmp_path / "log") | {"nodes": {"n": {"type": "Nope"}}}))
    invalid = run(str(workflow), "--server", server.url)
    assert invalid.exit_code == 2 and "n: " in invalid.stderr and "Traceback" not in invalid.stderr
    absent = run(str(TEXT_TO_IMAGE), "--server", "http://127.0.0.1:9")
    assert absent.exit_code == 1 and "nodegraph serve" in absent.stderr
    odd = run(str(TEXT_TO_IMAGE), "--server", "here", "--out", str(tmp_path))
    assert odd.exit_code == 2 and "--server" in odd.stderr
    local = run(str(TEXT_TO_IMAGE), "--server", server.url, "--device", "cpu", "--explain")
    assert local.exit_code == 2 and "--device, --explain" in local.stderr


def test_a_sweep_that_a_server_ends_says_what_it_keeps(tmp_path: Path) -> None:
    served = with_pack(Served(tmp_path, settings={"time_limit": 2.0, "cancel_grace": 0.5}))
    nodes = {
        "slow": {"type": "nasty.Slow", "inputs": {"log": str(tmp_path / "log"), "seconds": 0.0}},
        "grey": {"type": "EmptyImage", "inputs": {"width": 8, "height": 8}},
        "save": {"type": "SaveImage", "links": {"images": ["grey", "image"]}},
    }
    workflow = tmp_path / "w.json"
    workflow.write_text(json.dumps({"format": "nodegraph", "version": 1, "nodes": nodes}))
    command = (str(workflow), "--grid", "--set", "slow.seconds=0,60,0", "--out", str(tmp_path / "out"))
    try:
        done = run(*command, "--server", served.start().url)
    finally:
        served.end()
    assert done.exit_code == 1
    assert [Path(line).is_file() for line in done.stdout.splitlines() if line.endswith(".png")] == [True]
    assert "longer than its limit of 2 s" in done.stderr
    assert "1 of 3 runs came to their end; kept is the 1 file named above" in done.stderr


def inverting(image: str) -> dict[str, Any]:
    nodes = {
        "picture": {"type": "LoadImage", "inputs": {"image": image}},
        "inverse": {"type": "ImageInvert", "links": {"image": ["picture", "image"]}},
        "save": {"type": "SaveImage", "links": {"images": ["inverse", "image"]}},
    }
    return {"format": "nodegraph", "version": 1, "nodes": nodes}


def test_input_pictures_are_uploaded_before_a_run_on_a_server(
    server: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    mine = tmp_path / "my own.png"
    Image.new("RGB", (8, 4), (200, 30, 40)).save(mine)
    workflow = tmp_path / "w.json"
    workflow.write_text(json.dumps(inverting("absent.png")))
    command = (str(workflow), "--server", server.url, "--out", str(tmp_path / "out"))
    values = f"picture.image={mine},~/my own.png"
    done = run(*command, "--grid", "--set", values)
    assert done.exit_code == 0, done.stderr
    assert done.stderr.count("uploaded") == 1 and f"uploaded {mine} as my own.png" in done.stderr
    first = Path(done.stdout.splitlines()[0])
    with Image.open(first) as picture:
        assert picture.getpixel((0, 0)) == (55, 225, 215)
    shipped = run(*command, "--set", "picture.image=red_apple.png")
    assert shipped.exit_code == 0 and "uploaded" not in shipped.stderr
    secret = tmp_path / "secret.txt"
    secret.write_text("of this machine alone")
    kept = run(*command, "--set", f"picture.image={secret}")
    assert kept.exit_code == 2 and "picture.image" in kept.stderr and "uploaded" not in kept.stderr
    absent = run(*command)
    assert absent.exit_code == 2 and "no file 'absent.png'" in absent.stderr


def test_ctrl_c_cancels_on_the_server(server: Served, tmp_path: Path) -> None:
    workflow, log = tmp_path / "w.json", tmp_path / "log"
    workflow.write_text(json.dumps(slow(1, log, 60)))
    command = [sys.executable, "-m", "nodegraph", "run", str(workflow), "--server", server.url]
    environment = {**os.environ, "NODEGRAPH_HOME": str(server.folder / "home")}
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )
    with Client(server.url) as client:
        deadline = time.monotonic() + 60
        while not client.queue().running:
            assert time.monotonic() < deadline and process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=60)
        assert process.returncode == 1 and "cancelled" in told
        job = next(client.jobs())
        assert client.wait(job.id, 30).state == "cancelled"


def test_a_token_is_needed_where_the_server_wants_one(served: Served, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    served.options = ("--port", str(port), "--public-url", "http://pictures.example")
    served.start()
    token, address = served.first_token(), f"http://127.0.0.1:{port}"
    refused = run(str(TEXT_TO_IMAGE), "--server", address, "--out", str(tmp_path))
    assert refused.exit_code == 2 and "--token" in refused.stderr, refused.stderr
    with Client(address, token) as client:
        assert "admin" in client.system().scopes
