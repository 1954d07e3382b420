"""Carries the events of all jobs to the ComfyUI clients that sent them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from typing import Any

from aiohttp import web

from nodegraph.jobs.records import ENDED, Job
from nodegraph.server.comfy.clients import Client, Clients
from nodegraph.server.comfy.feed import JobFeed
from nodegraph.server.comfy.prompt import queue_status
from nodegraph.server.comfy.records import Message, prompt_of
from nodegraph.server.comfy.user_settings import PREVIEW_METHOD, UserSettings
from nodegraph.server.keys import HUB, SERVICE, SETTINGS

logger = logging.getLogger(__name__)

NO_PREVIEWS = ("none", "default", None)


class Relay:
    """One subscription to every job, so that a client that connects late hears the rest of its job.

    Attributes:
        clients: who listens.
    """

    def __init__(self, app: web.Application) -> None:
        self.clients = Clients()
        self._app = app
        self._feeds: dict[str, JobFeed] = {}

    async def run(self) -> None:
        """Relay until cancelled; an event that cannot be told is logged, and the next one follows."""
        after: int | None = None
        while True:
            subscription = self._app[HUB].subscribe(owner=None, after=after)
            try:
                async for event, body in subscription:
                    after = event.get("id", after)
                    await self._relay_safely(event, body)
            finally:
                subscription.close()

    async def _relay_safely(self, event: Mapping[str, Any], body: bytes) -> None:
        try:
            await self._relay(event, body)
        except Exception:
            logger.exception("event %s of job %s was not told", event.get("type"), event.get("job"))

    async def _relay(self, event: Mapping[str, Any], body: bytes) -> None:
        id, type = event.get("job"), event["type"]
        if type == "gap":
            await self._end_what_ended()
        if not isinstance(id, str):
            return
        if type in ("job_queued", "job_started", "job_finished"):
            job = await self._app[SERVICE].get(id)
            if job is not None:
                await getattr(self, f"_{type}")(job)
        elif id in self._feeds:
            feed = self._feeds[id]
            self.clients.tell(feed.owner, feed.client, feed.node_event(event, body))

    async def _job_queued(self, job: Job) -> None:
        await self.tell_status(job.owner)

    async def _job_started(self, job: Job) -> None:
        if job.client:
            await asyncio.to_thread(prompt_of, job)  # it is read once, and may be long
            feed = self._feeds[job.id] = JobFeed(job, previews=await self._wants_previews(job))
            self.clients.tell(job.owner, job.client, feed.start(job))
        await self.tell_status(job.owner)

    async def _job_finished(self, job: Job) -> None:
        feed = self._feeds.pop(job.id, None)
        ran = bool(job.client) and job.started is not None
        if ran:
            self.clients.tell(job.owner, job.client, feed.end(job) if feed else _whole(job))
        await self.tell_status(job.owner)
        if ran:
            self.clients.tell(job.owner, job.client, [("executing", {"node": None, "prompt_id": job.id})])

    async def _end_what_ended(self) -> None:
        """Events were lost; among them may have been the ends of jobs."""
        for id in list(self._feeds):
            job = await self._app[SERVICE].get(id)
            if job is None:
                del self._feeds[id]
            elif job.state in ENDED:
                await self._job_finished(job)

    async def tell_status(self, owner: str) -> None:
        """Tell a user's clients how much waits."""
        clients = list(self.clients.of(owner))
        if clients:
            status = await queue_status(self._app, owner)
            for client in clients:
                client.tell(("status", {"status": status}))

    async def _wants_previews(self, job: Job) -> bool:
        """Whether previews go to clients that said nothing about them.

        As in ComfyUI they do not unless the prompt, or the user's setting, asks for a method: some
        clients take every picture that comes for a finished one.
        """
        method = job.extra.get("extra_data", {}).get("preview_method", "default")
        if method == "default":
            settings = UserSettings(self._app[SETTINGS], job.owner)
            method = (await asyncio.to_thread(settings.read)).get(PREVIEW_METHOD)
        return method not in NO_PREVIEWS

    def catch_up(self, client: Client) -> None:
        """Tell a client that has just connected which node of its job runs."""
        for id, feed in self._feeds.items():
            if (feed.owner, feed.client) == (client.owner, client.sid) and feed.last_node is not None:
                client.tell(("executing", {"node": feed.last_node, "prompt_id": id}))


def _whole(job: Job) -> list[Message]:
    """The messages of a job that ended before its first node: its worker was lost, say."""
    feed = JobFeed(job, previews=False)
    return [*feed.start(job), *feed.end(job)]


RELAY = web.AppKey("comfy_relay", Relay)


async def relay_context(app: web.Application) -> AsyncIterator[None]:
    """Relays while the application runs."""
    relay = app[RELAY]
    task = asyncio.create_task(relay.run())
    yield
    relay.clients.close()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
