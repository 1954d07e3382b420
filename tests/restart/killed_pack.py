"""Nodes that note what they did, for servers that are killed; a pack together with ``killer``."""

import hashlib
import os
import time
from pathlib import Path

from nodegraph import node
from nodegraph.cache.disk import DiskStore

from .killer import arm_as_planned

HERE = Path(__file__).parent
really_put = DiskStore.put


def note(line):
    log = os.open(HERE / "runs.txt", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(log, f"{line}\n".encode())
    os.close(log)


def put(store, key, entry):
    """Keeps a result, and notes that from now on its node must never run again."""
    kept = really_put(store, key, entry)
    if kept:
        note(f"kept {entry.outputs[0]}")
    return kept


DiskStore.put = put
arm_as_planned(HERE / "kill.json")


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@node(terminal=True)
def Step(text: str, seconds: float = 0.03) -> str:
    """The SHA-256 of a text, after a while."""
    found = digest(text)
    note(f"ran {found}")
    time.sleep(seconds)
    return found
