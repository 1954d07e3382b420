"""``/jobs``: looking, waiting, cancelling, moving, forgetting."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from nodegraph.jobs.records import ACTIVE, Job
from nodegraph.server.json_text import dump_in_parts
from nodegraph.server.problems import Problem, unknown_job
from nodegraph.server.routes.answers import answer, answer_text, dump_job, job_view
from nodegraph.server.routes.operation import Call, operation
from nodegraph.server.views import CancelView, JobPage, JobView, WorkflowView
from nodegraph.server.wire import JobsQuery, MoveRequest, NoBody, NoQuery, WaitQuery


@operation("GET", "/jobs", JobsQuery, NoBody, {200: JobPage})
async def list_jobs(call: Call[JobsQuery, NoBody]) -> web.Response:
    """List jobs, the newest first."""
    query = call.query
    jobs = await call.service.jobs(
        owner=call.sees, states=query.state or None, limit=query.limit, before=query.before
    )
    more = jobs[-1].number if len(jobs) == query.limit else None
    text = await call.service.heavy(lambda: dump_in_parts({"jobs": map(job_view, jobs), "next": more}))
    return answer_text(text)


@operation("GET", "/jobs/{id}", WaitQuery, NoBody, {200: JobView}, problems=(404,))
async def get_job(call: Call[WaitQuery, NoBody]) -> web.Response:
    """Look at a job, or wait for it.

    An id that was never seen, or is another user's, gives 404 with `"state": "unknown"`.
    """
    job = await visible_job(call)
    shown = await call.service.wait(job.id, call.patience) if call.query.wait else job
    return answer_text(await call.service.heavy(dump_job, shown or job))


@operation("GET", "/jobs/{id}/workflow", NoQuery, NoBody, {200: WorkflowView}, problems=(404,))
async def get_job_workflow(call: Call[NoQuery, NoBody]) -> web.Response:
    """The workflow of a job, in this project's format."""
    job = await visible_job(call)
    return web.Response(body=job.workflow_text.encode(), content_type="application/json")


@operation("POST", "/jobs/{id}/cancel", NoQuery, NoBody, {200: CancelView}, problems=(404,))
async def cancel_job(call: Call[NoQuery, NoBody]) -> web.Response:
    """Stop a job.

    One that waits is cancelled at once. One that runs stops soon: its state is `running` until then. One
    that has ended stays as it is.
    """
    job = await visible_job(call)
    state = await call.service.cancel(job.id)
    if state is None:
        raise unknown_job(job.id)
    return answer({"id": job.id, "state": state})


@operation(
    "POST", "/jobs/{id}/move", NoQuery, MoveRequest, {200: JobView}, problems=(404, 409, 413, 415, 422)
)
async def move_job(call: Call[NoQuery, MoveRequest]) -> web.Response:
    """Move a waiting job to another place of the queue."""
    job = await visible_job(call)
    if call.body.before is not None:
        await _visible(call, call.body.before)
    moved = await call.service.move(job.id, **call.body.model_dump())
    if moved is None:
        raise unknown_job(job.id)
    return answer(job_view(moved))


@operation("DELETE", "/jobs/{id}", NoQuery, NoBody, {204: ""}, problems=(404, 409))
async def delete_job(call: Call[NoQuery, NoBody]) -> web.Response:
    """Forget a job that has ended; the files it wrote stay."""
    job = await visible_job(call)
    if job.state in ACTIVE or not await call.service.delete(job.id):
        raise Problem(409, "conflict", f"job {job.id} is {job.state}; cancel it first", state=job.state)
    return web.Response(status=204)


async def visible_job(call: Call[Any, Any]) -> Job:
    """The job that the path names.

    Raises:
        Problem: there is none, or it is another user's.
    """
    return await _visible(call, call.part("id"))


async def _visible(call: Call[Any, Any], id: str) -> Job:
    job = await call.service.get(id)
    if job is None or call.sees not in (None, job.owner):
        raise unknown_job(id)
    return job
