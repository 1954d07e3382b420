"""``/events`` and ``/jobs/{id}/events``: what happens, as it happens."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import contextmanager
from typing import Any

from aiohttp import web

from nodegraph.jobs.records import ENDED, Job
from nodegraph.server import keys
from nodegraph.server.hub import Subscription
from nodegraph.server.problems import Problem
from nodegraph.server.routes.answers import with_urls
from nodegraph.server.routes.jobs import visible_job
from nodegraph.server.routes.operation import Call, Header, operation
from nodegraph.server.routes.streams import HEADERS, Item, serve_stream
from nodegraph.server.service import JobService
from nodegraph.server.wire import BIGGEST, WHOLE, EventsQuery, NoBody

LAST_EVENT_ID = Header(
    "Last-Event-ID",
    "The `id` of the last event that was seen; browsers send it by themselves.",
    {"type": "integer", "minimum": 0, "maximum": BIGGEST},
)
STREAM = {200: HEADERS["Content-Type"], 101: ""}


@operation("GET", "/events", EventsQuery, NoBody, STREAM, headers=(LAST_EVENT_ID,))
async def follow_events(call: Call[EventsQuery, NoBody]) -> web.StreamResponse:
    """Follow all jobs.

    Server-Sent Events, or a WebSocket where the client asks for one.
    """
    after = _after(call)
    with _subscribed(call, after) as subscription:
        heartbeat = call.service.settings.heartbeat
        return await serve_stream(call.request, subscription, _addressed(subscription), heartbeat)


@operation("GET", "/jobs/{id}/events", EventsQuery, NoBody, STREAM, headers=(LAST_EVENT_ID,), problems=(404,))
async def follow_job(call: Call[EventsQuery, NoBody]) -> web.StreamResponse:
    """Follow one job to its end.

    It begins with the events of the job that are still known, and ends after `job_finished`.
    """
    job = await visible_job(call)
    after = _after(call)
    with _subscribed(call, after or 0, [job.id]) as subscription:
        items = _to_the_end(subscription, job.id, call.service, resumed=after is not None)
        heartbeat = call.service.settings.heartbeat
        return await serve_stream(call.request, subscription, _addressed(items), heartbeat)


@contextmanager
def _subscribed(
    call: Call[EventsQuery, NoBody], after: int | None, jobs: Collection[str] | None = None
) -> Iterator[Subscription]:
    """A subscription while the block lasts; it counts as one of the streams that a user may hold open."""
    with call.app[keys.STREAMS].held_by(call.user.name):
        subscription = call.app[keys.HUB].subscribe(owner=call.sees, jobs=jobs, after=after)
        try:
            yield subscription
        finally:
            subscription.close()


async def _addressed(items: AsyncIterator[Item]) -> AsyncIterator[Item]:
    """The events, with an address for each file of an output."""
    async for event, body in items:
        outputs = event.get("outputs")
        yield ({**event, "outputs": with_urls(outputs)} if outputs else event), body


def _after(call: Call[EventsQuery, NoBody]) -> int | None:
    given = call.request.headers.get(LAST_EVENT_ID.name)
    if call.query.after is not None or not given:
        return call.query.after
    if not WHOLE.fullmatch(given) or not 0 <= int(given) <= BIGGEST:
        raise Problem(400, "invalid_request", f"Last-Event-ID must be the id of an event, not {given[:40]!r}")
    return int(given)


async def _to_the_end(
    items: Subscription, id: str, service: JobService, *, resumed: bool
) -> AsyncIterator[Item]:
    """The events of a job up to its end, which is told even where its event is forgotten.

    A gap is news only to a client that has seen earlier events.
    """
    job = await service.get(id)
    if job is not None and job.state in ENDED:
        items.close()  # nothing will come any more; what is remembered waits already
    async for event, body in items:
        if event["type"] != "gap" or resumed:
            yield event, body
        if event["type"] == "job_finished":
            return
    if job is not None and job.state in ENDED and not resumed:
        yield _end_of(job), b""


def _end_of(job: Job) -> dict[str, Any]:
    """The event that told the end of a job, for those who ask when it is forgotten."""
    result = job.result or {}
    return {
        "type": "job_finished",
        "job": job.id,
        "state": job.state,
        "time": job.finished,
        "seconds": result.get("seconds", 0.0),
        "executed": result.get("executed", 0),
        "error": result.get("error"),
    }
