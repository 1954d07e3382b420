"""Ends a process with SIGKILL at the n-th time that it does something: before, half-way through, or after."""

import json
import os
import random
import signal
import sqlite3
import sys
import threading
import time
from pathlib import Path

MOMENTS = ("before", "within", "after")
COMMIT_SECONDS = 0.002
"""About what a commit takes; a kill "within" comes at a random moment of it."""

really_connect, really_write, really_replace = sqlite3.connect, Path.write_bytes, Path.replace


class Killer:
    """Counts one kind of action.

    ``what``: ``commit`` (of the queue), ``ledger`` (commits of the count of cached bytes), ``write`` or
    ``rename`` (of a cached result's files).
    """

    def __init__(self, what, number, moment):
        self.what, self.left, self.moment = what, number, moment

    def around(self, what, action, half=None):
        """Do an action; if it is the one aimed at, this process does not live on."""
        self.left -= what == self.what
        if what != self.what or self.left != 0:
            return action()
        return self.end(action, half)

    def end(self, action, half):
        if self.moment == "before":
            kill()
        elif self.moment == "within" and half is not None:
            half()
            kill()
        elif self.moment == "within":
            threading.Thread(target=kill_soon).start()
        action()
        kill()


def kill_soon():
    time.sleep(random.uniform(0, COMMIT_SECONDS))
    kill()


def kill():
    """End this process, and the server whose worker it is."""
    if "nodegraph.worker.child" in sys.modules:
        os.kill(os.getppid(), signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(10)  # it takes a moment


def arm(what, number, moment):
    """Let it happen in this process."""
    killer = Killer(what, number, moment)

    class Connection(sqlite3.Connection):
        watched = ""

        def execute(self, statement, *values):
            if statement != "COMMIT":
                return super().execute(statement, *values)
            return killer.around(self.watched, lambda: super(Connection, self).execute(statement))

    def connect(path, *rest, **options):
        connection = really_connect(path, *rest, factory=Connection, **options)
        connection.watched = {"jobs.sqlite": "commit", "usage.sqlite": "ledger"}.get(Path(path).name, "")
        return connection

    def write_bytes(path, data):
        kind = "write" if path.parent.name == "temporary" else ""
        return killer.around(
            kind, lambda: really_write(path, data), lambda: really_write(path, data[: len(data) // 2])
        )

    def replace(path, target):
        kind = "rename" if path.parent.name == "temporary" else ""
        return killer.around(kind, lambda: really_replace(path, target))

    sqlite3.connect, Path.write_bytes, Path.replace = connect, write_bytes, replace


def arm_as_planned(plan):
    """The same as a file says, if it is there."""
    if plan.exists():
        arm(**json.loads(plan.read_text()))
