"""An operation of ``/api/v1``: what it takes and gives, declared where it is written.

The routes, the checks of a request and the OpenAPI description all come from these declarations, so none
of them can say something else than the others.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from inspect import cleandoc
from types import MappingProxyType
from typing import Any, Generic, TypeVar

from aiohttp import web
from pydantic import BaseModel

from nodegraph.server import keys
from nodegraph.server.keys import User, user_of
from nodegraph.server.problems import Problem
from nodegraph.server.routes.reading import read_body, read_query
from nodegraph.server.security.limits import in_time
from nodegraph.server.service import JobService
from nodegraph.server.wire import NoBody

PREFIX = "/api/v1"

Q = TypeVar("Q", bound=BaseModel)
B = TypeVar("B", bound=BaseModel)

NO_FILES: Mapping[str, Mapping[str, Any]] = MappingProxyType({})

Content = type[BaseModel] | str
"""A model that is sent as JSON, or the media type of something else."""


@dataclass(frozen=True, slots=True)
class Header:
    """A request header that an operation reads."""

    name: str
    description: str
    schema: Mapping[str, Any]


@dataclass(frozen=True)
class Call(Generic[Q, B]):
    """One request, checked.

    Attributes:
        request: the request itself.
        query: its query parameters.
        body: its JSON body.
    """

    request: web.Request
    query: Q
    body: B

    @property
    def app(self) -> web.Application:
        """The application."""
        return self.request.app

    @property
    def service(self) -> JobService:
        """What does the work."""
        return self.app[keys.SERVICE]

    @property
    def user(self) -> User:
        """Who asks."""
        return user_of(self.request)

    @property
    def sees(self) -> str | None:
        """Whose jobs they may see; ``None`` for everybody's."""
        return None if self.user.admin else self.user.name

    @property
    def patience(self) -> float:
        """How long this request waits for a job: as long as it says, within what the server allows."""
        return min(float(getattr(self.query, "wait", 0.0)), self.service.settings.max_wait)

    def part(self, name: str) -> str:
        """A part of the path."""
        return self.request.match_info[name]


Handler = Callable[[Call[Any, Any]], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Operation:
    """One method of one path.

    Attributes:
        method: the HTTP method.
        path: below ``PREFIX``, with ``{name}`` for parts.
        query: the model of its query parameters.
        body: the model of its JSON body.
        answers: what comes back, by status.
        problems: the statuses of the problems that are its own; those of every operation are added.
        headers: the request headers it reads.
        files: the schemas of bodies that are not JSON, by media type.
        admin: whether it takes the scope ``admin``.
        open: whether it takes no token.
        handler: what does it; its docstring is the summary and description.
    """

    method: str
    path: str
    query: type[BaseModel]
    body: type[BaseModel]
    answers: Mapping[int, Content]
    problems: tuple[int, ...]
    headers: tuple[Header, ...]
    files: Mapping[str, Mapping[str, Any]]
    admin: bool
    open: bool
    handler: Handler = field(repr=False)

    @property
    def name(self) -> str:
        """Its name in the description: that of the function."""
        return getattr(self.handler, "__name__", "").rstrip("_")

    @property
    def summary(self) -> str:
        """What it does, in a line."""
        return self._words[0].rstrip(".")

    @property
    def description(self) -> str:
        """What else there is to say."""
        return self._words[2].strip()

    @property
    def _words(self) -> tuple[str, str, str]:
        return cleandoc(self.handler.__doc__ or "").partition("\n")

    @property
    def takes_body(self) -> bool:
        """Whether a JSON body is read."""
        return self.body is not NoBody

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        """Check a request and answer it."""
        if self.admin and not user_of(request).admin:
            raise Problem(403, "forbidden", "this takes a token of the scope admin")
        query = read_query(request, self.query)
        body = await self._read_body(request)
        return await self.handler(Call(request, query, body))

    async def _read_body(self, request: web.Request) -> BaseModel:
        """The body; one that this would not heed is refused rather than ignored."""
        if self.takes_body:
            return await read_body(request, self.body)
        if not self.files and request.method not in ("GET", "HEAD") and request.body_exists:
            return await read_body(request, NoBody) if await in_time(request, request.read()) else NoBody()
        return NoBody()


def operation(
    method: str,
    path: str,
    query: type[Q],
    body: type[B],
    answers: Mapping[int, Content],
    *,
    problems: tuple[int, ...] = (),
    headers: tuple[Header, ...] = (),
    files: Mapping[str, Mapping[str, Any]] = NO_FILES,
    admin: bool = False,
    open: bool = False,
) -> Callable[[Callable[[Call[Q, B]], Awaitable[web.StreamResponse]]], Operation]:
    """Declares a handler as an operation; see ``Operation``."""

    def declare(handler: Callable[[Call[Q, B]], Awaitable[web.StreamResponse]]) -> Operation:
        return Operation(method, path, query, body, answers, problems, headers, files, admin, open, handler)

    return declare
