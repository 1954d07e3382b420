"""Jobs over HTTP: submitted, waited for, cancelled, moved, and kept through restarts and kills."""

from __future__ import annotations

import json
import shutil
import signal
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from served import Served

PACK = Path(__file__).with_name("nasty_pack.py")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One server for all tests that leave it running: whatever one job did, the next ones are done."""
    served = started(Served(tmp_path_factory.mktemp("served"), settings={"cancel_grace": 1.0}))
    yield served
    served.end()


def started(served: Served) -> Served:
    served.plugins.mkdir(parents=True, exist_ok=True)
    shutil.copy(PACK, served.plugins / "nasty.py")
    return served.start()


def one(type: str, **inputs: Any) -> dict[str, Any]:
    return {"a": {"type": f"nasty.{type}", "inputs": inputs}}


def picture(color: str = "#336699") -> dict[str, Any]:
    return {
        "image": {"type": "EmptyImage", "inputs": {"width": 16, "height": 16, "color": color}},
        "save": {"type": "SaveImage", "links": {"images": ["image", "image"]}},
    }


def events(server: Served, path: str, after: int | None = None) -> list[dict[str, Any]]:
    """The events of a stream up to the end of a job."""
    headers = {} if after is None else {"Last-Event-ID": str(after)}
    request = urllib.request.Request(server.url + path, headers=headers)
    found = []
    with urllib.request.urlopen(request, timeout=60) as stream:
        for line in stream:
            if line.startswith(b"data: "):
                found.append(json.loads(line[6:]))
                if found[-1]["type"] == "job_finished":
                    return found
    return found


def test_a_picture_is_made_and_downloaded(server):
    job = server.submit(picture(), wait=60)
    assert (job["state"], job["result"]["executed"]) == ("done", 2)
    [output] = [entry["file"] for entries in job["result"]["outputs"]["save"].values() for entry in entries]
    reply = server.ask("GET", output["url"])
    assert (reply.status, reply.headers["Content-Type"], reply.body[:4]) == (200, "image/png", b"\x89PNG")
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    again = server.submit(picture(), wait=60)
    assert again["result"]["executed"] == 0


@pytest.mark.parametrize(
    ("type", "code"),
    [
        ("Abort", "worker_crashed"),
        ("Segfault", "worker_crashed"),
        ("Leave", "worker_crashed"),
        ("StopLoop", "workflow_error"),
        ("Exit", "node_failed"),
        ("Interrupt", "node_failed"),
        ("Endless", "node_failed"),
    ],
)
def test_whatever_a_node_does_the_next_job_runs(server, type, code):
    bad, good = server.submit(one(type)), server.submit(one("Fine", x=1))
    ended = server.ended(bad["id"])
    assert (ended["state"], ended["result"]["error"]["code"]) == ("failed", code)
    assert server.ended(good["id"])["result"]["outputs"] == {"a": {"int": [{"value": 2}]}}


def test_a_failed_job_lets_go_of_what_its_nodes_were_given(server):
    failing = {
        "load": {"type": "nasty.Load"},
        "drop": {"type": "nasty.Drop", "links": {"payload": ["load", "payload"]}},
    }
    job = server.submit(failing, wait=60)
    assert (job["state"], job["result"]["errors"][0]["node"]) == ("failed", "drop")
    assert server.submit(one("Count"), wait=60)["result"]["outputs"] == {"a": {"int": [{"value": 0}]}}


@pytest.mark.parametrize("type", ["Hang", "Stubborn", "Block"])
def test_a_job_past_its_time_limit_fails_and_says_where_it_was(server, type):
    job = server.submit(one(type), time_limit=1.5)
    ended = server.ended(job["id"])
    assert (ended["state"], ended["result"]["error"]["code"]) == ("failed", "time_limit")
    assert "ran a" in ended["result"]["error"]["message"]


def test_a_hanging_job_is_cancelled(server):
    job = server.submit(one("Hang"))
    stream = f"/api/v1/jobs/{job['id']}/events"
    with urllib.request.urlopen(server.url + stream, timeout=60) as lines:
        next(line for line in lines if line == b"event: node_started\n")
    assert server.ask("POST", f"/api/v1/jobs/{job['id']}/cancel", {}).status == 200
    assert server.ended(job["id"])["state"] == "cancelled"


def test_what_json_can_hardly_say_is_told_all_the_same(server):
    job = server.submit(one("Half"), wait=60)
    assert job["result"]["outputs"]["a"]["str"] == [{"value": "half \ud83d"}]
    seen = events(server, f"/api/v1/jobs/{job['id']}/events", after=0)
    [told] = [event for event in seen if event["type"] == "node_finished"]
    assert told["outputs"] == {"str": [{"value": "half \ud83d"}]}


def test_a_result_too_long_for_the_history_is_named(server):
    [entry] = server.submit(one("Large"), wait=60)["result"]["outputs"]["a"]["str"]
    assert "too long" in entry["note"]


def test_every_issue_comes_back_at_once_and_nothing_is_queued(server):
    nodes = {"a": {"type": "SavImage"}, "b": {"type": "nasty.Fine", "inputs": {"x": "one", "y": 2}}}
    workflow = {"format": "nodegraph", "version": 1, "nodes": nodes}
    before = server.ask("GET", "/api/v1/jobs").json
    reply = server.ask("POST", "/api/v1/jobs", {"workflow": workflow})
    assert (reply.status, reply.headers["Content-Type"]) == (422, "application/problem+json")
    places = {(issue["node"], issue["input"]) for issue in reply.json["issues"]}
    assert places == {("a", None), ("b", "x"), ("b", "y")}
    assert server.ask("GET", "/api/v1/jobs").json == before


def test_the_same_key_queues_once(server):
    body = {"workflow": {"format": "nodegraph", "version": 1, "nodes": one("Fine")}}
    ids = {server.ask("POST", "/api/v1/jobs", body, Idempotency_Key="k").json["id"] for _ in range(3)}
    assert len(ids) == 1


def test_events_are_numbered_and_a_stream_goes_on_where_it_broke(server):
    job = server.submit(picture("#123456"))
    path = f"/api/v1/jobs/{job['id']}/events"
    whole = [event for event in events(server, path) if event["type"] != "node_progress"]
    numbers = [event["id"] for event in whole]
    assert numbers == sorted(numbers)
    assert [event["type"] for event in whole][:2] == ["job_queued", "job_started"]
    assert [event["type"] for event in whole].count("node_finished") == 2
    assert events(server, path, after=numbers[3]) == whole[4:]


def test_events_of_outputs_say_where_the_files_are(server):
    job = server.submit(picture("#654321"))
    told = [event for event in events(server, f"/api/v1/jobs/{job['id']}/events") if event.get("outputs")]
    (file,) = [value["file"] for event in told for values in event["outputs"].values() for value in values]
    assert server.ask("GET", file["url"]).headers["Content-Type"] == "image/png"


def test_a_paused_queue_waits_and_is_put_in_another_order(server):
    assert server.ask("POST", "/api/v1/queue/pause", {}).status == 200
    ids = [server.submit(one("Fine", x=x))["id"] for x in range(3)]
    assert server.ask("POST", f"/api/v1/jobs/{ids[2]}/move", {"front": True}).status == 200
    waiting = [job["id"] for job in server.ask("GET", "/api/v1/queue").json["waiting"]]
    assert waiting == [ids[2], ids[0], ids[1]]
    assert server.ask("POST", f"/api/v1/jobs/{ids[0]}/cancel", {}).json["state"] == "cancelled"
    server.ask("POST", "/api/v1/queue/resume", {})
    assert [server.ended(id)["state"] for id in ids] == ["cancelled", "done", "done"]


def test_an_id_never_seen_is_unknown(server):
    reply = server.ask("GET", "/api/v1/jobs/nobody")
    assert (reply.status, reply.json["code"]) == (404, "unknown_job")


def test_after_a_kill_every_accepted_job_ends_once_and_no_finished_node_runs_again(served):
    server, kills = started(served), 2
    log = server.folder / "runs.txt"
    ids = [server.submit(one("Slow", x=x, log=str(log), seconds=0.15))["id"] for x in range(12)]
    for _ in range(kills):
        server.ended(server.submit(one("Fine"), priority=9)["id"])  # it is at work now
        server.end(signal.SIGKILL)
        server.start()
    results = [server.ended(id) for id in ids]
    assert [job["state"] for job in results] == ["done"] * 12
    assert [job["result"]["outputs"]["a"]["int"] for job in results] == [
        [{"value": 2 * x}] for x in range(12)
    ]
    ran = log.read_text().split()
    assert len(ran) <= 12 + kills  # each kill costs at most the node that was running
    assert set(ran) == {str(x) for x in range(12)}


def test_a_graceful_stop_keeps_the_queue(served):
    server = started(served)
    log = server.folder / "runs.txt"
    ids = [server.submit(one("Slow", x=x, log=str(log), seconds=0.3))["id"] for x in range(4)]
    assert server.end(signal.SIGTERM) == 0
    server.start()
    assert [server.ended(id)["state"] for id in ids] == ["done"] * 4
    assert sorted(log.read_text().split()) == ["0", "1", "2", "3"]


SLOW_PACK = """
import sys
import time

if "nodegraph.worker" in sys.orig_argv:
    time.sleep(60)
"""


def test_a_stop_while_the_worker_starts_keeps_the_job(tmp_path):
    served = Served(tmp_path, settings={"stop_grace": 0.3})
    served.plugins.mkdir(parents=True)
    slow = served.plugins / "slow.py"
    slow.write_text(SLOW_PACK)
    id = served.start().submit(picture())["id"]
    while served.ask("GET", f"/api/v1/jobs/{id}").json["state"] != "running":
        time.sleep(0.05)
    assert served.end() == 0
    slow.unlink()
    assert served.start().ended(id)["state"] == "done"
    served.end()
