"""What a run tells while it runs: small immutable records and the bus that carries them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

logger = logging.getLogger(__name__)

Origin = Literal["run", "memory", "disk", "pruned"]
RunStatus = Literal["done", "failed", "cancelled"]


class RunStarted(NamedTuple):
    """A run begins: how many nodes the workflow has and how many are planned to run."""

    run: str
    nodes: int
    planned: int


class NodeStarted(NamedTuple):
    """A node begins to run."""

    run: str
    node: str


class NodeProgress(NamedTuple):
    """A node has done ``value`` of ``total`` steps."""

    run: str
    node: str
    value: int
    total: int
    message: str = ""


class NodePreview(NamedTuple):
    """A node shows an unfinished result; ``image`` is whatever the node gave, usually an ``Image``."""

    run: str
    node: str
    image: Any


class NodeExpanded(NamedTuple):
    """A node returned a subgraph of ``added`` nodes, which now runs in its place.

    ``iterations`` is how often the node that is in it most often is: of a loop, how often its body runs.
    """

    run: str
    node: str
    added: int
    iterations: int


class NodeFinished(NamedTuple):
    """A node's result is at hand: it ran, or it came from the memory or disk cache.

    ``outputs`` holds its values by name where a run may end in the node; whoever keeps the event keeps them.
    """

    run: str
    node: str
    origin: Origin
    seconds: float
    outputs: Mapping[str, Any] | None = None


class NodeFailed(NamedTuple):
    """A node failed; what depends on it will not run."""

    run: str
    node: str
    message: str


class NodeCancelled(NamedTuple):
    """A node will not run, or stopped part-way: the run was cancelled or something before it failed."""

    run: str
    node: str


class RunFinished(NamedTuple):
    """The run is over."""

    run: str
    status: RunStatus
    seconds: float


Event = (
    RunStarted
    | NodeStarted
    | NodeProgress
    | NodePreview
    | NodeExpanded
    | NodeFinished
    | NodeFailed
    | NodeCancelled
    | RunFinished
)
Subscriber = Callable[[Event], None]


class EventBus:
    """Delivers every event to every subscriber, in the order and on the thread it was published.

    A subscriber that wants fewer events, or another thread, sees to that itself. One that raises is
    logged and keeps its place: no listener can break a run.
    """

    def __init__(self) -> None:
        self._subscribers: tuple[Subscriber, ...] = ()
        self._lock = threading.Lock()

    def subscribe(self, subscriber: Subscriber) -> Callable[[], None]:
        """Add a subscriber; the returned function removes it."""
        with self._lock:
            self._subscribers = (*self._subscribers, subscriber)
        return lambda: self._unsubscribe(subscriber)

    def _unsubscribe(self, subscriber: Subscriber) -> None:
        with self._lock:
            self._subscribers = tuple(s for s in self._subscribers if s is not subscriber)

    def publish(self, event: Event) -> None:
        """Tell every subscriber."""
        for subscriber in self._subscribers:
            try:
                subscriber(event)
            except Exception:
                logger.exception("event subscriber %r failed", subscriber)
