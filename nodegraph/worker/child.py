"""The worker process: an engine, and the jobs it is given one after the other."""

from __future__ import annotations

import ctypes
import faulthandler
import gc
import json
import logging
import os
import signal
import sys
import threading
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue
from typing import Any, BinaryIO

from nodegraph.cache.disk import DiskStore
from nodegraph.cache.memory import MemoryStore
from nodegraph.cache.results import ResultCache
from nodegraph.devices import DeviceManager, pick_device
from nodegraph.engine import Engine
from nodegraph.errors import Cancelled, FileProblem, NodeGraphError
from nodegraph.execution.base import CancelToken
from nodegraph.files import Folders
from nodegraph.handles import Link
from nodegraph.heap import HeapTrimmer, empty_frames
from nodegraph.locations import default_folders
from nodegraph.planning import Plan
from nodegraph.printable import log_to_standard_error
from nodegraph.registry import NodeRegistry
from nodegraph.system_errors import system_reason
from nodegraph.worker import frames
from nodegraph.worker.marks import RunningMarks
from nodegraph.worker.options import WorkerJob, WorkerOptions
from nodegraph.worker.sending import EventSender, unmarked
from nodegraph.worker.telling import failure_message, plan_message, refusal_message, result_message
from nodegraph.worker.tensors import find_colours, find_tensor, tensor_message
from nodegraph.workflow import workflow_from_document
from nodegraph.workflow.schema import Workflow

logger = logging.getLogger(__name__)

TRIM_SECONDS = 1.0
ORPHAN_SECONDS = 20.0
PR_SET_PDEATHSIG = 1


def serve(incoming: BinaryIO, outgoing: BinaryIO, marks: int | None = None) -> None:
    """Run the jobs that come in, until the stream ends. The first message holds the options.

    Args:
        marks: descriptor of the file that is told which nodes run; see ``RunningMarks``.
    """
    log_to_standard_error("worker: %(levelname)s %(message)s")
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # a Ctrl-C reaches the whole group; the server decides
    faulthandler.enable(sys.stderr)  # where a crash happened goes to the log
    _end_with_parent()
    first = frames.read(incoming)
    if first is None:
        return
    worker = _Worker(WorkerOptions.model_validate_json(first[1]), outgoing, marks)
    worker.send({"type": "ready", "pid": os.getpid()})
    threading.Thread(target=worker.listen, args=(incoming,), name="listener", daemon=True).start()
    threading.Thread(target=worker.plan, name="planner", daemon=True).start()
    worker.work()


def _end_with_parent() -> None:
    """On Linux the kernel ends this process when the server dies; elsewhere the closed stream does."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class _Worker:
    def __init__(self, options: WorkerOptions, outgoing: BinaryIO, marks: int | None) -> None:
        self._outgoing = outgoing
        self._marks = RunningMarks(marks) if marks is not None else None
        self._writing = threading.Lock()
        self._registry = NodeRegistry.with_plugins(options.plugins)
        self._shared = default_folders(
            self._registry, options.cache, models=options.models, pickles=options.pickles
        )
        self._devices = DeviceManager(pick_device(options.device), self._shared)
        self._memory = MemoryStore(options.memory_cache)
        self._cache = ResultCache(self._memory, DiskStore(options.cache / "results", options.disk_cache))
        self._engine = Engine(self._registry, self._cache, self._shared, self._devices)
        self._arrived = threading.Condition()
        self._waiting: list[WorkerJob] = []
        self._to_plan: SimpleQueue[tuple[frames.Message, bytes]] = SimpleQueue()
        self._ended = False
        self._tokens: dict[str, CancelToken] = {}
        self._heap = HeapTrimmer(TRIM_SECONDS)

    def send(self, message: frames.Message, body: bytes = b"") -> None:
        """Send one message; if the server is gone there is nothing left to do."""
        data = frames.encode(message, body)
        with self._writing:
            try:
                self._outgoing.write(data)
                self._outgoing.flush()
            except OSError:
                os._exit(1)

    def listen(self, incoming: BinaryIO) -> None:
        """Take what the server sends, also while a job runs."""
        while (message := frames.read(incoming)) is not None:
            self._take(*message)
        self._orphaned()

    def _take(self, message: frames.Message, body: bytes) -> None:
        if message["type"] == "run":
            job = WorkerJob.model_validate_json(body)
            with self._arrived:
                self._tokens[job.id] = CancelToken()
                self._waiting.append(job)
                self._arrived.notify()
        elif message["type"] == "cancel":
            token = self._tokens.get(message["job"])
            if token is not None:
                token.cancel()
        elif message["type"] in ("plan", "tensor"):  # takes a while, in which a job may be cancelled
            self._to_plan.put((message, body))
        else:
            self.send({"type": "answer", "number": message["number"], "data": self._answer(message)})

    def plan(self) -> None:
        """Make one plan after the other; whatever becomes of one, it is answered."""
        while True:
            message, body = self._to_plan.get()
            data, text = self._planned(message, body)
            self.send({"type": "answer", "number": message["number"], "data": data}, text)

    def _planned(self, message: frames.Message, body: bytes) -> tuple[dict[str, Any], bytes]:
        """What was asked for as JSON text, which the server passes on unread; or why there is none."""
        folders = self._shared
        try:
            job = WorkerJob.model_validate_json(body)
            folders = self._folders(job)
            plan = self._engine.for_folders(folders).plan(workflow_from_document(job.workflow), job.targets)
            is_plan = message["type"] == "plan"
            told = plan_message(plan, folders) if is_plan else self._tensor(plan, message["output"])
            return {}, json.dumps(told, allow_nan=False, separators=(",", ":")).encode()
        except NodeGraphError as error:
            return {"refused": refusal_message(error, folders)}, b""
        except BaseException as error:  # code of a node runs here, too, such as its `fingerprint=`
            logger.exception("a plan failed in an unforeseen way")
            text = f"{type(error).__name__} in the worker; its log has more"
            return {"refused": failure_message("internal_error", text)}, b""

    def _tensor(self, plan: Plan, output: str) -> dict[str, Any] | None:
        """An output of the node that is planned for; ``None`` where it is not kept or is no tensor."""
        (target,) = plan.targets
        key, node = plan.keys.get(target), plan.nodes.get(target)
        found = self._cache.get(key) if key is not None else None
        if found is None or node is None or output not in node.known.output_index:
            return None
        value = found[0].outputs[node.known.output_index[output]]
        known = plan.analysis.facts.get(Link(target, output))
        looked = find_tensor(value)
        if looked is None:
            return None
        return tensor_message(looked, find_colours(value, known.facts if known else {}))

    def _answer(self, message: frames.Message) -> dict[str, Any]:
        if message["type"] == "free":
            freed = self._devices.free()
            if message.get("results"):
                self._memory.clear()
            gc.collect()
            return {"freed": freed}
        return {
            "rss": _resident_bytes(),
            "device": str(self._devices.device),
            "results": self._memory.info()._asdict(),
            "models": [
                {
                    "name": str(model.recipe),
                    "bytes": model.bytes,
                    "place": model.place,
                    "leases": model.leases,
                }
                for model in self._devices.loaded()
            ],
        }

    def _orphaned(self) -> None:
        """The server is gone: stop what runs, and do not linger."""
        for token in list(self._tokens.values()):
            token.cancel()
        with self._arrived:
            self._ended = True
            self._arrived.notify()
        timer = threading.Timer(ORPHAN_SECONDS, os._exit, (1,))
        timer.daemon = True
        timer.start()

    def work(self) -> None:
        """Run one job after the other, until there will be no more."""
        while True:
            with self._arrived:
                while not self._waiting and not self._ended:
                    self._arrived.wait()
                if self._ended:
                    return
                job = self._waiting.pop(0)
            result = self._run(job)
            del self._tokens[job.id]
            self.send({"type": "result", "job": job.id, "result": result})
            del job, result
            self._heap.trim()

    def _run(self, job: WorkerJob) -> dict[str, Any]:
        folders = self._folders(job)
        try:
            return self._attempt(job, folders)
        except Cancelled as error:
            return failure_message("cancelled", str(error), status="cancelled")
        except NodeGraphError as error:
            return refusal_message(error, folders)
        except BaseException as error:  # the worker outlives whatever one job does to it
            logger.exception("job %s failed in an unforeseen way", job.id)
            return failure_message(
                "internal_error", f"{type(error).__name__} in the worker; its log has more"
            )

    def _attempt(self, job: WorkerJob, folders: Folders) -> dict[str, Any]:
        _make(job.folders.output)
        workflow = workflow_from_document(job.workflow)
        engine = self._engine.for_folders(folders)
        mark = self._marks.write if self._marks else unmarked
        events = EventSender(job.id, self.send, _types(workflow), folders, mark)
        token, targets = self._tokens[job.id], job.targets
        try:
            result = engine.run_sync(
                workflow, targets=targets, on_event=events.receive, token=token, run_id=job.id
            )
        finally:
            events.close()
        for error in result.errors:
            logger.warning(
                "job %s: %s (%s) failed\n%s", job.id, error.node_id, error.node_type, error.traceback
            )
            empty_frames(error)
        return result_message(result, folders, list(targets or ()))

    def _folders(self, job: WorkerJob) -> Folders:
        return replace(
            self._shared,
            output=job.folders.output,
            temporary=job.folders.temporary,
            inputs=(*job.folders.inputs, *self._shared.inputs),
            closed=job.folders.closed,
            private=job.folders.private,
        )


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileProblem(f"the folder {folder} cannot be made: {system_reason(error)}") from error


def _types(workflow: Workflow) -> dict[str, str]:
    return {id: entry.type for id, entry in workflow.nodes.items()}


def _resident_bytes() -> int:
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")
