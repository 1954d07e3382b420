"""The end of a job, told to whom it concerns."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from nodegraph.jobs.database import Database
from nodegraph.jobs.queue import JobQueue
from nodegraph.jobs.records import NewJob
from nodegraph.jobs.webhooks import WebhookStore
from nodegraph.server.settings import ServerSettings
from nodegraph.server.webhooks import WebhookSender, webhook_secret


class Receiver:
    """A server that refuses some deliveries before it takes one."""

    def __init__(self, refusals: int) -> None:
        self.refusals = refusals
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.taken = asyncio.Event()

    async def post(self, request: web.Request) -> web.Response:
        self.got.append((dict(request.headers), await request.read()))
        if len(self.got) <= self.refusals:
            return web.Response(status=500)
        self.taken.set()
        return web.Response()


async def deliver(folder: Path, refusals: int, **changes: Any) -> tuple[Receiver, WebhookStore, bytes]:
    """End a job with a webhook; what arrived, and what is left to do, once it was taken or given up."""
    receiver = Receiver(refusals)
    app = web.Application()
    app.router.add_post("/hook", receiver.post)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    settings = ServerSettings(data=folder, webhook_backoff=0.01, **changes)
    database = Database(settings.database)
    queue, store = JobQueue(database), WebhookStore(database)
    queue.submit([NewJob("local", {}, "a", webhook=f"http://127.0.0.1:{runner.addresses[0][1]}/hook")])
    queue.claim()
    queue.finish("a", "done", {"status": "done", "outputs": {}})
    sending = asyncio.create_task(WebhookSender(store, queue, settings).run())
    async with asyncio.timeout(30):
        while store.next_due() is not None:
            await asyncio.sleep(0.01)
    sending.cancel()
    await asyncio.wait([sending])
    await runner.cleanup()
    return receiver, store, webhook_secret(folder)


def test_it_is_signed_and_tried_until_it_is_taken(tmp_path: Path) -> None:
    receiver, _, secret = asyncio.run(deliver(tmp_path, 2, private_webhooks=True))
    assert len(receiver.got) == 3
    headers, body = receiver.got[-1]
    time, _, digest = headers["Nodegraph-Signature"].partition(",v1=")
    signed = time.removeprefix("t=").encode() + b"." + body
    assert hmac.compare_digest(digest, hmac.new(secret, signed, hashlib.sha256).hexdigest())
    assert json.loads(body)["job"]["state"] == "done"
    assert {got["Nodegraph-Delivery"] for got, _ in receiver.got} == {"a"}


def test_it_is_given_up_after_so_many_tries(tmp_path: Path) -> None:
    receiver, _, _ = asyncio.run(deliver(tmp_path, 99, private_webhooks=True, webhook_attempts=3))
    assert len(receiver.got) == 3


def test_an_address_that_is_not_public_is_never_asked(tmp_path: Path) -> None:
    receiver, _, _ = asyncio.run(deliver(tmp_path, 0, webhook_attempts=2))
    assert receiver.got == []


def test_the_secret_is_its_owners_alone(tmp_path: Path) -> None:
    assert webhook_secret(tmp_path) == webhook_secret(tmp_path)
    assert (tmp_path / "webhook-secret").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("turns", range(4))
def test_it_ends_when_it_is_told_to_though_a_job_just_ended(tmp_path: Path, turns: int) -> None:
    """A server that was stopped as a job ended went on for ever: the news took the place of the stop."""

    async def end() -> bool:
        database = Database(tmp_path / "jobs.sqlite")
        sender = WebhookSender(
            WebhookStore(database), JobQueue(database), ServerSettings(data=tmp_path, output=tmp_path)
        )
        sending = asyncio.create_task(sender.run())
        await asyncio.sleep(0.2)  # it has looked, and waits for news
        sender.wake()
        for _ in range(turns):
            await asyncio.sleep(0)
        sending.cancel()
        done, _ = await asyncio.wait([sending], timeout=5)
        sending.cancel()
        await asyncio.wait([sending])
        database.close()
        return bool(done)

    assert asyncio.run(end())
