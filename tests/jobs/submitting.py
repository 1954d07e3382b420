"""Submits and runs jobs until it is killed inside a commit: ``submitting.py DATABASE NUMBER MOMENT``.

Written, a line each: ``+ID`` once a job was accepted, ``-ID`` once its end was.
"""

import os
import sys
from pathlib import Path

from killer import arm

path, number, moment = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
arm("commit", number, moment)

from nodegraph.jobs.database import Database  # noqa: E402 - only now is every connection watched
from nodegraph.jobs.queue import JobQueue  # noqa: E402
from nodegraph.jobs.records import NewJob  # noqa: E402


def tell(text):
    os.write(1, f"{text}\n".encode())


queue = JobQueue(Database(path))
queue.recover()
for n in range(100):
    id = f"{moment}-{number}-{n}"
    queue.submit([NewJob("ada", {"n": n}, id)])
    tell(f"+{id}")
    job = queue.claim()
    if queue.finish(job.id, "done", {"status": "done", "n": job.workflow["n"]}):
        tell(f"-{job.id}")
