"""Progress of a run: on a terminal bars, for the run and each running node; elsewhere a line now and then."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from nodegraph import events
from nodegraph.console.report import duration
from nodegraph.printable import printable

MAX_BARS = 8
REFRESHES_PER_SECOND = 8
NODE_PAUSE, STEP_PAUSE = 0.5, 10.0
"""Seconds between two lines, where there is no terminal."""


@contextmanager
def progress(console: Console, shown: bool, runs: int = 1) -> Iterator[Callable[[events.Event], None] | None]:
    """A subscriber that shows progress while the ``with`` block lasts, or ``None`` where none is wanted.

    Args:
        runs: how many runs there will be, one after the other.
    """
    if not shown:
        yield None
    elif not console.is_terminal:
        yield _Lines(console, runs).note
    else:
        state = RunState(runs)
        bars = _Bars(state, console)
        with Live(
            get_renderable=bars.draw, console=console, transient=True, refresh_per_second=REFRESHES_PER_SECOND
        ):
            yield state.note


@dataclass
class _Steps:
    done: int = 0
    total: int = 0
    message: str = ""

    @property
    def fraction(self) -> float:
        return min(self.done / self.total, 1.0) if self.total else 0.0


@dataclass
class RunState:
    """What is known of one run after the other, kept from their events; drawing reads it at its own pace.

    Attributes:
        runs: how many runs there will be.
        run: the number of the present one, from 1.
        planned: how many nodes have to run in it.
        finished: how many of them have.
        running: the nodes at work.
    """

    runs: int = 1
    run: int = 0
    planned: int = 0
    finished: int = 0
    running: dict[str, _Steps] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, event: events.Event) -> None:
        """Take in one event, on whatever thread it comes."""
        with self._lock:
            self._note(event)

    def _note(self, event: events.Event) -> None:
        match event:
            case events.RunStarted(planned=planned):
                self.run, self.planned, self.finished = self.run + 1, planned, 0
                self.running.clear()
            case events.NodeExpanded(added=added):
                self.planned += added
            case events.NodeStarted(node=node):
                self.running[node] = _Steps()
            case events.NodeProgress(node=node, value=value, total=total, message=message):
                self.running[node] = _Steps(value, total, message)
            case events.NodeFinished() | events.NodeFailed() | events.NodeCancelled():
                self.finished += self.running.pop(event.node, None) is not None

    def snapshot(self) -> tuple[float, int, dict[str, _Steps]]:
        """How many nodes are done (with fractions), how many there are, and those at work."""
        with self._lock:
            running = dict(self.running)
        completed = self.finished + sum(steps.fraction for steps in running.values())
        return completed, max(self.planned, self.finished), running

    @property
    def overall(self) -> float:
        """How many runs are done, with the fraction of the present one."""
        completed, total, _ = self.snapshot()
        return max(self.run - 1, 0) + (completed / total if total else 0.0)

    @property
    def place(self) -> str:
        """Which run of several is the present one, as in ``run 3 of 9``; nothing where there is one."""
        return f"run {max(self.run, 1)} of {self.runs}" if self.runs > 1 else ""


class _Lines:
    """A line for each node that ran, unless one was written just before; for a long one some on its way."""

    def __init__(self, console: Console, runs: int) -> None:
        self._console = console
        self._state = RunState(runs)
        self._written = time.monotonic()

    def note(self, event: events.Event) -> None:
        """Take in one event, on whatever thread it comes."""
        self._state.note(event)
        if isinstance(event, events.NodeFinished) and event.origin == "run":
            self._write(NODE_PAUSE, f"{event.node}: {duration(event.seconds)}")
        elif isinstance(event, events.NodeProgress):
            self._write(STEP_PAUSE, f"{event.node}: step {event.value} of {event.total}")

    def _write(self, pause: float, text: str) -> None:
        now = time.monotonic()
        if now - self._written >= pause:
            self._written = now
            completed, total, _ = self._state.snapshot()
            place = f"{self._state.place}, " if self._state.place else ""
            line = f"[{place}{int(completed)}/{total}] {printable(text)}"
            self._console.print(line, markup=False, highlight=False)


class _Bars:
    """Brings its bars in line with the state each time they are drawn, however many events came between."""

    def __init__(self, state: RunState, console: Console) -> None:
        """The bar of the run is one bar for all runs where there are several."""
        self._state = state
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[count]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
        )
        self._run = self._progress.add_task("run", total=None, count="")
        self._bars: dict[str, TaskID] = {}

    def draw(self) -> RenderableType:
        """The present state."""
        completed, total, running = self._state.snapshot()
        count = f"{int(completed)}/{total} nodes"
        if self._state.place:
            completed, total = self._state.overall, self._state.runs
            count = f"{self._state.place}, {count}"
        self._progress.update(self._run, completed=completed, total=total or None, count=count)
        shown = dict(list(running.items())[:MAX_BARS])
        for node in [node for node in self._bars if node not in shown]:
            self._progress.remove_task(self._bars.pop(node))
        for node, steps in shown.items():
            self._draw_node(node, steps)
        return self._progress.get_renderable()

    def _draw_node(self, node: str, steps: _Steps) -> None:
        if node not in self._bars:
            self._bars[node] = self._progress.add_task(f"  {escape(printable(node))}", total=None, count="")
        count = escape(printable(steps.message)) or (f"{steps.done}/{steps.total}" if steps.total else "")
        self._progress.update(self._bars[node], completed=steps.done, total=steps.total or None, count=count)
