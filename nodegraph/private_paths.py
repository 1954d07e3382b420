"""Texts for others than this machine's user: they do not say where anything lies on it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from nodegraph.errors import Issue
from nodegraph.files import Folders

_PART = r"[^\s\\/'\"`,;:()<>|]"
_ABSOLUTE = re.compile(rf"(?<![\w./\\:…])(?:file://)?(?:[A-Za-z]:[\\/]+|/)(?:{_PART}+[\\/]+)+({_PART}*)")


def hide_paths(text: str, folders: Folders) -> str:
    """A text in which every absolute path is cut down: to its last part, as in ``…/effects.py``, or to what
    begins with the name of one of the engine's folders, as in ``…/models/vae/small.safetensors``.

    Args:
        folders: of the engine that says it; where they are not ``private``, the text stays as it is.
    """
    if not folders.private:
        return text
    for root in sorted(set(_roots(folders)), key=len, reverse=True):  # their names may hold spaces
        text = text.replace(root, f"…/{Path(root).name}")
    return _ABSOLUTE.sub(r"…/\1", text)


def hide_paths_in(issue: Issue, folders: Folders) -> Issue:
    """The same for what an issue says."""
    if not folders.private:
        return issue
    expected = issue.expected and hide_paths(issue.expected, folders)
    return replace(issue, message=hide_paths(issue.message, folders), expected=expected)


def _roots(folders: Folders) -> Iterator[str]:
    single = (folders.output, folders.temporary, Path.home())
    for root in (*folders.models, *folders.inputs, *single):
        if root is not None and root.is_absolute() and len(root.parts) > 1:
            yield str(root)
