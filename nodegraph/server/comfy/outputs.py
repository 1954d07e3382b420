"""What output nodes made, in the form that ComfyUI keeps in its history."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

GROUPS = {"image": "images", "video": "videos", "audio": "audio"}
"""By the first half of a media type, the key that clients look under; all else goes under ``files``."""


def node_output(outputs: Mapping[str, Iterable[Mapping[str, Any]]]) -> dict[str, Any]:
    """The outputs of one node as ``{"images": [...], "text": [...]}``.

    Args:
        outputs: by output name the values of a result document, each ``{"file": ...}``, ``{"value": ...}``
            or a note in place of what was not kept.
    """
    found: dict[str, list[Any]] = {}
    for name, items in outputs.items():
        for item in items:
            if "file" in item:
                key = GROUPS.get(media_kind(item["file"]), "files")
                found.setdefault(key, []).append(file_reference(item["file"]))
            elif "value" in item:
                key = "text" if isinstance(item["value"], str) else name
                found.setdefault(key, []).append(item["value"])
    return found


def file_reference(file: Mapping[str, Any]) -> dict[str, str]:
    """What ``/view`` takes to give a file."""
    return {"filename": file["name"], "subfolder": file.get("subfolder", ""), "type": file["kind"]}


def media_kind(file: Mapping[str, Any]) -> str:
    """``image``, ``video``, ``audio``, …"""
    return str(file.get("media_type", "")).partition("/")[0]
