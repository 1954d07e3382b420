"""``POST /jobs`` and ``POST /jobs/batch``."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from aiohttp import web

from nodegraph.errors import ValidationError, WorkflowError, errors_among
from nodegraph.hints import bounded_hints
from nodegraph.jobs.records import Job, NewJob
from nodegraph.server.checking import Checked
from nodegraph.server.problems import Problem
from nodegraph.server.routes.answers import answer, answer_text, dump_job, job_url, job_view
from nodegraph.server.routes.operation import Call, Header, operation
from nodegraph.server.service import JobService
from nodegraph.server.summary import summary_of
from nodegraph.server.views import BatchView, JobView
from nodegraph.server.wire import BatchRequest, JobOptions, NoQuery, SubmitRequest, WaitQuery
from nodegraph.workflow.overrides import with_overrides
from nodegraph.workflow.sources import workflow_of_any_format

KEY = "[!-~]{1,200}"
IDEMPOTENCY_KEY = Header(
    "Idempotency-Key",
    "Any text of your own, up to 200 characters without spaces. A request that is sent again with the "
    "same key queues nothing new and answers with the job of the first one.",
    {"type": "string", "pattern": f"^{KEY}$"},
)
REFUSALS = (409, 413, 415, 422, 429)


@operation(
    "POST",
    "/jobs",
    WaitQuery,
    SubmitRequest,
    {201: JobView, 200: JobView},
    problems=REFUSALS,
    headers=(IDEMPOTENCY_KEY,),
)
async def submit_job(call: Call[WaitQuery, SubmitRequest]) -> web.Response:
    """Queue a job.

    The workflow is validated first; what is wrong comes back all at once, and nothing is queued. The
    answer is 200 where the `Idempotency-Key` was used before, with the job of that time.
    """
    new = await call.service.heavy(_single, call.service, _new_job(call, call.body, call.body.workflow))
    [job] = await call.service.submit([new], checked=True)
    repeated = await call.service.heavy(_was_repeated, job, new)
    shown = await call.service.wait(job.id, call.patience) if call.query.wait else job
    text = await call.service.heavy(dump_job, shown or job)
    return answer_text(text, 200 if repeated else 201, {"Location": job_url(job.id)})


@operation(
    "POST",
    "/jobs/batch",
    NoQuery,
    BatchRequest,
    {201: BatchView, 200: BatchView},
    problems=REFUSALS,
    headers=(IDEMPOTENCY_KEY,),
)
async def submit_batch(call: Call[NoQuery, BatchRequest]) -> web.Response:
    """Queue one workflow several times, with other inputs each time.

    All are validated before any is queued, and all are queued, or none.
    """
    limit = call.service.settings.max_batch
    if len(call.body.variants) > limit:
        raise Problem(422, "invalid_request", f"variants: this server takes up to {limit} jobs in a batch")
    first = _new_job(call, call.body, call.body.workflow)
    new = await call.service.heavy(_batch, call.service, first, call.body.variants)
    jobs = await call.service.submit(new, checked=True)
    repeated = [_was_repeated(job, asked) for job, asked in zip(jobs, new, strict=True)]
    return answer({"jobs": [job_view(job) for job in jobs]}, 200 if all(repeated) else 201)


def _new_job(call: Call[Any, Any], options: JobOptions, document: dict[str, Any]) -> NewJob:
    return NewJob(
        owner=call.user.name,
        workflow=document,
        targets=None if options.targets is None else tuple(options.targets),
        priority=options.priority,
        front=options.front,
        label=options.label,
        idempotency_key=_idempotency_key(call.request),
        webhook=options.webhook,
        time_limit=_time_limit(options.time_limit, call.service),
    )


def _time_limit(asked: float | None, service: JobService) -> float | None:
    longest = service.settings.max_time_limit
    if asked is not None and asked > longest:
        raise Problem(
            422, "invalid_request", f"time_limit: this server gives a job up to {longest:g} seconds"
        )
    return asked or service.settings.time_limit


def _idempotency_key(request: web.Request) -> str | None:
    key = request.headers.get(IDEMPOTENCY_KEY.name)
    if key is not None and not re.fullmatch(KEY, key):
        raise Problem(
            400, "invalid_request", f"Idempotency-Key must be 1 to 200 characters, not {key[:40]!r}"
        )
    return key


def _single(service: JobService, job: NewJob) -> NewJob:
    checked = service.check(job.workflow, owner=job.owner, targets=job.targets).or_raise()
    return replace(job, workflow=checked.document, summary=summary_of(checked, job.targets))


def _batch(service: JobService, first: NewJob, variants: Sequence[dict[str, Any]]) -> list[NewJob]:
    """A job for each variant; what is wrong with any of them is told at once."""
    workflow = workflow_of_any_format(first.workflow, service.registry)
    jobs, issues = [], []
    with bounded_hints():
        for number, values in enumerate(variants):
            try:
                changed = with_overrides(workflow, values)
            except WorkflowError as error:
                raise WorkflowError(f"variants[{number}]: {error}") from None
            checked = service.checker.check_workflow(changed, first.owner, first.targets)
            issues += errors_among(checked.issues)
            jobs.append(_variant(first, checked, number, len(variants)))
    if issues:
        raise ValidationError(list(dict.fromkeys(issues)))
    return jobs


def _variant(first: NewJob, checked: Checked, number: int, count: int) -> NewJob:
    key = first.idempotency_key and f"{first.idempotency_key} {number}/{count}"
    own = NewJob(owner=first.owner, workflow=checked.document, summary=summary_of(checked, first.targets))
    return replace(first, id=own.id, workflow=own.workflow, summary=own.summary, idempotency_key=key)


def _was_repeated(job: Job, asked: NewJob) -> bool:
    """Whether a job is that of an earlier request with the same key.

    Raises:
        Problem: that request asked for something else.
    """
    if job.id == asked.id:
        return False
    fields = ("workflow", "targets", "priority", "label", "webhook", "time_limit")
    if any(_plain(getattr(job, name)) != _plain(getattr(asked, name)) for name in fields):
        text = "the Idempotency-Key was used before, for another request; use a new key for each request"
        raise Problem(409, "idempotency_conflict", text, job=job.id)
    return True


def _plain(value: Any) -> str:
    """A value as it is once it was stored: links are lists then."""
    return json.dumps(value, sort_keys=True)
