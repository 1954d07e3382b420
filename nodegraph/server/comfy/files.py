"""Where the files lie that clients name by ``filename``, ``subfolder`` and ``type``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from aiohttp import web

from nodegraph.server.keys import SERVICE, SETTINGS, user_of
from nodegraph.server.storage import UserStorage

MARKED = re.compile(r"^(?P<name>.*) \[(?P<kind>input|output|temp)\]$")


@dataclass(frozen=True)
class FileReference:
    """One file as clients name it.

    Attributes:
        filename: its name; it may begin with the folders that it lies in.
        subfolder: the folder it lies in, below the one of its kind.
        kind: ``input``, ``output`` or ``temp``.
    """

    filename: str
    subfolder: str = ""
    kind: str = "output"

    @classmethod
    def read(cls, fields: Mapping[str, Any]) -> Self:
        """A reference from a query or a JSON object; ``name [output]`` in it says its kind as well."""
        name, kind = str(fields.get("filename") or ""), str(fields.get("type") or "output")
        marked = MARKED.match(name)
        if marked:
            name, kind = marked["name"], marked["kind"]
        folder, _, name = name.rpartition("/")
        parts = (str(fields.get("subfolder") or "").strip("/"), folder)
        return cls(name, "/".join(part for part in parts if part), kind)

    def find(self, storage: UserStorage) -> Path:
        """Its path.

        Raises:
            Problem: there is no such file, or it is no name of one.
        """
        return storage.find(self.kind, self.subfolder, self.filename)


def storage_of(request: web.Request) -> UserStorage:
    """The files of the user who asks, those that all users share included."""
    user = user_of(request).name
    shared = request.app[SERVICE].folders(user).inputs
    return UserStorage(request.app[SETTINGS], user, shared)
