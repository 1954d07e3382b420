"""The operations of ``/api/v1``."""

from __future__ import annotations

from types import ModuleType

from aiohttp import web

from nodegraph.server import keys
from nodegraph.server.openapi import Description
from nodegraph.server.routes import (
    catalogue,
    checks,
    documents,
    events,
    jobs,
    library,
    models,
    outputs,
    personal,
    queue,
    session,
    submitting,
    system,
    templates,
    tensors,
    uploads,
)
from nodegraph.server.routes.operation import PREFIX, Operation

MODULES: tuple[ModuleType, ...] = (
    submitting,
    jobs,
    queue,
    events,
    outputs,
    tensors,
    uploads,
    session,
    catalogue,
    checks,
    documents,
    library,
    models,
    templates,
    personal,
    system,
)


def operations() -> list[Operation]:
    """Every operation, in the order of the description."""
    return [item for module in MODULES for item in vars(module).values() if isinstance(item, Operation)]


def add_routes(app: web.Application) -> None:
    """Let an application answer ``/api/v1``."""
    known = operations()
    app[keys.API] = Description(known)
    for operation in known:
        app.router.add_route(operation.method, PREFIX + operation.path, operation.__call__)
