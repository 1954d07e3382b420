"""``/api/jobs``: queue and history as one list."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from nodegraph.jobs.records import ENDED, Job, JobState
from nodegraph.server.comfy.history import MAX_ITEMS, own_job
from nodegraph.server.comfy.queue import cancel
from nodegraph.server.comfy.records import (
    execution_error,
    history_entry,
    job_outputs,
    milliseconds,
    number_of,
    prompt_of,
)
from nodegraph.server.comfy.requests import BadRequestError, json_object, names, whole_number
from nodegraph.server.json_text import dump_in_parts
from nodegraph.server.keys import SERVICE, user_of
from nodegraph.server.routes.answers import answer_text

STATUS: dict[JobState, str] = {
    "queued": "pending",
    "interrupted": "pending",
    "running": "in_progress",
    "done": "completed",
    "failed": "failed",
    "cancelled": "cancelled",
}
CREATED, DURATION = "created_at", "execution_duration"
SHOWN_FIRST = ("videos", "images", "audio")


async def get_jobs(request: web.Request) -> web.Response:
    """The user's jobs; filtered by ``status`` and ``workflow_id``, sorted, in pages."""
    limit = whole_number(request, "limit", MAX_ITEMS, at_least=1)
    offset = whole_number(request, "offset", 0)
    page, total = await _page(request, offset, min(limit, MAX_ITEMS))
    more = offset + len(page) < total
    about = {"offset": offset, "limit": limit, "total": total, "has_more": more}
    shown = {"jobs": map(summary, page), "pagination": about}
    return answer_text(await request.app[SERVICE].heavy(dump_in_parts, shown))


async def _page(request: web.Request, offset: int, limit: int) -> tuple[list[Job], int]:
    """Some of the jobs that are asked for, and how many there are."""
    service, owner = request.app[SERVICE], user_of(request).name
    states, workflow = _states(request), request.query.get("workflow_id")
    by, descending = _order(request)
    if by == CREATED and workflow is None:  # the queue can do that without reading them all
        ascending = not descending
        found = await service.jobs(owner=owner, states=states, limit=offset + limit, ascending=ascending)
        counts = await service.counts(owner)
        return found[offset:], sum(counts.get(state, 0) for state in states)
    found = await service.jobs(owner=owner, states=states, limit=MAX_ITEMS)
    found = [job for job in found if workflow in (None, workflow_id(job))]
    found.sort(key=_duration if by == DURATION else _created, reverse=descending)
    return found[offset : offset + limit], len(found)


async def get_job(request: web.Request) -> web.Response:
    """All about one job."""
    job = await own_job(request, request.match_info["job_id"])
    if job is None:
        return _unknown()
    entry = history_entry(job)
    more = {
        "outputs": entry["outputs"],
        "execution_status": entry["status"] if job.state in ENDED else None,
        "workflow": {"prompt": prompt_of(job), "extra_data": job.extra.get("extra_data", {})},
    }
    return web.json_response({**summary(job), **more})


async def cancel_job(request: web.Request) -> web.Response:
    """Cancel a job, whether it waits or runs; nothing happens to one that has ended."""
    job = await own_job(request, request.match_info["job_id"])
    active = job is not None and job.state not in ENDED
    if job and active:
        await cancel(request, [job])
    return web.json_response({"cancelled": active})


async def cancel_jobs(request: web.Request) -> web.Response:
    """Cancel several jobs; none at all if one of them is not known."""
    jobs = [await own_job(request, id) for id in names(await json_object(request), "job_ids")]
    known = [job for job in jobs if job is not None]
    if len(known) < len(jobs):
        return _unknown()
    active = [job for job in known if job.state not in ENDED]
    await cancel(request, active)
    return web.json_response({"cancelled": bool(active)})


def _unknown() -> web.Response:
    return web.json_response({"error": "Job not found"}, status=404)


def _states(request: web.Request) -> list[JobState]:
    known = sorted(set(STATUS.values()))
    wanted = {name.strip().lower() for name in request.query.get("status", "").split(",") if name.strip()}
    if not wanted <= set(known):
        unknown = ", ".join(sorted(wanted.difference(known)))
        raise BadRequestError("invalid_request", f"unknown status {unknown}; there are: {', '.join(known)}")
    return [state for state, name in STATUS.items() if name in (wanted or known)]


def _order(request: web.Request) -> tuple[str, bool]:
    by, order = request.query.get("sort_by", CREATED), request.query.get("sort_order", "desc")
    if by not in (CREATED, DURATION) or order not in ("asc", "desc"):
        raise BadRequestError(
            "invalid_request", f"sort_by is {CREATED} or {DURATION}, sort_order is asc or desc"
        )
    return by, order == "desc"


def _created(job: Job) -> float:
    return job.number


def _duration(job: Job) -> float:
    return (job.finished or 0.0) - job.started if job.started is not None and job.finished else 0.0


def workflow_id(job: Job) -> str | None:
    """The id of the editor's workflow that a client sent along."""
    info = job.extra.get("extra_data", {}).get("extra_pnginfo")
    workflow = info.get("workflow") if isinstance(info, dict) else None
    return workflow.get("id") if isinstance(workflow, dict) else None


def summary(job: Job) -> dict[str, Any]:
    """What the list tells of a job; what is not known is left out."""
    outputs = list(_files(job))
    found = {
        "id": job.id,
        "status": STATUS[job.state],
        "priority": number_of(job),
        "create_time": milliseconds(job.created),
        "execution_start_time": milliseconds(job.started) or None,
        "execution_end_time": milliseconds(job.finished) if job.started else None,
        "execution_error": execution_error(job) if job.state == "failed" else None,
        "outputs_count": len(outputs),
        "preview_output": min(outputs, key=_importance, default=None),
        "workflow_id": workflow_id(job),
    }
    return {name: value for name, value in found.items() if value is not None}


def _files(job: Job) -> list[dict[str, Any]]:
    return [
        {**item, "nodeId": node, "mediaType": kind}
        for node, output in job_outputs(job).items()
        for kind, items in output.items()
        for item in items
        if isinstance(item, dict) and "filename" in item
    ]


def _importance(file: dict[str, Any]) -> tuple[bool, int]:
    kind = file["mediaType"]
    rank = SHOWN_FIRST.index(kind) if kind in SHOWN_FIRST else len(SHOWN_FIRST)
    return file["type"] != "output", rank
