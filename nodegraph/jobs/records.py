"""What the queue keeps of a job."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, TypedDict

from nodegraph.errors import NodeGraphError

JobState = Literal["queued", "running", "done", "failed", "cancelled", "interrupted"]
EndState = Literal["done", "failed", "cancelled"]
STATES: tuple[JobState, ...] = ("queued", "running", "done", "failed", "cancelled", "interrupted")
WAITING: tuple[JobState, ...] = ("queued", "interrupted")
ACTIVE: tuple[JobState, ...] = ("queued", "interrupted", "running")
ENDED: tuple[JobState, ...] = ("done", "failed", "cancelled")


class JobError(NodeGraphError):
    """What was asked of the queue cannot be: an id is taken, a job does not wait, and the like."""


class QueueFullError(JobError):
    """As many jobs of a user wait as may."""


class StorageError(NodeGraphError):
    """The database cannot be read or written now: the disk is full, the folder read-only, the file locked.

    Attributes:
        full: whether it is room on the disk that is missing.
    """

    def __init__(self, message: str, *, full: bool = False) -> None:
        super().__init__(message)
        self.full = full


class JobSummary(TypedDict, total=False):
    """What a job is about, in short; jobs from before it was kept have none of it."""

    name: str
    """Of the workflow."""
    makes: list[str]
    """Types of the nodes whose results are wanted."""
    seed: str | None
    """As text: it may be larger than readers of JSON keep."""
    prompt: str
    """The beginning of it."""


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job to be queued.

    Attributes:
        owner: the user whose job it is.
        workflow: the workflow in nodegraph's own format, as JSON data.
        id: its id; clients may choose their own.
        targets: ids of the nodes whose results are wanted, or ``None`` for the output nodes.
        priority: a higher one runs first.
        front: whether it goes before all that wait with the same priority.
        label: a name for people.
        client: which client of its owner is told of it.
        extra: what the client wants kept beside it, as JSON data.
        summary: what it is about.
        idempotency_key: a job of the same owner and key is queued once.
        webhook: where its end is told.
        time_limit: seconds it may run, or ``None``.
    """

    owner: str
    workflow: dict[str, Any]
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    targets: tuple[str, ...] | None = None
    priority: int = 0
    front: bool = False
    label: str = ""
    client: str = ""
    extra: dict[str, Any] = field(default_factory=dict)
    summary: JobSummary = field(default_factory=JobSummary)
    idempotency_key: str | None = None
    webhook: str | None = None
    time_limit: float | None = None


@dataclass(frozen=True)
class Job:
    """A job as the queue knows it.

    What may be long is kept as JSON text until it is asked for: a list of thousands of jobs needs none of it.

    Attributes:
        id: its id; the other attributes of ``NewJob`` are as given there.
        workflow_text: the workflow as JSON text.
        extra_text: what the client wanted kept, as JSON text.
        number: rises by one with each job ever queued.
        state: ``interrupted`` is a job that ran when the server ended, and waits to run again.
        created: when it was queued, in seconds since 1970.
        started: when it last began to run.
        finished: when it ended.
        attempts: how often it began to run.
        cancel_requested: whether it runs and shall stop.
        result_text: what came of it, as JSON text, once it has ended.
    """

    id: str
    owner: str
    workflow_text: str = field(repr=False)
    targets: tuple[str, ...] | None
    priority: int
    label: str
    client: str
    extra_text: str = field(repr=False)
    summary: JobSummary
    idempotency_key: str | None
    webhook: str | None
    time_limit: float | None
    number: int
    state: JobState
    created: float
    started: float | None
    finished: float | None
    attempts: int
    cancel_requested: bool
    result_text: str | None = field(repr=False)

    @cached_property
    def workflow(self) -> dict[str, Any]:
        """The workflow as JSON data."""
        return _object(self.workflow_text)

    @cached_property
    def extra(self) -> dict[str, Any]:
        """What the client wanted kept, as JSON data."""
        return _object(self.extra_text)

    @cached_property
    def result(self) -> dict[str, Any] | None:
        """What came of it, as JSON data, once it has ended."""
        return None if self.result_text is None else _object(self.result_text)


def _object(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text)
    return found
