"""``/queue`` and ``/interrupt``: what waits, what runs, and taking it back."""

from __future__ import annotations

from collections.abc import Iterable

from aiohttp import web

from nodegraph.jobs.records import Job, JobState
from nodegraph.server.comfy.records import queue_item
from nodegraph.server.comfy.requests import json_object, member, names, switch
from nodegraph.server.json_text import dump_in_parts
from nodegraph.server.keys import SERVICE, user_of
from nodegraph.server.routes.answers import answer_text

RUNNING: tuple[JobState, ...] = ("running",)
MAX_RUNNING = 1000


async def get_queue(request: web.Request) -> web.Response:
    """The user's prompts that run and that wait, in the order in which they will run."""
    running, waiting = await active_jobs(request)
    shown = {"queue_running": map(queue_item, running), "queue_pending": map(queue_item, waiting)}
    return answer_text(await request.app[SERVICE].heavy(dump_in_parts, shown))


async def active_jobs(request: web.Request) -> tuple[list[Job], list[Job]]:
    """The user's jobs that run, and those that wait."""
    service, owner = request.app[SERVICE], user_of(request).name
    running = await service.jobs(owner=owner, states=RUNNING, limit=MAX_RUNNING, ascending=True)
    return running, await service.waiting(owner)


async def post_queue(request: web.Request) -> web.Response:
    """``{"clear": true}`` takes back everything that waits, ``{"delete": [ids]}`` some of it."""
    body = await json_object(request)
    clear, named = switch(body, "clear"), set(names(body, "delete"))
    if clear:
        await request.app[SERVICE].cancel_waiting(user_of(request).name)
    elif named:
        _, waiting = await active_jobs(request)
        await cancel(request, [job for job in waiting if job.id in named])
    return web.json_response({})


async def post_interrupt(request: web.Request) -> web.Response:
    """Stop what runs: one prompt where ``prompt_id`` names it, else all of the user's."""
    wanted = member(await json_object(request), "prompt_id", str, "an id")
    running, _ = await active_jobs(request)
    await cancel(request, [job for job in running if not wanted or job.id == wanted])
    return web.json_response({})


async def cancel(request: web.Request, jobs: Iterable[Job]) -> None:
    """Cancel jobs that were seen to be the user's."""
    for job in jobs:
        await request.app[SERVICE].cancel(job.id)
