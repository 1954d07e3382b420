"""The folders an engine may touch, and files named by their content."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path, PurePosixPath

from nodegraph.companions import without_companions
from nodegraph.digests import DigestCache
from nodegraph.errors import FileProblem
from nodegraph.hints import hints_wanted, nearest
from nodegraph.model_folders import HALVES, ModelFoldersError, folders_of
from nodegraph.system_errors import system_message, system_reason

logger = logging.getLogger(__name__)

INPUTS = "inputs"
MAX_NAME = 100


@dataclass(frozen=True, slots=True)
class File:
    """A file (or a model folder) known by content: what recipes and keys hold instead of a path.

    Attributes:
        folder: kind of folder it lives in, such as ``checkpoints`` or ``inputs``.
        name: its name there, with forward slashes.
        digest: hexadecimal SHA-256 of its content.
        halves: the two files that it is, where it is a model in two files; it has no path then.
    """

    folder: str
    name: str
    digest: str
    halves: tuple[File, ...] = ()

    def __cache_key__(self) -> str:
        return self.digest  # renaming a model changes nothing that is made from it


@dataclass(frozen=True, slots=True)
class OutputFile:
    """A file that a node has written for the user.

    Attributes:
        path: absolute path.
        digest: hexadecimal SHA-256 of its content, checked before the result is served again.
        media_type: such as ``image/png``.
    """

    path: str
    digest: str
    media_type: str


@dataclass(frozen=True)
class InFolder:
    """Marks a ``str`` input as the name of a file in a folder: its menu, its check and its digest.

    ``Annotated[str, InFolder("checkpoints")]`` is a menu of the checkpoints at hand; the digest of the
    chosen one enters the node's key; a missing one is an issue before anything runs.
    """

    folder: str


@dataclass(frozen=True)
class Folders:
    """Where an engine reads and writes; nothing outside is ever touched on behalf of a workflow.

    Attributes:
        output: where pictures go.
        models: roots searched in order for ``<kind>/<name>``: see ``model_folders``.
        inputs: folders searched in order for input files.
        temporary: where previews go.
        closed: names of folders in ``output`` that are not the user's: nothing is written there.
        any_path: whether an input file may be named by its path (in programs, never on a server).
        pickles: whether tensors may be read from pickled files, by torch's reader that runs no code.
        private: whether messages are for others than this machine's user: they do not say where files lie.
        digests: remembers what files contain.
    """

    output: Path
    models: tuple[Path, ...] = ()
    inputs: tuple[Path, ...] = ()
    temporary: Path | None = None
    closed: tuple[str, ...] = ()
    any_path: bool = False
    pickles: bool = False
    private: bool = False
    digests: DigestCache = field(default_factory=DigestCache, compare=False)

    def roots(self, folder: str) -> list[Path]:
        """The existing folders of one kind, in search order."""
        if folder == INPUTS:
            return [root for root in self.inputs if root.is_dir()]
        try:
            found = (place for root in self.models for place in folders_of(root, folder))
            return [place for place in found if place.is_dir()]
        except ModelFoldersError as error:
            raise FileProblem(str(error)) from error

    def names(self, folder: str) -> list[str]:
        """Names of the files and model folders of one kind, sorted, each once; not of a model's picture."""
        found = {name: is_folder for root in self.roots(folder) for name, is_folder in _names_below(root)}
        if folder == INPUTS:
            return sorted(found)
        models = without_companions(found, (name for name, is_folder in found.items() if is_folder))
        return sorted(models | self._names_of_halves(folder))

    def resolve(self, folder: str, name: str) -> File:
        """The file of that name, or the model of that name in two files, with its digest.

        Raises:
            FileProblem: there is no such file, or the name leads outside the folder.
        """
        try:
            return File(folder, name, self._digest(folder, name, self.find(folder, name)))
        except FileProblem:
            halves = self._halves(folder, name)
            if not halves:
                raise
            return File(folder, name, _joint_digest(halves), halves)

    def path(self, file: File) -> Path:
        """Where a file lies on this machine, whichever name it has here.

        Raises:
            FileProblem: no file with that content is at hand.
        """
        candidates = [file.name, *(name for name in self.names(file.folder) if name != file.name)]
        for name in candidates:
            try:
                path = self.find(file.folder, name)
            except FileProblem:
                continue
            if self.digests.digest(path) == file.digest:
                return path
        raise FileProblem(
            f"no file in {file.folder!r} has the content of {file.name!r} ({file.digest[:12]}…)"
        )

    def intact(self, file: OutputFile) -> bool:
        """Whether a file written earlier is still there, unchanged."""
        try:
            return self.digests.digest(Path(file.path)) == file.digest
        except OSError:
            return False

    def _digest(self, folder: str, name: str, path: Path) -> str:
        try:
            return self.digests.digest(path)
        except OSError as error:
            raise self._unusable(folder, name, error) from None

    def _unusable(self, folder: str, name: str, error: OSError) -> FileProblem:
        where = _shortened(str(error.filename or ""))
        return FileProblem(f"no file {_shortened(name)!r} in {folder!r}: {where}: {system_reason(error)}")

    def _names_of_halves(self, folder: str) -> set[str]:
        if folder not in HALVES:
            return set()
        place, (first, second) = HALVES[folder]
        names = set(self.names(place))
        stems = {name.removesuffix(first) for name in names if name.endswith(first)}
        return {stem for stem in stems if stem and f"{stem}{second}" in names}

    def _halves(self, folder: str, name: str) -> tuple[File, ...]:
        """The two files of a model; none where one of them is not there."""
        if name not in self._names_of_halves(folder):
            return ()
        place, endings = HALVES[folder]
        return tuple(self.resolve(place, f"{name}{ending}") for ending in endings)

    def find(self, folder: str, name: str) -> Path:
        """Where the file or model folder of that name lies.

        Raises:
            FileProblem: there is no such file, or the name leads outside the folder.
        """
        try:
            path = self.look(folder, name)
            if path is None and self.any_path and folder == INPUTS and "\0" not in name:
                path = _named_by_path(name)
            if path is None:
                raise self._missing(folder, name)
            if path.is_file() or (path.is_dir() and folder != INPUTS):
                return path
        except OSError as error:  # the name is too long for a file, goes round in circles, or may not be read
            raise self._unusable(folder, name, error) from None
        what = "a folder" if path.is_dir() else "not a regular file"
        raise FileProblem(f"{name!r} in {folder!r} is {what}; a file would do")

    def look(self, folder: str, name: str) -> Path | None:
        """Where anything of that name lies in the folders of one kind, without hints at what else there is.

        Raises:
            OSError: the name is too long for a file, goes round in circles, or may not be looked at.
        """
        if not _is_plain(name):
            return None
        found = (root / name for root in self.roots(folder))
        return next((path for path in found if path.exists() and self._encloses(folder, path)), None)

    def _encloses(self, folder: str, path: Path) -> bool:
        real = path.resolve()  # a symbolic link must not lead out of the folder
        return any(real.is_relative_to(root.resolve()) for root in self.roots(folder))

    def _missing(self, folder: str, name: str) -> FileProblem:
        if not _is_plain(name) and not (self.any_path and folder == INPUTS):
            return FileProblem(f"{name!r} is not a plain file name inside the {folder} folder")
        known = self.names(folder) if hints_wanted() else []
        others = f"; there are: {', '.join(known[:10])}" if known else ""
        home = f"the {folder} folder of the server" if self.private else self.home(folder)
        hint = f"put it into {home}{_place_of_halves(folder, name)}{others}"
        if self.any_path and folder == INPUTS:
            hint += "; the path of a file will do as well"
        return FileProblem(f"no file {name!r} in {folder!r}; {hint}", suggestions=nearest(name, known))

    def home(self, folder: str) -> Path:
        """Where a user would put a file of that kind."""
        if folder == INPUTS:
            return self.inputs[0] if self.inputs else Path("inputs")
        return next((root for root in self.models if not root.is_file()), Path("models")) / folder


def _place_of_halves(folder: str, name: str) -> str:
    """Where else a model may lie, as two files, for complaints."""
    if folder not in HALVES or "." in name:
        return ""
    place, endings = HALVES[folder]
    return f", or {' and '.join(f'{name}{ending}' for ending in endings)} into {place}"


def _joint_digest(files: tuple[File, ...]) -> str:
    return hashlib.sha256("".join(file.digest for file in files).encode(errors="surrogateescape")).hexdigest()


def _named_by_path(name: str) -> Path | None:
    """What lies at a path; ``~`` is a home folder, as it is to a shell."""
    try:
        path = Path(name).expanduser()
    except RuntimeError:  # there is no such user
        return None
    return path if path.exists() else None


def _shortened(name: str) -> str:
    return name if len(name) <= MAX_NAME else f"{name[:MAX_NAME]}…"


def _is_plain(name: str) -> bool:
    path = PurePosixPath(name.replace("\\", "/"))
    return bool(path.parts) and "\0" not in name and not path.is_absolute() and ".." not in path.parts


def _tell_closed(error: OSError) -> None:
    """A folder that nobody may look into is not empty: it is told, once."""
    if not isinstance(error, FileNotFoundError):
        _warn_once(system_message(error))


@lru_cache(maxsize=1000)
def _warn_once(text: str) -> None:
    logger.warning("its files are not listed: %s", text)


MODEL_FOLDER_MARKS = ("model_index.json", "config.json", "adapter_config.json")


def _names_below(root: Path) -> Iterator[tuple[str, bool]]:
    """Files below ``root``, and folders that are one model, which are not entered; whether it is a folder."""
    for current, folders, files in os.walk(root, onerror=_tell_closed):
        here = Path(current)
        if here != root and any(mark in files for mark in MODEL_FOLDER_MARKS):
            folders.clear()
            yield here.relative_to(root).as_posix(), True
            continue
        folders[:] = sorted(f for f in folders if not f.startswith("."))
        yield from (((here / f).relative_to(root).as_posix(), False) for f in files if not f.startswith("."))
