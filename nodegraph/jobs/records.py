"""What the queue keeps of a job."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any, Literal

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
    idempotency_key: str | None = None
    webhook: str | None = None
    time_limit: float | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """A job as the queue knows it.

    Attributes:
        id: its id; the other attributes of ``NewJob`` are as given there.
        number: rises by one with each job ever queued.
        state: ``interrupted`` is a job that ran when the server ended, and waits to run again.
        created: when it was queued, in seconds since 1970.
        started: when it last began to run.
        finished: when it ended.
        attempts: how often it began to run.
        cancel_requested: whether it runs and shall stop.
        result: what came of it, as JSON data, once it has ended.
    """

    id: str
    owner: str
    workflow: dict[str, Any]
    targets: tuple[str, ...] | None
    priority: int
    label: str
    client: str
    extra: dict[str, Any]
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
    result: dict[str, Any] | None
