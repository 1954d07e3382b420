"""``kill -9`` of a server again and again: every accepted job ends once, with the right result."""

from __future__ import annotations

import hashlib
import itertools
import json
import random
import shutil
import signal
import subprocess
import threading
import time
import urllib.error
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from served import Served

RESTART = Path(__file__).parents[1] / "restart"
CLIENTS = 4
STEPS = 2
AIMED = [
    {"what": what, "number": number, "moment": moment}
    for number in (2, 3, 4, 6, 9)
    for what, moment in (
        *(("commit", moment) for moment in ("before", "within", "after")),
        *(("write", moment) for moment in ("before", "within", "after")),
        *(("rename", moment) for moment in ("before", "after")),
        ("ledger", "within"),
    )
]
"""Where a process ends itself; see ``killer``."""


def expected(job: int) -> list[str]:
    """The results of the steps of a job."""
    texts = itertools.accumulate(
        range(STEPS), lambda text, _: hashlib.sha256(text.encode()).hexdigest(), initial=str(job)
    )
    return list(texts)[1:]


def nodes(job: int) -> dict[str, Any]:
    first = {"s0": {"type": "killed.Step", "inputs": {"text": str(job)}}}
    rest = {
        f"s{n}": {"type": "killed.Step", "links": {"text": [f"s{n - 1}", "str"]}} for n in range(1, STEPS)
    }
    return {**first, **rest}


class Killing:
    """A server under fire, and four clients that submit to it whatever happens."""

    def __init__(self, served: Served, jobs: int, kills: int, seed: int) -> None:
        self.served, self.jobs, self.kills = served, jobs, kills
        self.accepted: dict[int, str] = {}
        self.killed = self.from_inside = 0
        self._random = random.Random(seed)
        self._pack = served.plugins / "killed"

    def run(self) -> None:
        """Kill the server so many times while the clients submit, then let it finish."""
        self._install()
        clients = [threading.Thread(target=self._submit_all, args=(n,)) for n in range(CLIENTS)]
        for client in clients:
            client.start()
        points = self._points()
        while self.killed < self.kills:
            self._start_and_kill(next(points) if self.killed % 2 else None)
            self.killed += 1
        self._plan(None)
        self.served.start()
        for client in clients:
            client.join()

    def _install(self) -> None:
        self._pack.mkdir(parents=True)
        shutil.copy(RESTART / "killed_pack.py", self._pack / "__init__.py")
        shutil.copy(RESTART / "killer.py", self._pack / "killer.py")

    def _points(self) -> Any:
        return itertools.cycle(self._random.sample(AIMED, len(AIMED)))

    def _plan(self, point: dict[str, Any] | None) -> None:
        plan = self._pack / "kill.json"
        plan.unlink(missing_ok=True)
        if point is not None:
            plan.write_text(json.dumps(point))

    def _start_and_kill(self, point: dict[str, Any] | None) -> None:
        self._plan(point)
        try:
            self.served.start()
        except AssertionError:  # it was aimed at something that the server does before it listens
            assert self.served.process is not None
        process = self.served.process
        assert process is not None
        try:
            process.wait(self._random.uniform(0, 4.0) if point is None else 15.0)
            self.from_inside += 1
        except subprocess.TimeoutExpired:
            process.kill()
        assert process.wait() == -signal.SIGKILL
        self.served.end(signal.SIGKILL)

    def _submit_all(self, client: int) -> None:
        for job in range(client, self.jobs, CLIENTS):
            while self.killed < self.kills * job // self.jobs:  # some for each of the server's lives
                time.sleep(0.02)
            self.accepted[job] = self._submit(job)

    def _submit(self, job: int) -> str:
        body = {"workflow": {"format": "nodegraph", "version": 1, "nodes": nodes(job)}}
        while True:
            try:
                reply = self.served.ask("POST", "/api/v1/jobs", body, Idempotency_Key=f"job-{job}")
            except (OSError, ValueError, urllib.error.URLError):
                time.sleep(0.05)
                continue
            assert reply.status in (200, 201), reply.body
            return str(reply.json["id"])

    def told(self) -> list[list[str]]:
        """What was noted of nodes, in order."""
        return [line.split() for line in (self._pack / "runs.txt").read_text().splitlines()]


def all_jobs(served: Served) -> list[str]:
    found: list[str] = []
    before = ""
    while True:
        page = served.ask("GET", f"/api/v1/jobs?limit=100{before}").json
        found += [job["id"] for job in page["jobs"]]
        if page["next"] is None:
            return found
        before = f"&before={page['next']}"


def assert_nothing_lost_or_doubled(killing: Killing) -> None:
    accepted, served = killing.accepted, killing.served
    assert sorted(accepted) == list(range(killing.jobs))
    for job, id in accepted.items():
        ended = served.ended(id)
        [output] = ended["result"]["outputs"][f"s{STEPS - 1}"]["str"]
        assert (ended["state"], output["value"]) == ("done", expected(job)[-1])
    assert sorted(all_jobs(served)) == sorted(accepted.values())


def assert_no_finished_node_ran_again(killing: Killing) -> int:
    """Returns how many runs of nodes there were beyond one each."""
    kept: set[str] = set()
    runs: Counter[str] = Counter()
    for kind, value in killing.told():
        if kind == "kept":
            kept.add(value)
        else:
            assert value not in kept
            runs[value] += 1
    wanted = {value for job in range(killing.jobs) for value in expected(job)}
    assert runs.keys() == wanted >= kept  # a kill may come between the keeping and the note of it
    again = runs.total() - len(wanted)
    assert again <= killing.kills  # each kill costs at most the node that was running
    return again


def kill_and_check(served: Served, jobs: int, kills: int, seed: int) -> str:
    killing = Killing(served, jobs, kills, seed)
    killing.run()
    assert_nothing_lost_or_doubled(killing)
    assert killing.from_inside >= kills // 4  # of those that were aimed, at least half have hit
    again = assert_no_finished_node_ran_again(killing)
    return (
        f"{jobs} jobs, {kills} kills, {killing.from_inside} of them inside writes, {again} nodes begun again"
    )


def test_a_server_that_is_killed_a_few_times_loses_and_doubles_nothing(served):
    kill_and_check(served, jobs=16, kills=5, seed=3)


@pytest.mark.slow
def test_200_jobs_and_50_kills(served):
    print(kill_and_check(served, jobs=200, kills=50, seed=1))
