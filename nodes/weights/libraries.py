"""Classes of large libraries, imported when they are first needed."""

from __future__ import annotations

import threading
from importlib import import_module
from typing import Any

_IMPORTING = threading.Lock()
"""diffusers and transformers load their parts when they are first asked for, and fail when two threads ask
at once; two engines in one process would."""


def library_class(module: str, name: str) -> Any:
    """The class of that name, such as ``library_class("diffusers", "AutoencoderKL")``."""
    with _IMPORTING:
        return getattr(import_module(module), name)
