"""The application: its parts wired together, started and stopped in order."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from functools import partial

from aiohttp import web

from nodegraph import locations
from nodegraph.files import Folders
from nodegraph.heap import HeapTrimmer
from nodegraph.jobs.database import Database
from nodegraph.jobs.queue import JobQueue
from nodegraph.jobs.records import Job, StorageError
from nodegraph.jobs.tokens import TokenStore
from nodegraph.jobs.webhooks import WebhookStore
from nodegraph.registry import NodeRegistry
from nodegraph.server import keys
from nodegraph.server.catalogue import Catalogue
from nodegraph.server.collecting import Collector
from nodegraph.server.comfy import add_comfy_routes
from nodegraph.server.editor import Editor
from nodegraph.server.hub import EventHub
from nodegraph.server.lag import LoopMonitor
from nodegraph.server.log import LogBuffer, LogLine
from nodegraph.server.metrics import Metrics, metrics_middleware
from nodegraph.server.problems import problem_middleware
from nodegraph.server.routes import add_routes
from nodegraph.server.runner import Runner
from nodegraph.server.security import middlewares
from nodegraph.server.security.headers import add_headers
from nodegraph.server.security.limits import OpenStreams
from nodegraph.server.service import JobService
from nodegraph.server.settings import ServerSettings
from nodegraph.server.storage import UserStorage
from nodegraph.server.templates import Templates
from nodegraph.server.webhooks import WebhookSender

logger = logging.getLogger(__name__)

TRIM_SECONDS = 10.0


def make_app(settings: ServerSettings, registry: NodeRegistry) -> web.Application:
    """A server on one data folder; its jobs begin to run once the application is started.

    Raises:
        StorageError: the database cannot be used.
    """
    database = Database(settings.database)
    tokens, queue = TokenStore(database), JobQueue(database)
    guards = [metrics_middleware, problem_middleware, *middlewares(settings, tokens)]
    app = web.Application(middlewares=guards, client_max_size=settings.max_body)
    hub = EventHub(settings.event_log, settings.event_log_bytes)
    folders = partial(_folders_of, settings, _shared_folders(settings, registry), tokens)
    app[keys.SETTINGS], app[keys.REGISTRY], app[keys.STARTED] = settings, registry, time.time()
    app[keys.QUEUE], app[keys.TOKENS], app[keys.HUB] = queue, tokens, hub
    app[keys.STREAMS] = OpenStreams(settings.max_sockets)
    app[keys.WEBHOOKS], app[keys.TEMPLATES] = WebhookStore(database), Templates(locations.templates_folder())
    app[keys.CATALOGUE] = Catalogue(registry, app[keys.TEMPLATES])
    app[keys.LOG] = LogBuffer()
    app[keys.METRICS] = Metrics(lambda: {str(state): count for state, count in queue.counts().items()})
    app[keys.SERVICE] = JobService(queue, hub, registry, settings, folders)
    app.cleanup_ctx.append(_logging)
    app.cleanup_ctx.append(partial(_running, database))
    app.on_response_prepare.append(add_headers)
    add_routes(app)
    Editor(locations.editor_folder()).add_routes(app)
    add_comfy_routes(app)
    return app


def _shared_folders(settings: ServerSettings, registry: NodeRegistry) -> Folders:
    return locations.default_folders(
        registry,
        settings.cache,
        output=settings.output,
        models=settings.models,
        inputs=settings.inputs,
        pickles=settings.allow_pickles,
    )


def _folders_of(settings: ServerSettings, shared: Folders, tokens: TokenStore, user: str) -> Folders:
    """The folders of a user; without tokens, that can only be who runs the server."""
    return replace(UserStorage(settings, user).folders(shared), private=tokens.any())


async def _logging(app: web.Application) -> AsyncIterator[None]:
    """Keep the last lines of the log, and tell admins of new ones."""
    loop, hub, log = asyncio.get_running_loop(), app[keys.HUB], app[keys.LOG]

    def publish(line: LogLine) -> None:
        hub.publish(keys.NOBODY, {"type": "log", "job": None, "line": line.to_json()})

    def tell(line: LogLine) -> None:
        loop.call_soon_threadsafe(publish, line)

    log.on_line = tell
    with log.attached():
        yield


async def _running(database: Database, app: web.Application) -> AsyncIterator[None]:
    """Run jobs, deliver webhooks and prune, from the start of the server to its end."""
    settings, service, metrics = app[keys.SETTINGS], app[keys.SERVICE], app[keys.METRICS]
    sender = WebhookSender(app[keys.WEBHOOKS], service.queue, settings)

    def finished(job: Job) -> None:
        sender.wake()
        metrics.note_event({"type": "job_finished", "state": job.state, **(job.result or {})})

    runner = Runner(service.queue, service.hub, settings, service.folders, finished)
    app[keys.RUNNER] = runner
    service.on_new_work, service.on_cancel = runner.wake, runner.cancel
    await runner.start()
    monitor, collector = LoopMonitor(settings.lag_every, metrics.note_lag), Collector(service.busy)
    chores = [
        asyncio.create_task(chore)
        for chore in (sender.run(), _prune(service), _trim(), monitor.run(), collector.run())
    ]
    yield
    await runner.stop()
    for chore in chores:
        chore.cancel()
        with suppress(asyncio.CancelledError):
            await chore
    service.close()
    database.close()


async def _trim() -> None:
    heap = HeapTrimmer(TRIM_SECONDS)
    while True:
        await asyncio.sleep(TRIM_SECONDS)
        await asyncio.to_thread(heap.trim)


async def _prune(service: JobService) -> None:
    while True:
        await asyncio.sleep(service.settings.prune_every)
        try:
            await service.prune()
        except (StorageError, OSError) as error:
            logger.warning("history and previews cannot be pruned now: %s", error)
