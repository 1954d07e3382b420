"""``/history``: the prompts that have ended."""

from __future__ import annotations

from aiohttp import web

from nodegraph.jobs.records import ENDED, Job
from nodegraph.server.comfy.records import history_entry
from nodegraph.server.comfy.requests import json_object, names, switch, whole_number
from nodegraph.server.json_text import dump_in_parts
from nodegraph.server.keys import SERVICE, user_of
from nodegraph.server.routes.answers import answer_text

PAGE = 500
MAX_ITEMS = 10_000


async def get_history(request: web.Request) -> web.Response:
    """The user's prompts that have ended, oldest first.

    ``max_items`` asks for the newest ones; with ``offset``, for those after so many of the oldest.
    """
    limit = whole_number(request, "max_items", MAX_ITEMS, at_least=-1)
    offset = whole_number(request, "offset", -1, at_least=-1)
    limit = MAX_ITEMS if limit < 0 else min(limit, MAX_ITEMS)
    jobs = await ended_jobs(request, limit if offset < 0 else MAX_ITEMS)
    oldest_first = jobs[::-1]
    shown = oldest_first if offset < 0 else oldest_first[offset : offset + limit]
    return answer_text(await request.app[SERVICE].heavy(_dump_history, shown))


def _dump_history(jobs: list[Job]) -> bytes:
    """An object of one entry for each job; see ``dump_in_parts``."""
    return b"{%s}" % b",".join(dump_in_parts({job.id: history_entry(job)})[1:-1] for job in jobs)


async def get_one(request: web.Request) -> web.Response:
    """One prompt that has ended; an empty object for any other."""
    job = await own_job(request, request.match_info["prompt_id"])
    found = job is not None and was_run(job)
    return web.json_response({job.id: history_entry(job)} if job and found else {})


async def post_history(request: web.Request) -> web.Response:
    """``{"clear": true}`` forgets all prompts that have ended, ``{"delete": [ids]}`` some of them."""
    body = await json_object(request)
    clear, named = switch(body, "clear"), names(body, "delete")
    if clear:
        await _clear(request)
    for id in named:
        job = await own_job(request, id)
        if job is not None:
            await request.app[SERVICE].delete(job.id)
    return web.json_response({})


async def own_job(request: web.Request, id: str) -> Job | None:
    """A job of the user who asks; another's is as unknown as one that never was."""
    job = await request.app[SERVICE].get(id)
    return job if job is not None and job.owner == user_of(request).name else None


def was_run(job: Job) -> bool:
    """Whether a job has ended, and not merely been taken back before it began."""
    return job.state in ENDED and job.started is not None


async def ended_jobs(request: web.Request, limit: int) -> list[Job]:
    """The user's jobs that have run and ended, newest first."""
    service, owner = request.app[SERVICE], user_of(request).name
    found: list[Job] = []
    before: int | None = None
    while len(found) < limit:
        page = await service.jobs(owner=owner, states=ENDED, limit=PAGE, before=before)
        found += filter(was_run, page)
        if len(page) < PAGE:
            break
        before = page[-1].number
    return found[:limit]


async def _clear(request: web.Request) -> None:
    service, owner = request.app[SERVICE], user_of(request).name
    while page := await service.jobs(owner=owner, states=ENDED, limit=PAGE):
        for job in page:
            await service.delete(job.id)
