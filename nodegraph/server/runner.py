"""Jobs from the queue to the workers, one after the other, whatever becomes of them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

from nodegraph.files import Folders
from nodegraph.jobs.queue import JobQueue
from nodegraph.jobs.records import EndState, Job, NewJob, StorageError
from nodegraph.server.hub import EventHub
from nodegraph.server.settings import ServerSettings
from nodegraph.worker.options import JobFolders, WorkerJob, WorkerOptions
from nodegraph.worker.supervisor import ANSWER_SECONDS, Answer, WorkerError, WorkerProcess
from nodegraph.worker.telling import failure_message

logger = logging.getLogger(__name__)

STORAGE_PAUSE = 1.0
START_PAUSE = 2.0
STATES: Mapping[str, EndState] = {"done": "done", "failed": "failed", "cancelled": "cancelled"}

ENDED_WITH_THE_SERVER = ("worker_crashed", "worker_unavailable")
"""What becomes of a job whose worker, running or just starting, is ended because the server stops."""

OnFinished = Callable[[Job], None]
Ask = Callable[[WorkerProcess, bytes], Awaitable[Answer | None]]


class Runner:
    """Claims jobs and has them run, each worker one at a time. Lives on the event loop.

    A worker is started by its first job or plan: a server that nobody uses takes half the memory.

    A job ends once: its result is written to the queue first and told afterwards. What cannot be written
    (disk full) is tried again until it can, because the job did run.
    """

    def __init__(
        self,
        queue: JobQueue,
        hub: EventHub,
        settings: ServerSettings,
        folders: Callable[[str], Folders],
        on_finished: OnFinished = lambda job: None,
    ) -> None:
        """``folders`` gives the folders of a user; ``on_finished`` is told of each job that has ended."""
        self._queue, self._hub, self._settings = queue, hub, settings
        self._folders, self._on_finished = folders, on_finished
        self._owners: dict[str, str] = {}
        self._attempts: dict[str, int] = {}
        self._workers = [WorkerProcess(_options(settings), self._tell) for _ in range(settings.workers)]
        self._news = [asyncio.Event() for _ in self._workers]
        self._tasks: list[asyncio.Task[None]] = []
        self._planning = asyncio.Lock()
        self._stopping = False

    async def start(self) -> None:
        """Let jobs run; those that a former server left off come first."""
        for job in await asyncio.to_thread(self._queue.recover):
            if job.state == "cancelled":
                self._tell_end(job)
        self._tasks = [
            asyncio.create_task(self._work(worker, news))
            for worker, news in zip(self._workers, self._news, strict=True)
        ]

    def wake(self) -> None:
        """There may be something to run."""
        for news in self._news:
            news.set()

    def cancel(self, id: str) -> None:
        """Ask a running job to stop."""
        for worker in self._workers:
            worker.cancel(id)

    @property
    def running(self) -> list[str]:
        """Ids of the jobs that run."""
        return [worker.job for worker in self._workers if worker.job is not None]

    async def ask(self, what: str, **data: Any) -> list[dict[str, Any]]:
        """What every worker answers; see ``WorkerProcess.ask``."""
        return list(await asyncio.gather(*(worker.ask(what, **data) for worker in self._workers)))

    async def plan(self, job: NewJob) -> Answer | None:
        """What a job would do now on a worker; see ``WorkerProcess.plan``. ``None`` if none answers.

        Plans are made one at a time; one that waits for others counts that as time without an answer.
        """
        return await self._planned(job, lambda worker, text: worker.plan(text))

    async def tensor(self, job: NewJob, output: str) -> Answer | None:
        """What an output of the one target of a job looks like; see ``WorkerProcess.tensor``."""
        return await self._planned(job, lambda worker, text: worker.tensor(text, output))

    async def _planned(self, job: NewJob, ask: Ask) -> Answer | None:
        text = await asyncio.to_thread(lambda: self._job(job).model_dump_json().encode())
        worker = next((worker for worker in self._workers if worker.pid), self._workers[0])
        try:
            await worker.start()
            async with asyncio.timeout(ANSWER_SECONDS), self._planning:
                return await ask(worker, text)
        except (WorkerError, OSError) as error:  # a time-out is an OSError, too
            why = str(error) or f"no answer within {ANSWER_SECONDS:g} s"
            logger.warning("the worker does not say: %s", why)
            return None

    async def stop(self) -> None:
        """Start nothing more, give what runs its time, and put back what did not end in it."""
        self._stopping = True
        self.wake()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=self._settings.stop_grace)
        await asyncio.gather(*(worker.stop(0.0) for worker in self._workers))
        for task in self._tasks:
            await task

    async def _work(self, worker: WorkerProcess, news: asyncio.Event) -> None:
        while not self._stopping:
            news.clear()
            try:
                job = await asyncio.to_thread(self._queue.claim)
                if job is None:
                    await news.wait()
                else:
                    await self._run(worker, job)
            except StorageError as error:
                logger.warning("the queue cannot be used now: %s", error)
                await asyncio.sleep(STORAGE_PAUSE)
            except Exception:
                logger.exception("the runner met something unforeseen, and goes on")
                await asyncio.sleep(STORAGE_PAUSE)

    async def _run(self, worker: WorkerProcess, job: Job) -> None:
        self._owners[job.id], self._attempts[job.id] = job.owner, job.attempts
        try:
            result = await self._result(worker, job)
            if self._stopping and (result["error"] or {}).get("code") in ENDED_WITH_THE_SERVER:
                await self._written(lambda: self._queue.interrupt(job.id))
                return
            state = STATES.get(result["status"], "failed")
            ended = await self._written(lambda: self._queue.finish(job.id, state, result))
            if ended is not None:
                await asyncio.to_thread(lambda: ended.result)  # it is read once, and may be long
                self._tell_end(ended)
        finally:
            del self._owners[job.id], self._attempts[job.id]

    async def _result(self, worker: WorkerProcess, job: Job) -> dict[str, Any]:
        try:
            task = worker.run(await asyncio.to_thread(self._job, job))
            result: dict[str, Any]
            result, _ = await asyncio.gather(task, self._cancel_if_asked(worker, job.id))
            return result
        except (WorkerError, OSError) as error:
            await asyncio.sleep(START_PAUSE)  # so that a queue of jobs does not fail in one moment
            return failure_message("worker_unavailable", str(error))

    async def _cancel_if_asked(self, worker: WorkerProcess, id: str) -> None:
        """Cancel a job that was to stop after it was claimed, but before the worker had it."""
        with suppress(StorageError):
            job = await asyncio.to_thread(self._queue.get, id)
            if job is not None and job.cancel_requested:
                worker.cancel(id)

    def _job(self, job: Job | NewJob) -> WorkerJob:
        folders = self._folders(job.owner)
        return WorkerJob(
            id=job.id,
            owner=job.owner,
            workflow=job.workflow,
            targets=job.targets,
            time_limit=job.time_limit or self._settings.time_limit,
            folders=JobFolders(
                output=folders.output.absolute(),
                temporary=(folders.temporary or self._settings.previews).absolute(),
                inputs=tuple(folder.absolute() for folder in folders.inputs),
                closed=folders.closed,
                private=folders.private,
            ),
        )

    async def _written(self, write: Callable[[], Job | None]) -> Job | None:
        while True:
            try:
                return await asyncio.to_thread(write)
            except StorageError as error:
                logger.warning("what came of a job cannot be written yet: %s", error)
                if self._stopping:  # it will run again; its results are in the cache
                    return None
                await asyncio.sleep(STORAGE_PAUSE)

    def _tell(self, event: dict[str, Any], body: bytes) -> None:
        owner = self._owners.get(event["job"])
        if owner is not None:
            if event["type"] == "job_started":
                event = {**event, "attempt": self._attempts[event["job"]]}
            self._hub.publish(owner, event, body)

    def _tell_end(self, job: Job) -> None:
        result = job.result or {}
        event = {
            "type": "job_finished",
            "job": job.id,
            "state": job.state,
            "seconds": result.get("seconds", 0.0),
            "executed": result.get("executed", 0),
            "error": result.get("error"),
        }
        self._hub.publish(job.owner, event)
        self._on_finished(job)


def _options(settings: ServerSettings) -> WorkerOptions:
    return WorkerOptions(
        cache=settings.cache.absolute(),
        plugins=settings.plugins.absolute(),
        models=tuple(folder.absolute() for folder in settings.models),
        pickles=settings.allow_pickles,
        device=settings.device,
        memory_cache=settings.memory_cache,
        disk_cache=settings.disk_cache,
        cancel_grace=settings.cancel_grace,
    )
