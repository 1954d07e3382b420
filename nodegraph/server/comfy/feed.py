"""From the events of one job to the messages that its ComfyUI client is sent."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any, Literal

from nodegraph.jobs.records import Job
from nodegraph.server.comfy.outputs import node_output
from nodegraph.server.comfy.records import Message, display_id, end_message, milliseconds, prompt_of

FEW_STATES, STATES_SECONDS = 16, 0.2
"""The states of more nodes are told so often, as each message holds all of them."""
MAX_STATES = 100
"""Nodes whose progress is told at once; those that began last."""
PREVIEW, PREVIEW_WITH_METADATA = 1, 4
IMAGE_FORMATS = {"image/jpeg": 1, "image/png": 2}

NodeState = Literal["running", "finished", "error"]


@dataclass(frozen=True)
class Preview:
    """An unfinished picture on its way to a client.

    Attributes:
        image: the encoded picture.
        media_type: ``image/jpeg`` or ``image/png``.
        about: which node of which prompt it belongs to.
        wanted: whether the prompt asked for previews; clients that announced that they understand
            metadata get them anyway.
    """

    image: bytes
    media_type: str
    about: Mapping[str, Any]
    wanted: bool

    def frame(self) -> bytes:
        """The binary message for any client: event, picture format, picture."""
        return _words(PREVIEW, IMAGE_FORMATS[self.media_type]) + self.image

    def frame_with_metadata(self) -> bytes:
        """The binary message for clients that know of metadata: event, length, JSON, picture."""
        metadata = json.dumps({**self.about, "image_type": self.media_type}).encode()
        return _words(PREVIEW_WITH_METADATA, len(metadata)) + metadata + self.image


def _words(*numbers: int) -> bytes:
    return b"".join(number.to_bytes(4, "big") for number in numbers)


class JobFeed:
    """What one client hears of one job.

    Cached results are told in one message, as early as possible, because clients take the first as the
    whole list; what output nodes give is told after it.

    Args:
        job: the job.
        previews: whether previews go to clients that did not announce that they understand them.
    """

    def __init__(self, job: Job, *, previews: bool) -> None:
        self.client = job.client
        self.owner = job.owner
        self.last_node: str | None = None
        self._id = job.id
        self._prompt = prompt_of(job)
        self._previews = previews
        self._cached: list[str] = []
        self._held: list[Message] = []
        self._announced = False
        self._told: set[str] = set()
        self._states: dict[str, dict[str, Any]] = {}
        self._states_told = 0.0

    def start(self, job: Job) -> list[Message]:
        """The messages of a job that has begun."""
        return [("execution_start", {"prompt_id": self._id, "timestamp": milliseconds(job.started)})]

    def node_event(self, event: Mapping[str, Any], body: bytes = b"") -> list[Message | Preview]:
        """The messages for an event of a node."""
        handler = getattr(self, f"_{event['type']}", None)
        return handler(event, body) if handler else []

    def end(self, job: Job) -> list[Message]:
        """The last messages but those that tell that the history is written."""
        if job.started is None:
            return []
        ending = end_message(job, milliseconds(job.finished), self.last_node)
        outputs = (job.result or {}).get("outputs") or {}
        untold = [self._executed(id, found) for id, found in outputs.items() if id not in self._told]
        return [*self._flush(), *chain(*untold), *self._error_state(ending), ending]

    def _flush(self) -> list[Message]:
        if self._announced and not self._cached:
            return []
        nodes, held = self._cached, self._held
        self._cached, self._held, self._announced = [], [], True
        about = {"nodes": nodes, "prompt_id": self._id, "timestamp": int(time.time() * 1000)}
        return [("execution_cached", about), *held]

    def _node_started(self, event: Mapping[str, Any], _body: bytes) -> list[Message]:
        node = event["node"]
        self.last_node = node
        about = {"node": node, "display_node": display_id(node, self._prompt), "prompt_id": self._id}
        return [*self._flush(), ("executing", about), *self._state(node, "running")]

    def _node_progress(self, event: Mapping[str, Any], _body: bytes) -> list[Message]:
        node, value, total = event["node"], event["value"], event["total"]
        progress = {"value": value, "max": total, "prompt_id": self._id, "node": node}
        return [*self._state(node, "running", value, total), ("progress", progress)]

    def _node_preview(self, event: Mapping[str, Any], body: bytes) -> list[Preview]:
        if event["media_type"] not in IMAGE_FORMATS:
            return []
        about = {**self._node_about(event["node"]), "prompt_id": self._id}
        return [Preview(body, event["media_type"], about, self._previews)]

    def _node_finished(self, event: Mapping[str, Any], _body: bytes) -> list[Message]:
        node = event["node"]
        executed = self._executed(node, event.get("outputs"))
        if event["origin"] == "run":
            return [*self._state(node, "finished"), *executed]
        self._cached.append(node)
        self._held += executed
        return []

    def _executed(self, node: str, outputs: Mapping[str, Any] | None) -> list[Message]:
        if not outputs:
            return []
        self._told.add(node)
        about = {"node": node, "display_node": display_id(node, self._prompt), "prompt_id": self._id}
        return [("executed", {**about, "output": node_output(outputs)})]

    def _error_state(self, ending: Message) -> list[Message]:
        node = ending[1].get("node_id")
        return self._state(node, "error") if ending[0] == "execution_error" and node else []

    def _state(
        self, node: str, state: NodeState, value: int | None = None, total: int | None = None
    ) -> list[Message]:
        """``progress_state``: how far every node that began has come; of many, not at each of their steps."""
        known = self._states.get(node, {"value": 0, "max": 1})
        span = {"value": known["value"] if value is None else value, "max": total or known["max"]}
        if state == "finished":
            span["value"] = span["max"]
        about = {**self._node_about(node), "prompt_id": self._id}
        if node not in self._states and len(self._states) >= MAX_STATES:
            del self._states[next(iter(self._states))]
        self._states[node] = {**span, "state": state, **about}
        now = time.monotonic()
        if state != "error" and len(self._states) > FEW_STATES and now - self._states_told < STATES_SECONDS:
            return []
        self._states_told = now
        return [("progress_state", {"prompt_id": self._id, "nodes": dict(self._states)})]

    def _node_about(self, node: str) -> dict[str, Any]:
        shown = display_id(node, self._prompt)
        parent = None if shown == node else shown
        return {"node_id": node, "display_node_id": shown, "parent_node_id": parent, "real_node_id": node}
