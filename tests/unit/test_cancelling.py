"""A job that is cancelled while its process starts does not begin."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from nodegraph.worker.options import JobFolders, WorkerJob, WorkerOptions
from nodegraph.worker.supervisor import WorkerProcess


class Starting(WorkerProcess):
    """A worker whose process takes until ``ready`` to start, and is given nothing to do."""

    def __init__(self, options: WorkerOptions) -> None:
        super().__init__(options, lambda event, body: None)
        self.ready = asyncio.Event()

    async def start(self) -> None:
        await self.ready.wait()

    async def _send(self, message: Any, body: bytes = b"") -> None:
        raise AssertionError(f"it was sent {message}")


def test_a_job_cancelled_while_its_process_starts_does_not_begin(tmp_path: Path) -> None:
    async def cancelled() -> dict[str, Any]:
        worker = Starting(WorkerOptions(cache=tmp_path, plugins=tmp_path))
        job = WorkerJob(
            id="a",
            owner="me",
            workflow={},
            folders=JobFolders(output=tmp_path, temporary=tmp_path, inputs=()),
        )
        running = asyncio.create_task(worker.run(job))
        await asyncio.sleep(0)
        worker.cancel("a")
        worker.ready.set()
        result = await running
        assert worker.job is None
        return result

    result = asyncio.run(cancelled())
    assert (result["status"], result["executed"]) == ("cancelled", 0)
    assert "before it began" in result["error"]["message"]
