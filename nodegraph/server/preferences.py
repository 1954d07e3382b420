"""What a user's editor wants kept about itself: one JSON object for each user."""

from __future__ import annotations

import json
import logging
import threading
from pathlib import Path
from typing import Any

from nodegraph.server.problems import Problem
from nodegraph.server.security.paths import user_folder
from nodegraph.server.settings import ServerSettings
from nodegraph.workflow.files import write_whole

logger = logging.getLogger(__name__)

MAX_BYTES = 1 << 18

_writing = threading.Lock()


class Preferences:
    """The preferences of one user; may be used from any thread."""

    def __init__(self, settings: ServerSettings, user: str) -> None:
        self._path = Path(settings.data, "preferences", f"{user_folder(user)}.json")

    def read(self) -> dict[str, Any]:
        """All of them; empty where none were ever kept, or the file is damaged, which the log tells."""
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

    def replace(self, values: dict[str, Any]) -> None:
        """Keep these and no others.

        Raises:
            Problem: they are too large.
        """
        text = json.dumps(values, ensure_ascii=False, allow_nan=False)
        if len(text.encode()) > MAX_BYTES:
            raise Problem(413, "too_large", f"settings may have up to {MAX_BYTES} bytes")
        with _writing:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(self._path, text.encode())
