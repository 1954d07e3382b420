"""A process that ends inside a commit: the transaction happened, or it did not, and nothing else is lost."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from nodegraph.jobs.database import Database
from nodegraph.jobs.queue import JobQueue

HERE = Path(__file__).parent
KILLER = HERE.parent / "restart"
ROOT = HERE.parents[1]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")


def killed(path, number, moment):
    """Ids of the jobs that were accepted, and of those whose end was, before the kill."""
    places = os.pathsep.join(map(str, (KILLER, ROOT)))
    done = subprocess.run(
        [sys.executable, HERE / "submitting.py", path, str(number), moment],
        env={**os.environ, "PYTHONPATH": places},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    told = done.stdout.split()
    return {id[1:] for id in told if id[0] == "+"}, {id[1:] for id in told if id[0] == "-"}


@pytest.mark.parametrize("moment", ["before", "within", "after"])
def test_killed_inside_commits_again_and_again(tmp_path, moment):
    path = tmp_path / "jobs.sqlite"
    accepted, ended = set(), set()
    for number in range(1, 9):
        more_accepted, more_ended = killed(path, number, moment)
        accepted |= more_accepted
        ended |= more_ended
        database = Database(path)
        kept = JobQueue(database).jobs(limit=1000)
        database.close()
        ids = [job.id for job in kept]
        assert len(set(ids)) == len(ids)
        assert accepted <= set(ids)
        done = {job.id for job in kept if job.state == "done"}
        assert ended <= done
        assert all(job.result["n"] == job.workflow["n"] for job in kept if job.state == "done")
    database = Database(path)
    queue = JobQueue(database)
    queue.recover()
    while (job := queue.claim()) is not None:
        assert queue.finish(job.id, "done", {})
    assert queue.counts()["done"] == len(queue.jobs(limit=1000)) >= len(accepted) > 8
    database.close()
