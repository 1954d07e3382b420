"""The server's side of a worker: it is started, watched, asked to stop, killed and started anew."""

from __future__ import annotations

import asyncio
import itertools
import logging
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from typing import IO, Any

from nodegraph.errors import NodeGraphError
from nodegraph.worker import frames
from nodegraph.worker.marks import SIZE, RunningMarks
from nodegraph.worker.options import WorkerJob, WorkerOptions
from nodegraph.worker.telling import failure_message

logger = logging.getLogger(__name__)

ANSWER_SECONDS = 10.0
TOLD_AT_ONCE = 10
"""Events told, perhaps to hundreds, before the event loop looks at its other work."""

OnEvent = Callable[[dict[str, Any], bytes], None]
Answer = tuple[dict[str, Any], bytes]


class WorkerError(NodeGraphError):
    """A worker could not be started."""


class WorkerProcess:
    """One child process that runs one job at a time. Lives on the event loop.

    Attributes:
        options: what its engine is made of.
        job: id of the job that runs, or ``None``.
    """

    def __init__(self, options: WorkerOptions, on_event: OnEvent) -> None:
        """``on_event`` is given each event, with ``job`` in it, and the bytes that go with it."""
        self.options = options
        self.job: str | None = None
        self._on_event = on_event
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._result: asyncio.Future[dict[str, Any]] | None = None
        self._answers: dict[int, asyncio.Future[Answer | None]] = {}
        self._numbers = itertools.count()
        self._marks: RunningMarks | None = None
        self._cancelled = False
        self._killer: asyncio.TimerHandle | None = None
        self._starting = asyncio.Lock()

    @property
    def pid(self) -> int | None:
        """Its process id, while it lives."""
        alive = self._process is not None and self._process.returncode is None
        return self._process.pid if self._process is not None and alive else None

    async def start(self) -> None:
        """Start the process unless it runs, and wait until it is ready.

        Raises:
            WorkerError: it ended before, or took too long.
        """
        async with self._starting:
            if self.pid is None or self._reader is None or self._reader.done():
                await self._start()

    async def _start(self) -> None:
        await self._kill()
        marks = _shared_file()
        self._marks = RunningMarks(marks.fileno()) if marks else None
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "nodegraph.worker",
            *([str(marks.fileno())] if marks else []),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=1 << 20,
            pass_fds=(marks.fileno(),) if marks else (),
        )
        if marks:
            marks.close()
        await self._send({"type": "options"}, self.options.model_dump_json().encode())
        try:
            async with asyncio.timeout(self.options.start_seconds):
                ready = await frames.read_async(self._stdout)
        except (TimeoutError, frames.BrokenStreamError):
            ready = None
        if ready is None:
            await self._kill()
            raise WorkerError(f"the worker did not start: {_fate(self._process.returncode)}; see the log")
        self._reader = asyncio.create_task(self._read())

    @property
    def _stdout(self) -> asyncio.StreamReader:
        assert self._process is not None and self._process.stdout is not None
        return self._process.stdout

    async def _send(self, message: frames.Message, body: bytes = b"") -> None:
        assert self._process is not None and self._process.stdin is not None
        with suppress(ConnectionError):  # the reader tells of its end
            self._process.stdin.write(frames.encode(message, body))
            await self._process.stdin.drain()

    async def run(self, job: WorkerJob) -> dict[str, Any]:
        """Run one job; whatever becomes of it, the result says so. See ``Job.result``.

        Its ``waited`` are the seconds until the process was there, which ``seconds`` does not count.

        Raises:
            WorkerError: the process could not be started.
        """
        self.job, self._cancelled, self._late = job.id, False, False
        began = time.monotonic()
        try:
            await self.start()
            waited = round(time.monotonic() - began, 6)
            if self._cancelled:
                text = "the job was cancelled before it began"
                return {**failure_message("cancelled", text, status="cancelled"), "waited": waited}
            return {**await self._run(job), "waited": waited}
        finally:
            self.job = None

    async def _run(self, job: WorkerJob) -> dict[str, Any]:
        if self._marks:
            self._marks.write(())
        self._result = asyncio.get_running_loop().create_future()
        timer = None
        if job.time_limit is not None:
            timer = asyncio.get_running_loop().call_later(job.time_limit, self._time_is_up)
        try:
            await self._send({"type": "run", "job": job.id}, job.model_dump_json().encode())
            return self._judged(await self._result, job)
        finally:
            self._result = None
            for handle in (timer, self._killer):
                if handle is not None:
                    handle.cancel()
            self._killer = None

    def _judged(self, result: dict[str, Any], job: WorkerJob) -> dict[str, Any]:
        if self._late and result["status"] != "done":
            text = f"the job took longer than its limit of {job.time_limit:g} s{self._where()}"
            return {**result, "status": "failed", "error": {"code": "time_limit", "message": text}}
        crashed = (result["error"] or {}).get("code") == "worker_crashed"
        if self._cancelled and crashed:
            text = f"the job did not stop by itself and its process was ended{self._where()}"
            return {**result, "status": "cancelled", "error": {"code": "killed", "message": text}}
        return result

    def _where(self) -> str:
        names = ", ".join(self._marks.read()) if self._marks else ""
        return f" while it ran {names}" if names else ""

    def _time_is_up(self) -> None:
        self._late = True
        self._stop_soon()

    def cancel(self, id: str) -> None:
        """Ask a running job to stop; its process is killed if it does not within the grace."""
        if id == self.job:
            self._cancelled = True
            self._stop_soon()

    def _stop_soon(self) -> None:
        if self._result is not None:  # else the process is being started, and the job does not begin
            task = asyncio.ensure_future(self._send({"type": "cancel", "job": self.job}))
            task.add_done_callback(lambda done: done.exception())
            if self._killer is None:
                loop = asyncio.get_running_loop()
                self._killer = loop.call_later(self.options.cancel_grace, self.kill)

    def kill(self) -> None:
        """End the process at once; a job that runs is told to have crashed."""
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.kill()

    async def _kill(self) -> None:
        self.kill()
        if self._process is not None:
            await self._process.wait()
        if self._reader is not None:
            await asyncio.wait([self._reader])

    async def _read(self) -> None:
        """Take what the process sends until it ends."""
        assert self._process is not None
        try:
            while (message := await frames.read_async(self._stdout)) is not None:
                await self._take(*message)
        except (frames.BrokenStreamError, ValueError) as error:
            logger.warning("the worker sent what cannot be read: %s", error)
            self.kill()
        code = await self._process.wait()
        self._over(_fate(code))

    async def _take(self, message: frames.Message, body: bytes) -> None:
        if message["type"] == "events":
            for count, event in enumerate(message["events"], 1):
                self._on_event({**event, "job": message["job"]}, body)
                if count % TOLD_AT_ONCE == 0:
                    await asyncio.sleep(0)
        elif message["type"] == "result":
            if self._result is not None and not self._result.done() and message["job"] == self.job:
                self._result.set_result(message["result"])
        elif message["type"] == "answer":
            answer = self._answers.get(message["number"])
            if answer is not None and not answer.done():
                answer.set_result((message["data"], body))

    def _over(self, fate: str) -> None:
        for answer in self._answers.values():
            if not answer.done():
                answer.set_result(None)
        if self._result is not None and not self._result.done():
            text = f"the process that ran the job ended: {fate}{self._where()}"
            self._result.set_result(failure_message("worker_crashed", text))

    async def ask(self, what: str, **data: Any) -> dict[str, Any]:
        """Ask the process something (``memory``), or to do something (``free``); empty without an answer."""
        answer = await self._asked(what, b"", **data)
        return answer[0] if answer else {}

    async def plan(self, job: bytes) -> Answer | None:
        """What a job would do now.

        Args:
            job: a ``WorkerJob`` as JSON.

        Returns:
            The plan as JSON text with an empty message, or an empty text with ``refused``; see
            ``plan_message`` and ``refusal_message``. ``None`` if the process does not answer in time.
        """
        return await self._asked("plan", job)

    async def tensor(self, job: bytes, output: str) -> Answer | None:
        """What an output of the one target of a job looks like, where that is kept.

        Args:
            job: a ``WorkerJob`` as JSON.
            output: the name of the output.

        Returns:
            As for ``plan``, with the text of ``tensor_message``; ``null`` where there is none.
        """
        return await self._asked("tensor", job, output=output)

    async def _asked(self, what: str, body: bytes, **data: Any) -> Answer | None:
        if self.pid is None:
            return None
        number = next(self._numbers)
        answer: asyncio.Future[Answer | None] = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._send({"type": what, "number": number, **data}, body)
                return await answer
        except TimeoutError:
            return None
        finally:
            self._answers.pop(number, None)

    async def stop(self, grace: float) -> bool:
        """End the process.

        Returns:
            Whether nothing ran, or what ran ended within ``grace`` seconds; otherwise it was killed.
        """
        ended = True
        if self._result is not None:
            done, _ = await asyncio.wait([self._result], timeout=grace)
            ended = bool(done)
        await self._kill()
        return ended


def _shared_file() -> IO[bytes] | None:
    """A file for ``RunningMarks`` that has no name; ``None`` where a process cannot inherit one."""
    if sys.platform == "win32":
        return None
    file = tempfile.TemporaryFile()  # noqa: SIM115 - it is closed once the process has it
    file.truncate(SIZE)
    return file


def _fate(code: int | None) -> str:
    if code is None:
        return "it does not answer"
    if code >= 0:
        return f"it left with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"it was ended by {name}"
