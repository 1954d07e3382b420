"""``/queue``: what runs and what waits."""

from __future__ import annotations

from aiohttp import web

from nodegraph.jobs.records import JobState
from nodegraph.server.routes.answers import answer, job_view
from nodegraph.server.routes.operation import Call, operation
from nodegraph.server.service import JobService
from nodegraph.server.views import PausedView, QueueView
from nodegraph.server.wire import NoBody, NoQuery

SHOWN = 100
RUNNING: tuple[JobState, ...] = ("running",)


@operation("GET", "/queue", NoQuery, NoBody, {200: QueueView})
async def get_queue(call: Call[NoQuery, NoBody]) -> web.Response:
    """What runs and what waits."""
    service, owner = call.service, call.sees
    running = await service.jobs(owner=owner, states=RUNNING, ascending=True)
    waiting = await service.waiting(owner, SHOWN)
    return answer(
        {
            "paused": await service.paused(),
            "running": [job_view(job) for job in running],
            "waiting": [job_view(job) for job in waiting],
            "counts": await service.counts(owner),
        }
    )


@operation("POST", "/queue/pause", NoQuery, NoBody, {200: PausedView}, admin=True)
async def pause_queue(call: Call[NoQuery, NoBody]) -> web.Response:
    """Start no more jobs; those that run go on. It stays so when the server is restarted."""
    await call.service.pause()
    return await _paused(call.service)


@operation("POST", "/queue/resume", NoQuery, NoBody, {200: PausedView}, admin=True)
async def resume_queue(call: Call[NoQuery, NoBody]) -> web.Response:
    """Start jobs again."""
    await call.service.resume()
    return await _paused(call.service)


async def _paused(service: JobService) -> web.Response:
    return answer({"paused": await service.paused()})
