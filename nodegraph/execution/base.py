"""What every executor offers, and what a run leaves behind."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple, Protocol

from nodegraph.devices import DeviceManager
from nodegraph.errors import Cancelled, NodeError
from nodegraph.events import EventBus, Origin, RunStatus
from nodegraph.execution.device_turn import DeviceTurn
from nodegraph.files import Folders
from nodegraph.planning import Plan


class NodeRecord(NamedTuple):
    """How one node's result came about.

    Attributes:
        type: the node type.
        origin: ``run`` it ran, ``memory`` or ``disk`` it (or a result that made it unnecessary) was
            cached there, ``pruned`` nothing needed it.
        seconds: time in its function; for a node that returned a subgraph, of that as well.
        peak_memory: on CUDA, bytes allocated at the peak while it ran; elsewhere, bytes by which it
            raised the peak memory of the process (0 where it fitted into what was there).
        via: where a cached result made it unnecessary, ``True``.
        note: what else is worth knowing, such as that it was retried in a cheaper way.
    """

    type: str
    origin: Origin
    seconds: float = 0.0
    peak_memory: int = 0
    via: bool = False
    note: str = ""


class CancelToken:
    """Asks a run to stop; may be set from any thread, once for all."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._callbacks: list[Callable[[], None]] = []
        self._lock = threading.Lock()

    @property
    def cancelled(self) -> bool:
        """Whether the run has been asked to stop."""
        return self._event.is_set()

    def cancel(self) -> None:
        """Ask the run to stop."""
        with self._lock:
            self._event.set()
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()

    def on_cancel(self, callback: Callable[[], None]) -> None:
        """Call ``callback`` when the run is asked to stop; at once if it has been."""
        with self._lock:
            if not self._event.is_set():
                self._callbacks.append(callback)
                return
        callback()

    def forget(self, callback: Callable[[], None]) -> None:
        """No longer call ``callback``, if it was to be called."""
        with self._lock:
            self._callbacks = [one for one in self._callbacks if one != callback]

    def check(self) -> None:
        """Raise ``Cancelled`` if the run has been asked to stop."""
        if self._event.is_set():
            raise Cancelled("the run was cancelled")


@dataclass
class RunEnvironment:
    """What the nodes of one run share.

    Attributes:
        run: id of the run.
        bus: where events go.
        devices: turns recipes into weights.
        folders: where files are.
        token: set to cancel the run.
        make_metadata: makes the text that saved files shall carry; called when the first file is saved.
        device_turn: runs one node at a time on the device.
    """

    run: str
    bus: EventBus
    devices: DeviceManager
    folders: Folders
    token: CancelToken = field(default_factory=CancelToken)
    make_metadata: Callable[[], Mapping[str, str]] = dict
    device_turn: DeviceTurn = field(default_factory=DeviceTurn)

    @cached_property
    def metadata(self) -> Mapping[str, str]:
        """Text that saved files shall carry, by chunk name."""
        return self.make_metadata()


@dataclass(repr=False)
class Execution:
    """What a run of a plan leaves behind.

    Attributes:
        status: ``done``, ``failed`` or ``cancelled``.
        outputs: for each target that has a result, its values by output name.
        records: for each node of the plan, how its result came about; failed and cancelled ones are absent.
        errors: the nodes that failed.
        seconds: wall time.
    """

    status: RunStatus
    outputs: dict[str, dict[str, Any]]
    records: dict[str, NodeRecord]
    errors: list[NodeError]
    seconds: float

    def __repr__(self) -> str:
        return f"<execution {self.status}, {len(self.records)} nodes, {self.seconds:.3f} s>"


class Executor(Protocol):
    """Runs plans. All executors give the same values for the same plan."""

    async def run(self, plan: Plan, environment: RunEnvironment) -> Execution:
        """Run what the plan says; never raises on account of a node."""
