"""A run that is killed leaves whole results behind: only what was interrupted runs again."""

import random
import sys
import time
from collections.abc import Iterator

import pytest
from killer import MOMENTS
from processes import GraphServer
from slow_nodes import SECONDS, twenty_nodes

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs fork and SIGKILL")

NODES = list(twenty_nodes()["nodes"])
KILLED = -9


@pytest.fixture(scope="module")
def server() -> Iterator[GraphServer]:
    server = GraphServer()
    yield server
    server.close()


@pytest.fixture(scope="module")
def unkilled(server, tmp_path_factory):
    """The digest of every result of a run that nobody disturbs."""
    _, digests = run(server, tmp_path_factory.mktemp("unkilled"))
    assert sorted(digests) == sorted(NODES)
    return digests


def run(server, folder, workers=1):
    """Run to the end; returns what ran, and the digests of all results."""
    server.start(folder=str(folder), workers=workers)
    *events, last, end = server.messages()
    assert end == {"exit": 0}
    assert last["status"] == "done"
    assert {message["finished"] for message in events if "finished" in message} == set(NODES)
    return [message["started"] for message in events if "started" in message], last["digests"]


def run_and_kill(server, folder, kind, count):
    """Run, and kill after so many events of a kind; returns the ids of started and of finished nodes."""
    pid = server.start(folder=str(folder), workers=1)
    told = {"started": [], "finished": []}
    for message in server.messages():
        for name in told.keys() & message.keys():
            told[name].append(message[name])
            if name == kind and len(told[name]) == count:
                server.kill(pid)
    assert message == {"exit": KILLED} or count == len(NODES)
    return told["started"], told["finished"]


@pytest.mark.parametrize("kind", ["started", "finished"])
@pytest.mark.parametrize("count", range(1, len(NODES) + 1))
def test_killed_at_a_node_boundary(server, unkilled, tmp_path, kind, count):
    started, finished = run_and_kill(server, tmp_path, kind, count)
    ran, digests = run(server, tmp_path)
    assert digests == unkilled
    assert len(set(started) - set(finished)) <= 1
    assert not set(ran) & set(finished)
    assert len(set(ran) & set(started)) <= 1
    assert len(ran) == len(set(ran))


@pytest.mark.parametrize("what", ["write", "rename", "ledger"])
@pytest.mark.parametrize("number", [1, 5, 20])
def test_killed_inside_a_write(server, unkilled, tmp_path, what, number):
    finished = set()
    for moment in MOMENTS:
        server.start(folder=str(tmp_path), workers=1, kill={"what": what, "number": number, "moment": moment})
        *events, end = server.messages()
        finished |= {message["finished"] for message in events if "finished" in message}
        assert end == {"exit": KILLED} or finished == set(NODES)
    ran, digests = run(server, tmp_path)
    assert digests == unkilled
    assert not set(ran) & finished


@pytest.mark.parametrize("seed", range(8))
def test_killed_at_any_moment_again_and_again(server, unkilled, tmp_path, seed):
    times = random.Random(seed)
    for _ in range(3):
        pid = server.start(folder=str(tmp_path), workers=2)
        time.sleep(times.uniform(0, 6 * SECONDS))
        server.kill(pid)
        *_, end = server.messages()
        assert end == {"exit": KILLED}
    _, digests = run(server, tmp_path, workers=2)
    assert digests == unkilled
