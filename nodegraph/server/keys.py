"""What the handlers of a server find in its application and in a request, by typed key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

from nodegraph.registry import NodeRegistry
from nodegraph.server.settings import ServerSettings

if TYPE_CHECKING:
    from nodegraph.jobs.queue import JobQueue
    from nodegraph.jobs.tokens import TokenStore
    from nodegraph.jobs.webhooks import WebhookStore
    from nodegraph.server.catalogue import Catalogue
    from nodegraph.server.hub import EventHub
    from nodegraph.server.log import LogBuffer
    from nodegraph.server.metrics import Metrics
    from nodegraph.server.openapi import Description
    from nodegraph.server.runner import Runner
    from nodegraph.server.security.limits import OpenStreams
    from nodegraph.server.service import JobService
    from nodegraph.server.templates import Templates

SETTINGS = web.AppKey("settings", ServerSettings)
REGISTRY = web.AppKey("registry", NodeRegistry)
QUEUE: web.AppKey[JobQueue] = web.AppKey("queue")
TOKENS: web.AppKey[TokenStore] = web.AppKey("tokens")
WEBHOOKS: web.AppKey[WebhookStore] = web.AppKey("webhooks")
HUB: web.AppKey[EventHub] = web.AppKey("hub")
SERVICE: web.AppKey[JobService] = web.AppKey("service")
RUNNER: web.AppKey[Runner] = web.AppKey("runner")
STREAMS: web.AppKey[OpenStreams] = web.AppKey("streams")
METRICS: web.AppKey[Metrics] = web.AppKey("metrics")
CATALOGUE: web.AppKey[Catalogue] = web.AppKey("catalogue")
TEMPLATES: web.AppKey[Templates] = web.AppKey("templates")
LOG: web.AppKey[LogBuffer] = web.AppKey("log")
API: web.AppKey[Description] = web.AppKey("api")
STARTED = web.AppKey("started", float)
"""When the server was started, in seconds since 1970."""

RUN, ADMIN = "run", "admin"
"""The scopes of a token: to run jobs of one's own, and to see and change everything."""
LOCAL = "local"
"""The user of a server that has no tokens."""
NOBODY = ""
"""Whose events are those that admins alone see."""


@dataclass(frozen=True, slots=True)
class User:
    """Who sends a request.

    Attributes:
        name: owner of the jobs and files they make.
        scopes: what they may do.
    """

    name: str = LOCAL
    scopes: frozenset[str] = frozenset((RUN, ADMIN))

    @property
    def admin(self) -> bool:
        """Whether they may see and change everything."""
        return ADMIN in self.scopes


USER = web.RequestKey("user", User)
"""Set by the security middleware on every request that it lets through."""


def user_of(request: web.Request) -> User:
    """Who sends this request.

    Raises:
        KeyError: the request did not pass the security middleware.
    """
    return request[USER]
