"""The workflows that a user saved on the server: files below one folder, changed only by who saw them."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from nodegraph.server.problems import Problem
from nodegraph.server.security.paths import (
    find_inside,
    make_inside,
    safe_name,
    safe_subfolder,
    unsafe_name,
)
from nodegraph.server.storage import UserStorage, files_below
from nodegraph.workflow.files import write_whole

SUFFIX = ".json"
ANY = "*"

_changing = threading.Lock()


@dataclass(frozen=True, slots=True)
class SavedWorkflow:
    """A workflow that was saved.

    Attributes:
        path: its name, with the folders it lies in before it.
        text: its JSON.
        modified: seconds since 1970.
    """

    path: str
    text: str
    modified: float

    @property
    def tag(self) -> str:
        """Changes with its content."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:32]


@dataclass(frozen=True)
class WorkflowLibrary:
    """The saved workflows of one user; may be used from any thread.

    Attributes:
        storage: the user's folders and the room in them.
    """

    storage: UserStorage

    def names(self) -> list[Path]:
        """The files of all of them, by name."""
        files = files_below(self.storage.workflows)
        return sorted(path for path in files if path.suffix == SUFFIX)

    def name_of(self, file: Path) -> str:
        """The name of a workflow, by its file."""
        return file.relative_to(self.storage.workflows).with_suffix("").as_posix()

    def read(self, path: str) -> SavedWorkflow:
        """A saved workflow.

        Raises:
            Problem: there is none of that name, or it is no name.
        """
        found = self._find(path)
        if found is None:
            raise Problem(404, "not_found", f"there is no saved workflow {path[:200]!r}")
        name = str(PurePosixPath(*_split(path))).removesuffix(SUFFIX)  # its letters in composed form
        return SavedWorkflow(name, found.read_text("utf-8"), found.stat().st_mtime)

    def write(self, path: str, text: str, *, expected: str | None = None, new: bool = False) -> SavedWorkflow:
        """Save a workflow, whole or not at all.

        Args:
            path: its name; folders that are not there are made.
            text: its JSON.
            expected: the tag it must have now; ``"*"`` if it only must be there.
            new: whether it must not be there yet.

        Raises:
            Problem: it is not as expected (412), the name is none, or there is no room.
        """
        folder, name = _split(path)
        root = self.storage.workflows
        with _changing:
            self._check(path, expected, new)
            if (root / folder / name).is_dir():
                raise Problem(409, "conflict", f"{name} cannot be a workflow: a folder is called so")
            if self.storage.room(root) < len(text.encode()):
                raise Problem(507, "too_large", "there is no room for it; delete other workflows")
            write_whole(make_inside(root, folder) / name, text.encode())
            return self.read(path)

    def delete(self, path: str, *, expected: str | None = None) -> None:
        """Delete a saved workflow.

        Raises:
            Problem: there is none of that name, or it is not as expected (412).
        """
        with _changing:
            self.read(path)
            self._check(path, expected, new=False)
            found = self._find(path)
            if found is not None:
                found.unlink()

    def _find(self, path: str) -> Path | None:
        return find_inside([self.storage.workflows], *_split(path))

    def _check(self, path: str, expected: str | None, new: bool) -> None:
        found = self.read(path) if self._find(path) is not None else None
        tag = None if found is None else found.tag
        if new and found is not None:
            raise _changed(f"a workflow is called {path!r} already", tag)
        if expected is not None and (found is None or expected not in (ANY, tag)):
            state = "was deleted" if found is None else "was changed"
            raise _changed(f"{path!r} {state} since you read it", tag)


def _split(path: str) -> tuple[PurePosixPath, str]:
    folder, _, name = path.rpartition("/")
    if folder.endswith("/") or path.startswith("/"):
        raise unsafe_name(path, "a folder in it has no name")
    return safe_subfolder(folder), safe_name(name + SUFFIX)


def _changed(why: str, tag: str | None) -> Problem:
    return Problem(412, "changed_meanwhile", why, etag=tag)
