"""The workflows that a user saved on the server: files below one folder, changed only by who saw them."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath

from nodegraph.errors import WorkflowError
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
from nodegraph.workflow.reading import parse_workflow

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
        return _tag(self.text.encode())


@dataclass(frozen=True, slots=True)
class Listed:
    """What a list says of a saved workflow.

    Attributes:
        path: its name, with the folders it lies in before it.
        etag: the tag of the workflow.
        size: in bytes.
        name: what the workflow itself says it is called; empty where the file is damaged.
        modified: seconds since 1970.
    """

    path: str
    etag: str
    size: int
    name: str
    modified: float


@dataclass(frozen=True)
class WorkflowLibrary:
    """The saved workflows of one user; may be used from any thread.

    Attributes:
        storage: the user's folders and the room in them.
    """

    storage: UserStorage

    def listed(self) -> Iterator[Listed]:
        """All of them, by name. A file is read again only when it has changed."""
        files = sorted(path for path in files_below(self.storage.workflows) if path.suffix == SUFFIX)
        for file in files:
            with suppress(FileNotFoundError):  # deleted meanwhile
                state = file.stat()
                tag, name = _summary(
                    file, (state.st_mtime_ns, state.st_ctime_ns, state.st_size, state.st_ino)
                )
                path = file.relative_to(self.storage.workflows).with_suffix("").as_posix()
                yield Listed(path, tag, state.st_size, name, state.st_mtime)

    def read(self, path: str) -> SavedWorkflow:
        """A saved workflow.

        Raises:
            Problem: there is none of that name, or it is no name.
            WorkflowError: its file is damaged.
        """
        found = self._find(path)
        if found is None:
            raise _none(path)
        name = str(PurePosixPath(*_split(path))).removesuffix(SUFFIX)  # its letters in composed form
        try:
            text = found.read_text("utf-8")
        except UnicodeDecodeError:
            raise WorkflowError(
                f"the file of {name!r} is damaged: it is no text; save or delete it"
            ) from None
        return SavedWorkflow(name, text, found.stat().st_mtime)

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
            place = make_inside(root, folder) / name
            if not place.resolve().is_relative_to(root.resolve()):
                raise unsafe_name(path, "a link of that name leads out of the folder")
            write_whole(place, text.encode())
            return self.read(path)

    def delete(self, path: str, *, expected: str | None = None) -> None:
        """Delete a saved workflow.

        Raises:
            Problem: there is none of that name, or it is not as expected (412).
        """
        with _changing:
            found = self._find(path)
            if found is None:
                raise _none(path)
            self._check(path, expected, new=False)
            found.unlink()

    def _find(self, path: str) -> Path | None:
        return find_inside([self.storage.workflows], *_split(path))

    def _check(self, path: str, expected: str | None, new: bool) -> None:
        found = self._find(path)
        tag = None if found is None else _tag(found.read_bytes())
        if new and found is not None:
            raise _changed(f"a workflow is called {path!r} already", tag)
        if expected is not None and (found is None or expected not in (ANY, tag)):
            state = "was deleted" if found is None else "was changed"
            raise _changed(f"{path!r} {state} since you read it", tag)


def _split(path: str) -> tuple[PurePosixPath, str]:
    folder, _, name = path.rpartition("/")
    if folder.endswith("/") or path.startswith("/"):
        raise unsafe_name(path, "a folder in it has no name")
    return safe_subfolder(folder), safe_name(name + SUFFIX, name)


def _none(path: str) -> Problem:
    return Problem(404, "not_found", f"there is no saved workflow {path[:200]!r}")


def _tag(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:32]


@lru_cache(maxsize=20_000)
def _summary(file: Path, stamp: tuple[int, ...]) -> tuple[str, str]:
    """Tag and title of a file as it is at that stamp: its times, size and inode."""
    data = file.read_bytes()
    try:
        name = parse_workflow(data).name
    except WorkflowError:
        name = ""
    return _tag(data), name


def _changed(why: str, tag: str | None) -> Problem:
    return Problem(412, "changed_meanwhile", why, etag=tag)
