"""Reading the JSON configs of a model folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nodegraph.errors import FileProblem

Config = Mapping[str, Any]


def read_config(path: Path) -> Config:
    """One config.

    Raises:
        FileProblem: it is missing, or is not a JSON object.
    """
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise FileProblem(f"{path.parent.name}/{path.name} is missing") from None
    except (OSError, ValueError) as error:
        raise FileProblem(f"{path.parent.name}/{path.name} cannot be read: {error}") from error
    if not isinstance(config, dict):
        raise FileProblem(f"{path.parent.name}/{path.name} holds no JSON object")
    return config
