"""``/settings`` and ``/log``: what an editor keeps about itself, and what the server has to say."""

from __future__ import annotations

import asyncio
from typing import Annotated

from aiohttp import web
from pydantic import Field, JsonValue

from nodegraph.server import keys
from nodegraph.server.preferences import Preferences
from nodegraph.server.routes.answers import answer
from nodegraph.server.routes.operation import Call, operation
from nodegraph.server.views import Answer
from nodegraph.server.wire import BIGGEST, MAX_PAGE, Document, NoBody, NoQuery, Request, WholeText


class SettingsRequest(Request):
    """All settings of a user."""

    settings: Document = Field(description="Any JSON object; what is in it is up to the editor.")


class SettingsView(Answer):
    """All settings of a user."""

    settings: dict[str, JsonValue]


class LogQuery(Request):
    """Which lines are told."""

    limit: Annotated[int, Field(ge=1, le=MAX_PAGE), WholeText] = Field(200, description="How many at most.")
    after: Annotated[int, Field(ge=0, le=BIGGEST), WholeText] = Field(
        0, description="Only lines with a larger number."
    )


class LogLineView(Answer):
    """One line of the log."""

    number: int = Field(description="Rises with each line.")
    time: float
    level: str
    logger: str
    message: str


class LogView(Answer):
    """The last lines of the log, the newest last."""

    lines: list[LogLineView]


@operation("GET", "/settings", NoQuery, NoBody, {200: SettingsView})
async def get_settings(call: Call[NoQuery, NoBody]) -> web.Response:
    """Your settings."""
    return answer({"settings": await asyncio.to_thread(_preferences(call).read)})


@operation("PUT", "/settings", NoQuery, SettingsRequest, {200: SettingsView})
async def put_settings(call: Call[NoQuery, SettingsRequest]) -> web.Response:
    """Keep your settings, in the place of those that were kept before."""
    values = call.body.settings
    await asyncio.to_thread(_preferences(call).replace, values)
    return answer({"settings": values})


def _preferences(call: Call[NoQuery, NoBody] | Call[NoQuery, SettingsRequest]) -> Preferences:
    return Preferences(call.service.settings, call.user.name)


@operation("GET", "/log", LogQuery, NoBody, {200: LogView}, admin=True)
async def get_log(call: Call[LogQuery, NoBody]) -> web.Response:
    """The last lines of the server's log; new ones come as events of the type `log`, to admins alone."""
    found = call.app[keys.LOG].lines(call.query.limit, call.query.after)
    return answer({"lines": [line.to_json() for line in found]})
