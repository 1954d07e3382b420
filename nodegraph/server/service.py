"""Everything the server's APIs do with jobs, in plain Python: they differ only in how they say it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from nodegraph.files import Folders
from nodegraph.jobs.records import ENDED, Job, JobState, NewJob
from nodegraph.registry import NodeRegistry
from nodegraph.server.checking import Checked, Checker
from nodegraph.server.pruning import prune_files
from nodegraph.server.settings import ServerSettings

if TYPE_CHECKING:
    from nodegraph.jobs.queue import JobQueue
    from nodegraph.server.hub import EventHub, Subscription

P = ParamSpec("P")
T = TypeVar("T")

HEAVY_THREADS = 2
TOLD_AT_ONCE = 20
"""Events told before the event loop looks at its other work."""


class JobService:
    """Jobs as both APIs see them. Coroutines belong to the event loop; ``check`` may run anywhere.

    Attributes:
        queue: where jobs are kept; its methods block, so they are called in a thread.
        hub: where events are told.
        settings: the server's settings.
        registry: the nodes there are.
        on_new_work: called after jobs were queued or the queue was resumed, so that the runner looks.
        on_cancel: called with the id of a running job that shall stop.
    """

    def __init__(
        self,
        queue: JobQueue,
        hub: EventHub,
        registry: NodeRegistry,
        settings: ServerSettings,
        folders: Callable[[str], Folders],
    ) -> None:
        """``folders`` gives the folders of a user."""
        self.queue, self.hub, self.registry, self.settings = queue, hub, registry, settings
        self.folders = folders
        self.checker = Checker(registry, folders, settings.max_nodes)
        self.on_new_work: Callable[[], None] = _nothing
        self.on_cancel: Callable[[str], None] = _ignored
        self._heavy = ThreadPoolExecutor(HEAVY_THREADS, "heavy")
        self._heavy_calls = 0

    async def heavy(self, function: Callable[P, T], *args: P.args, **options: P.kwargs) -> T:
        """Run what takes long in one of few threads, so that it leaves the others to the database."""
        call = lambda: function(*args, **options)  # noqa: E731
        self._heavy_calls += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._heavy, call)
        finally:
            self._heavy_calls -= 1

    def busy(self) -> bool:
        """Whether something heavy is being done."""
        return self._heavy_calls > 0

    def close(self) -> None:
        """Let go of the threads."""
        self._heavy.shutdown(wait=False, cancel_futures=True)

    def check(self, document: Any, *, owner: str, targets: Iterable[str] | None = None) -> Checked:
        """Read and validate a workflow of any format; this takes a while, so call it in a thread.

        Raises:
            WorkflowError: it cannot be read as a workflow.
        """
        return self.checker.check(document, owner=owner, targets=targets)

    async def submit(self, jobs: Sequence[NewJob], *, checked: bool = False) -> list[Job]:
        """Queue jobs, all or none.

        Args:
            checked: whether every workflow was found valid just before.

        Raises:
            WorkflowError: a workflow cannot be read.
            ValidationError: a workflow must not run.
            JobError: an id was seen before.
            QueueFullError: too many jobs of the user wait.
        """
        if not checked:
            await self.heavy(self._check_all, jobs)
        queued = await asyncio.to_thread(self.queue.submit, jobs, max_waiting=self.settings.max_queued)
        known = {job.id for job in jobs}
        for job in queued:
            if job.id in known:  # otherwise its idempotency key was seen before, and it was told then
                self.hub.publish(job.owner, {"type": "job_queued", "job": job.id, "state": job.state})
        self.on_new_work()
        return queued

    def _check_all(self, jobs: Sequence[NewJob]) -> None:
        for job in jobs:
            self.check(job.workflow, owner=job.owner, targets=job.targets).or_raise()

    async def get(self, id: str) -> Job | None:
        """The job of that id, or ``None``."""
        return await asyncio.to_thread(self.queue.get, id)

    async def jobs(
        self,
        *,
        owner: str | None = None,
        states: Collection[JobState] | None = None,
        limit: int = 100,
        before: int | None = None,
        ascending: bool = False,
    ) -> list[Job]:
        """Jobs by number, the newest first unless ``ascending``; those before a number if it is given."""
        return await asyncio.to_thread(
            self.queue.jobs, owner=owner, states=states, limit=limit, before=before, ascending=ascending
        )

    async def waiting(self, owner: str | None = None, limit: int | None = None) -> list[Job]:
        """The jobs that wait, in the order they will run; at most ``limit`` of them."""
        return await asyncio.to_thread(self.queue.waiting, owner, limit)

    async def counts(self, owner: str | None = None) -> dict[JobState, int]:
        """How many jobs are in each state."""
        return await asyncio.to_thread(self.queue.counts, owner)

    async def cancel(self, id: str) -> JobState | None:
        """Cancel a job; one that runs stops soon after. ``None`` if there is no such job."""
        before = await self.get(id)
        state = await asyncio.to_thread(self.queue.cancel, id)
        if state == "running":
            self.on_cancel(id)
        elif state == "cancelled" and before is not None and before.state not in ENDED:
            self._tell_cancelled(before.owner, id)
        return state

    async def cancel_waiting(self, owner: str | None = None) -> list[str]:
        """Cancel every job that waits, of one user or of all; their ids."""
        owners = {job.id: job.owner for job in await self.waiting(owner)}
        cancelled = await asyncio.to_thread(self.queue.cancel_waiting, owner)
        for count, id in enumerate(cancelled, 1):
            if id in owners:
                self._tell_cancelled(owners[id], id)
            if count % TOLD_AT_ONCE == 0:
                await asyncio.sleep(0)
        return cancelled

    def _tell_cancelled(self, owner: str, id: str) -> None:
        event = {"type": "job_finished", "job": id, "state": "cancelled", "seconds": 0.0, "executed": 0}
        self.hub.publish(owner, event)

    async def move(
        self,
        id: str,
        *,
        front: bool = False,
        back: bool = False,
        before: str | None = None,
        priority: int | None = None,
    ) -> Job | None:
        """Move a waiting job; ``None`` if there is no such job.

        Raises:
            JobError: it does not wait, or ``before`` does not.
        """
        return await asyncio.to_thread(
            self.queue.move, id, front=front, back=back, before=before, priority=priority
        )

    async def delete(self, id: str) -> bool:
        """Forget an ended job; ``False`` if there is none of that id, or it has not ended."""
        return await asyncio.to_thread(self.queue.delete, id)

    async def pause(self) -> None:
        """Start no more jobs; the running ones go on."""
        await asyncio.to_thread(self.queue.pause)

    async def resume(self) -> None:
        """Start jobs again."""
        await asyncio.to_thread(self.queue.resume)
        self.on_new_work()

    async def paused(self) -> bool:
        """Whether no jobs are started."""
        return await asyncio.to_thread(lambda: self.queue.paused)

    async def wait(self, id: str, timeout: float) -> Job | None:
        """The job once it has ended, or as it is after ``timeout`` seconds; ``None`` if there is none."""
        deadline = time.monotonic() + timeout
        while True:
            events = self.hub.subscribe(owner=None, jobs=[id])  # before the look, so that no end is missed
            try:
                job = await self.get(id)
                left = deadline - time.monotonic()
                if job is None or job.state in ENDED or left <= 0 or not await _news(events, left):
                    return job
            finally:
                events.close()

    async def prune(self) -> int:
        """Forget ended jobs and previews beyond what the settings keep; how many jobs went.

        Raises:
            StorageError: the database cannot be written.
            OSError: a preview cannot be deleted.
        """
        keep, age = self.settings.keep_jobs, self.settings.keep_seconds
        pruned = await asyncio.to_thread(self.queue.prune, keep=keep, max_age=age)
        await asyncio.to_thread(prune_files, self.settings.previews, self.settings.keep_previews)
        return pruned


async def _news(events: Subscription, seconds: float) -> bool:
    """Whether a job told of its end within some seconds, or may have told it: events were lost."""
    try:
        async with asyncio.timeout(seconds):
            async for event, _ in events:
                if event["type"] in ("job_finished", "lagged"):
                    return True
    except TimeoutError:
        return False
    return False


def _nothing() -> None:
    """Stands where no runner is."""


def _ignored(id: str) -> None:
    """Stands where no runner is."""
