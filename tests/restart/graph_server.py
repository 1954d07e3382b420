"""Imports the engine, then runs the graph of ``slow_nodes`` in a forked process for every line of input.

A line is a JSON object with ``folder`` (of the results on disk), ``workers`` and, where the run shall end
itself inside a write, ``kill`` (see ``killer``). Written, a line each: the
process id, ``started`` and ``finished`` nodes, the digests of all results, and the exit status.
"""

import hashlib
import json
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import slow_nodes
from killer import arm

from nodegraph.cache.disk import DiskStore
from nodegraph.cache.memory import MemoryStore
from nodegraph.cache.results import ResultCache
from nodegraph.devices import DeviceManager
from nodegraph.engine import Engine
from nodegraph.events import NodeFinished, NodeStarted
from nodegraph.execution.local import LocalExecutor
from nodegraph.files import Folders
from nodegraph.registry import NodeRegistry
from nodegraph.workflow import workflow_from_document


def tell(**message):
    os.write(1, (json.dumps(message) + "\n").encode())  # at once and whole, also from several threads


def tell_event(event):
    if isinstance(event, NodeStarted):
        tell(started=event.node)
    elif isinstance(event, NodeFinished):
        tell(finished=event.node, origin=event.origin)


def run(folder, workers):
    registry = NodeRegistry()
    for function in (slow_nodes.Mix, slow_nodes.Stretch, slow_nodes.Digest):
        registry.add(function)
    folders = Folders(folder / "output")
    cache = ResultCache(MemoryStore(1 << 28), DiskStore(folder / "results", 1 << 30))
    devices = DeviceManager(SimpleNamespace(type="cpu"), folders)
    engine = Engine(registry, cache, folders, devices, executor=LocalExecutor(workers))
    document = slow_nodes.twenty_nodes()
    workflow = workflow_from_document(document)
    result = engine.run_sync(workflow, targets=list(document["nodes"]), on_event=tell_event)
    digests = {id: hashlib.sha256(repr(values).encode()).hexdigest() for id, values in result.outputs.items()}
    tell(status=result.status, digests=digests)


def main():
    assert "torch" not in sys.modules, "forking is safe, and fast, only without it"
    for line in sys.stdin:
        request = json.loads(line)
        pid = os.fork()
        if pid == 0:
            tell(pid=os.getpid())
            if "kill" in request:
                arm(**request["kill"])
            run(Path(request["folder"]), request["workers"])
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        tell(exit=os.waitstatus_to_exitcode(status))


main()
