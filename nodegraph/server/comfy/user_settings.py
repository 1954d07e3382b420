"""``/settings``: what a client wants kept about itself, by user."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from pathlib import Path
from typing import Any

from aiohttp import web

from nodegraph.server.comfy.requests import BadRequestError, json_body, json_object
from nodegraph.server.keys import SETTINGS, user_of
from nodegraph.server.security.paths import user_folder as folder_name
from nodegraph.server.settings import ServerSettings

logger = logging.getLogger(__name__)

PREVIEW_METHOD = "Comfy.Execution.PreviewMethod"
"""The setting that decides on previews where a prompt does not."""
MAX_SETTINGS_BYTES = 1 << 20

_writing = threading.Lock()


def user_folder(settings: ServerSettings, owner: str) -> Path:
    """Where the settings and data of a user's ComfyUI clients are kept."""
    return settings.data / "comfy" / folder_name(owner)


class UserSettings:
    """The settings of one user: a JSON file."""

    def __init__(self, settings: ServerSettings, owner: str) -> None:
        self._path = user_folder(settings, owner) / "settings.json"

    def read(self) -> dict[str, Any]:
        """All settings, by id; none where the file is damaged, which the log tells."""
        try:
            found = json.loads(self._path.read_text("utf-8"))
        except FileNotFoundError:
            return {}
        except (ValueError, RecursionError) as error:
            logger.warning(
                "%s is damaged and counts as empty until it is written anew: %s", self._path, error
            )
            return {}
        return found if isinstance(found, dict) else {}

    def update(self, changes: dict[str, Any]) -> None:
        """Change some settings.

        Raises:
            BadRequestError: they would take more room than a user has.
        """
        with _writing:
            text = json.dumps({**self.read(), **changes}, ensure_ascii=True)
            if len(text) > MAX_SETTINGS_BYTES:
                raise BadRequestError("too_large", "the settings are too large", status=413)
            self._path.parent.mkdir(parents=True, exist_ok=True)
            fresh = self._path.with_suffix(".new")
            fresh.write_text(text, "utf-8")
            fresh.replace(self._path)


def _settings(request: web.Request) -> UserSettings:
    return UserSettings(request.app[SETTINGS], user_of(request).name)


async def get_settings(request: web.Request) -> web.Response:
    """All settings of the user."""
    return web.json_response(await asyncio.to_thread(_settings(request).read))


async def get_setting(request: web.Request) -> web.Response:
    """One setting; ``null`` if it was never set."""
    found = await asyncio.to_thread(_settings(request).read)
    return web.json_response(found.get(request.match_info["id"]))


async def post_settings(request: web.Request) -> web.Response:
    """Change the settings that the body names."""
    await asyncio.to_thread(_settings(request).update, await json_object(request))
    return web.json_response({})


async def post_setting(request: web.Request) -> web.Response:
    """Change one setting."""
    change = {request.match_info["id"]: await json_body(request)}
    await asyncio.to_thread(_settings(request).update, change)
    return web.json_response({})
