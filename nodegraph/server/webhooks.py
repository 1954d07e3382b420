"""Telling the end of a job to whom it concerns: signed, and tried again until it arrives."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
import os
import secrets
import time
from contextlib import suppress
from pathlib import Path

import aiohttp
from yarl import URL

from nodegraph.addresses import CheckedResolver, IPAddress, check_url, is_public
from nodegraph.jobs.queue import JobQueue
from nodegraph.jobs.records import StorageError
from nodegraph.jobs.webhooks import Delivery, WebhookStore
from nodegraph.server.routes.answers import job_view
from nodegraph.server.settings import ServerSettings

logger = logging.getLogger(__name__)

IDLE_SECONDS = 30.0
LONGEST_PAUSE = 3600.0


def webhook_secret(folder: Path) -> bytes:
    """The secret that signs webhooks, made at first use and readable by its owner alone."""
    path = folder / "webhook-secret"
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return path.read_bytes().strip()
    with os.fdopen(handle, "wb") as stream:
        stream.write(secrets.token_hex(32).encode())
    return path.read_bytes().strip()


def signature(secret: bytes, body: bytes, at: int) -> str:
    """The value of ``Nodegraph-Signature``: HMAC-SHA256 (RFC 2104) over ``<time>.<body>``."""
    digest = hmac.new(secret, b"%d." % at + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


def _in_words(error: Exception) -> str:
    """What went wrong with a delivery, without its address: whoever reads that can send there."""
    if isinstance(error, aiohttp.ClientResponseError):
        return f"{type(error).__name__}: {error.message}"
    if isinstance(error, ValueError):
        return f"{type(error).__name__}: the address cannot be used"
    return f"{type(error).__name__}: {error}"


class WebhookSender:
    """Delivers what is due, one after the other; asleep while nothing is."""

    def __init__(self, store: WebhookStore, queue: JobQueue, settings: ServerSettings) -> None:
        self._store, self._queue, self._settings = store, queue, settings
        self._secret = webhook_secret(settings.data)
        self._news = asyncio.Event()

    def wake(self) -> None:
        """There may be something to deliver."""
        self._news.set()

    async def run(self) -> None:
        """Deliver until cancelled."""
        timeout = aiohttp.ClientTimeout(self._settings.webhook_timeout)
        connector = aiohttp.TCPConnector(resolver=CheckedResolver(self._allowed), use_dns_cache=False)
        async with aiohttp.ClientSession(connector=connector, timeout=timeout, trust_env=False) as session:
            while True:
                self._news.clear()
                try:
                    for delivery in await asyncio.to_thread(self._store.due, time.time()):
                        await self._deliver(session, delivery)
                    pause = await self._pause()
                except StorageError as error:
                    logger.warning("webhooks wait: %s", error)
                    pause = 1.0
                # not `wait_for`, which lets news take the place of being cancelled
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await self._news.wait()

    async def _pause(self) -> float:
        due = await asyncio.to_thread(self._store.next_due)
        return IDLE_SECONDS if due is None else max(0.01, min(IDLE_SECONDS, due - time.time()))

    async def _deliver(self, session: aiohttp.ClientSession, delivery: Delivery) -> None:
        problem = await self._attempt(session, delivery)
        if problem is None:
            await asyncio.to_thread(self._store.succeeded, delivery.job)
            return
        tries = delivery.attempts + 1
        retry_at: float | None = None
        if tries < self._settings.webhook_attempts:
            pause = self._settings.webhook_backoff * 2.0**delivery.attempts
            retry_at = time.time() + min(LONGEST_PAUSE, pause)
        else:
            logger.error("the webhook of job %s is given up after %d tries: %s", delivery.job, tries, problem)
        await asyncio.to_thread(self._store.failed, delivery.job, problem, retry_at)

    async def _attempt(self, session: aiohttp.ClientSession, delivery: Delivery) -> str | None:
        job = await asyncio.to_thread(self._queue.get, delivery.job)
        if job is None:
            return None  # forgotten meanwhile: there is nothing left to tell
        body = json.dumps({"type": "job_finished", "job": job_view(job)}).encode()
        headers = {
            "Content-Type": "application/json",
            "Nodegraph-Delivery": delivery.job,
            "Nodegraph-Signature": signature(self._secret, body, int(time.time())),
        }
        try:
            url = URL(delivery.url)
            check_url(url, self._allowed)
            async with session.post(url, data=body, headers=headers, allow_redirects=False) as response:
                return None if response.status // 100 == 2 else f"answered {response.status}"
        except (aiohttp.ClientError, OSError, ValueError, TimeoutError) as error:
            return _in_words(error)

    def _allowed(self, address: IPAddress) -> bool:
        return self._settings.private_webhooks or is_public(address)
