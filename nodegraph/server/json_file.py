"""A JSON object that the server keeps for a user, such as settings."""

from __future__ import annotations

import json
import logging
from contextlib import suppress
from pathlib import Path
from typing import Any

from nodegraph.workflow.files import write_whole

logger = logging.getLogger(__name__)

DAMAGED = ".damaged"


def read_object(path: Path) -> dict[str, Any]:
    """What the file holds; empty where there is none.

    A damaged file is set aside, so that what it held can be looked for, and its user goes on without.
    """
    try:
        found = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except (ValueError, RecursionError):
        found = None
    if isinstance(found, dict):
        return found
    aside = path.with_name(path.name + DAMAGED)
    logger.warning("%s is damaged; it is kept as %s, and its user begins anew", path.name, aside.name)
    with suppress(FileNotFoundError):  # another request was faster
        path.replace(aside)
    return {}


def write_object(path: Path, text: str) -> None:
    """Keep the text of an object, in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, text.encode())
