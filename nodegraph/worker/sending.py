"""Events on their way out of the worker: gathered, and thinned where only the latest counts."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from nodegraph.events import Event, NodePreview, NodeProgress
from nodegraph.files import Folders
from nodegraph.previews import encode_preview
from nodegraph.worker.frames import Message
from nodegraph.worker.telling import event_message

BATCH_SECONDS = 0.02
BATCH_EVENTS = 256
PROGRESS_SECONDS = 0.05
PREVIEW_SECONDS = 0.2

ENDINGS = ("node_finished", "node_failed", "node_cancelled")

Send = Callable[[Message, bytes], None]


def unmarked(nodes: Iterable[str]) -> None:
    """Stands where nobody asks which nodes run."""


class EventSender:
    """Sends the events of one job. Nodes call ``receive`` on their threads; one thread of its own sends.

    Progress of a node goes out at most every 50 ms and a preview every 200 ms; what is left out is older
    than what is sent, and the last progress of a node always is.
    """

    def __init__(
        self,
        job: str,
        send: Send,
        types: dict[str, str],
        folders: Folders,
        mark: Callable[[Iterable[str]], None] = unmarked,
    ) -> None:
        """A sender for one job.

        Args:
            types: the type of each node of the workflow.
            folders: where the files of the job are.
            mark: told at once which nodes run, whenever that changes; it must be quick.
        """
        self._job, self._send, self._types, self._folders = job, send, types, folders
        self._mark = mark
        self._running: dict[str, None] = {}
        mark(())
        self._lock = threading.Lock()
        self._waiting: list[Message] = []
        self._progress: dict[str, Message] = {}
        self._previews: dict[str, Any] = {}
        self._told: dict[tuple[str, str], float] = {}
        self._wake = threading.Event()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="events", daemon=True)
        self._thread.start()

    def receive(self, event: Event) -> None:
        """Take an event of the engine."""
        with self._lock:
            if isinstance(event, NodePreview):
                self._previews[event.node] = event.image
            elif isinstance(event, NodeProgress):
                self._progress[event.node] = event_message(event, self._folders) or {}
            else:
                self._take(event)
            full = len(self._waiting) >= BATCH_EVENTS
        if full or not self._wake.is_set():
            self._wake.set()

    def _take(self, event: Event) -> None:
        message = event_message(event, self._folders)
        if message is None:
            return
        node = message.get("node")
        self._mark_running(message["type"], str(node))
        if node in self._progress:  # what came before is told before
            self._waiting.append(self._progress.pop(node))
        if message["type"] == "node_started":
            message["node_type"] = self._types.get(str(node), "")
        if message["type"] in ENDINGS:
            self._previews.pop(str(node), None)
        self._waiting.append(message)

    def _mark_running(self, type: str, node: str) -> None:
        if type == "node_started":
            self._running[node] = None
        elif type not in ENDINGS or node not in self._running:
            return
        else:
            del self._running[node]
        self._mark(self._running)

    def _run(self) -> None:
        while True:
            self._wake.wait()
            if not self._closed:
                time.sleep(BATCH_SECONDS)  # more will come in a moment
            self._wake.clear()
            self._flush()
            if self._closed:
                return
            if self._progress or self._previews:
                self._wake.set()

    def _flush(self) -> None:
        now = time.monotonic()
        with self._lock:
            events, self._waiting = self._waiting, []
            events += [self._progress.pop(node) for node in self._due(self._progress, PROGRESS_SECONDS, now)]
            images = {
                node: self._previews.pop(node) for node in self._due(self._previews, PREVIEW_SECONDS, now)
            }
        for start in range(0, len(events), BATCH_EVENTS):
            batch = events[start : start + BATCH_EVENTS]
            self._send({"type": "events", "job": self._job, "events": batch}, b"")
        for node, image in images.items():
            self._send_preview(node, image)

    def _due(self, waiting: dict[str, Any], pause: float, now: float) -> list[str]:
        kind = "preview" if waiting is self._previews else "progress"
        due = [node for node in waiting if self._closed or now - self._told.get((kind, node), 0.0) >= pause]
        self._told.update({(kind, node): now for node in due})
        return due

    def _send_preview(self, node: str, image: Any) -> None:
        picture = encode_preview(image)
        if picture is not None:
            message = {"type": "node_preview", "node": node, "media_type": "image/jpeg"}
            self._send({"type": "events", "job": self._job, "events": [message]}, picture)

    def close(self) -> None:
        """Send what is left."""
        self._closed = True
        self._wake.set()
        self._thread.join()
