"""The files of one user: what their jobs made, and what they uploaded."""

from __future__ import annotations

import asyncio
import hashlib
import os
import tempfile
import threading
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Literal, get_args

from aiohttp import web

from nodegraph import locations
from nodegraph.digests import DigestCache
from nodegraph.files import Folders
from nodegraph.server.keys import LOCAL, REGISTRY, SETTINGS
from nodegraph.server.problems import Problem, too_large
from nodegraph.server.security.media import check_upload
from nodegraph.server.security.paths import (
    find_inside,
    make_inside,
    safe_name,
    safe_subfolder,
    user_folder,
)
from nodegraph.server.settings import ServerSettings

Kind = Literal["output", "temp", "input"]
USERS = "users"
"""The folder, within that of the outputs, of all users but the local one."""
CHUNK_BYTES = 1 << 18
MAX_NUMBERED = 10_000
UNFINISHED = ".unfinished-"

_keeping = threading.Lock()


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that was uploaded.

    Attributes:
        name: its name; another than was asked for where that was taken.
        subfolder: the folder it lies in, below the one of its kind; empty for that itself.
        kind: ``input``, ``output`` or ``temp``.
        digest: hexadecimal SHA-256 of its content.
        size: in bytes.
        media_type: by its content.
    """

    name: str
    subfolder: str
    kind: Kind
    digest: str
    size: int
    media_type: str


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that has arrived whole, under a name of its own; else as ``StoredFile``."""

    path: Path
    name: str
    kind: Kind
    digest: str
    size: int
    media_type: str


class UserStorage:
    """The folders of one user, in which names from outside are safe; may be used from any thread.

    Attributes:
        output: where their pictures go.
        temp: where their previews go.
        uploads: where the files lie that they uploaded; searched before the shared inputs.
        workflows: where the workflows lie that they saved.
    """

    def __init__(self, settings: ServerSettings, user: str = LOCAL, inputs: Sequence[Path] = ()) -> None:
        """``inputs`` are the shared folders of input files besides those of the settings."""
        folder = user_folder(user)
        self._settings, self._local = settings, user == LOCAL
        self.output = settings.output if self._local else settings.output / USERS / folder
        self.temp = settings.previews / folder
        self.uploads = settings.uploads / folder
        self.workflows = settings.data / "workflows" / folder
        self._inputs = (self.uploads, *settings.inputs, *inputs)

    def folders(self, shared: Folders) -> Folders:
        """The folders of this user's engine: those that all share, with their own files before them."""
        return replace(
            shared,
            output=self.output,
            temporary=self.temp,
            inputs=(self.uploads, *(folder for folder in shared.inputs if folder != self.uploads)),
            closed=(USERS,) if self._local else (),
            any_path=False,
        )

    def find(self, kind: str, subfolder: str, name: str) -> Path:
        """The real path of a file.

        Raises:
            Problem: there is none, it is no name of a file, or it lies outside.
        """
        place, plain = self._place(kind, subfolder), safe_name(name)
        found = find_inside(self._roots(kind), place, plain)
        if found is None:
            raise no_file(plain)
        return found

    def _place(self, kind: str, subfolder: str) -> PurePosixPath:
        place = safe_subfolder(subfolder)
        first = place.parts[0].casefold() if place.parts else ""
        if self._local and kind == "output" and first == USERS:
            raise no_file(subfolder)
        return place

    def _roots(self, kind: str) -> tuple[Path, ...]:
        roots = {"output": (self.output,), "temp": (self.temp,), "input": self._inputs}
        if kind not in roots:
            kinds = ", ".join(get_args(Kind))
            raise Problem(400, "invalid_request", f"a file is of the kind {kinds}, not {kind[:40]!r}")
        return roots[kind]

    async def save_upload(
        self,
        chunks: AsyncIterator[bytes],
        name: str,
        *,
        kind: Kind = "input",
        subfolder: str = "",
        overwrite: bool = False,
    ) -> StoredFile:
        """Keep a file whole or not at all.

        Where the name is taken by a file of the same content, that is the answer; by another, the new one
        is called ``name (1)``, unless it shall be overwritten.

        Args:
            chunks: its content as it arrives.
            name: what it shall be called.
            kind: the folder it goes to.
            subfolder: the folder in that.
            overwrite: whether a file of that name is replaced.

        Raises:
            Problem: the name is none, the file is too large or of a kind that is not taken, the user has
                too many, or the upload stands still.
        """
        self._place(kind, subfolder)  # a wrong one is told before anything is received
        async with self.receiving(chunks, name, kind=kind) as upload:
            return await self.keep(upload, subfolder=subfolder, overwrite=overwrite)

    @asynccontextmanager
    async def receiving(
        self, chunks: AsyncIterator[bytes], name: str, *, kind: Kind = "input", besides: int = 0
    ) -> AsyncIterator[Upload]:
        """A file that has arrived whole, and is gone when the block ends unless it was kept by then.

        Args:
            chunks: its content as it arrives.
            name: what it shall be called.
            kind: the folder it goes to.
            besides: bytes of other files that arrived with it.

        Raises:
            Problem: the name is none, the file is too large or of a kind that is not taken, the user has
                too many, or the upload stands still.
        """
        plain, root = safe_name(name), self._roots(kind)[0]
        room = await asyncio.to_thread(self.room, root) - besides
        folder = await asyncio.to_thread(make_inside, root, PurePosixPath())
        with _unfinished(folder) as path:
            size, digest = await self._receive(chunks, path, min(room, self._settings.max_upload))
            type = await asyncio.to_thread(check_upload, path, plain, max_pixels=self._settings.max_pixels)
            yield Upload(path, plain, kind, digest, size, type)

    async def keep(self, upload: Upload, *, subfolder: str = "", overwrite: bool = False) -> StoredFile:
        """Give a file that arrived its place; see ``save_upload``."""
        place, root = self._place(upload.kind, subfolder), self._roots(upload.kind)[0]
        folder = await asyncio.to_thread(make_inside, root, place)
        kept = await asyncio.to_thread(self._keep, upload, root, folder / upload.name, overwrite)
        where = "" if place == PurePosixPath() else str(place)
        return StoredFile(kept.name, where, upload.kind, upload.digest, upload.size, upload.media_type)

    def _keep(self, arrived: Upload, root: Path, target: Path, overwrite: bool) -> Path:
        with _keeping:  # several that arrive at once must not exceed together what each may take
            if self.room(root) < arrived.size:
                raise _full("other uploads took up what room there was; delete some")
            return _named(arrived, target, overwrite)

    def room(self, root: Path) -> int:
        """How many bytes the user may still keep in a folder.

        Raises:
            Problem: none, or there are as many files as there may be.
        """
        sizes = [path.stat().st_size for path in files_below(root)]
        if len(sizes) >= self._settings.max_files:
            raise _full(f"you have {len(sizes)} files there, and no more are kept; delete some")
        left = self._settings.quota - sum(sizes)
        if left <= 0:
            raise _full(f"your files take up all of {self._settings.quota} bytes; delete some")
        return left

    async def _receive(self, chunks: AsyncIterator[bytes], path: Path, limit: int) -> tuple[int, str]:
        digest, size = hashlib.sha256(), 0
        with path.open("wb") as stream:
            while chunk := await self._next(chunks):
                size += len(chunk)
                if size > limit:
                    raise too_large("the file", limit)
                digest.update(chunk)
                await asyncio.to_thread(stream.write, chunk)
            stream.flush()
            await asyncio.to_thread(os.fsync, stream.fileno())
        if not size:
            raise Problem(400, "invalid_request", "the file is empty")
        return size, digest.hexdigest()

    async def _next(self, chunks: AsyncIterator[bytes]) -> bytes:
        try:
            async with asyncio.timeout(self._settings.upload_idle):
                return await anext(chunks, b"")
        except TimeoutError:
            raise Problem(408, "invalid_request", "the upload stood still for too long") from None

    def uploaded(self) -> list[Path]:
        """Every uploaded file, by name."""
        return sorted(files_below(self.uploads))

    def delete_upload(self, subfolder: str, name: str) -> None:
        """Delete an uploaded file.

        Raises:
            Problem: there is none.
        """
        found = find_inside([self.uploads], safe_subfolder(subfolder), safe_name(name))
        if found is None:
            raise no_file(name)
        found.unlink(missing_ok=True)

    def made(self, digest: str, digests: DigestCache) -> Path | None:
        """A file that jobs of the user made, by its content."""
        hidden = self.output / USERS if self._local else None
        for path in (*files_below(self.output, hidden), *files_below(self.temp)):
            if digests.digest(path) == digest:
                return path
        return None


def storage_of(app: web.Application, user: str) -> UserStorage:
    """The files of a user of a server, with the input files that all its users share."""
    packs = (pack.folder / "inputs" for pack in app[REGISTRY].packs.values() if pack.folder)
    return UserStorage(app[SETTINGS], user, (locations.data_folder() / "inputs", *packs))


def no_file(name: str) -> Problem:
    """The answer about a file that is not there, or is another user's."""
    return Problem(404, "not_found", f"there is no file {name[:200]!r}")


def files_below(root: Path, but: Path | None = None) -> Iterator[Path]:
    """Every file below a folder that is neither hidden nor reached by a link.

    Args:
        but: a folder that is left out.

    Raises:
        OSError: nobody may look into it: it is not empty because of that. A folder in it may stay closed.
    """

    def refuse(error: OSError) -> None:
        if error.filename == str(root) and not isinstance(error, FileNotFoundError):
            raise error

    for current, folders, names in os.walk(root, onerror=refuse):
        here = Path(current)
        folders[:] = sorted(name for name in folders if not name.startswith(".") and here / name != but)
        for name in sorted(names):
            path = here / name
            if not name.startswith(".") and path.is_file() and not path.is_symlink():
                yield path


async def in_chunks(data: bytes | Iterable[bytes]) -> AsyncIterator[bytes]:
    """Bytes that are at hand, as ``save_upload`` takes them."""
    for chunk in (data,) if isinstance(data, bytes) else data:
        yield chunk


def _full(why: str) -> Problem:
    return Problem(507, "too_large", why)


@contextmanager
def _unfinished(folder: Path) -> Iterator[Path]:
    """A file of its own in a folder, which is gone afterwards unless it was given another name."""
    handle, name = tempfile.mkstemp(dir=folder, prefix=UNFINISHED)
    os.close(handle)
    path = Path(name)
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def _named(arrived: Upload, target: Path, overwrite: bool) -> Path:
    """Give a complete upload its name; two that arrive at once never get the same."""
    arrived.path.chmod(0o644)
    if overwrite:
        if target.is_dir():
            raise Problem(409, "conflict", f"a folder is called {target.name}")
        arrived.path.replace(target)  # a link of that name is replaced, not followed
        return target
    for path in (target, *(_numbered(target, number) for number in range(1, MAX_NUMBERED))):
        try:
            _move_to_new(arrived.path, path)
        except FileExistsError:
            if _holds(path, arrived):
                return path
            continue
        return path
    raise Problem(409, "conflict", f"there are {MAX_NUMBERED} files called {target.name} already")


def _move_to_new(path: Path, target: Path) -> None:
    """Move a file to a name that nothing has.

    Raises:
        FileExistsError: something has it.
    """
    try:
        os.link(path, target)
    except FileExistsError:
        raise
    except OSError:  # a file system without links: take the name first
        target.open("xb").close()
        path.replace(target)


def _numbered(path: Path, number: int) -> Path:
    return path.with_name(f"{path.stem} ({number}){path.suffix}")


def _holds(path: Path, arrived: Upload) -> bool:
    """Whether a file has the content that arrived."""
    if path.is_symlink() or not path.is_file() or path.stat().st_size != arrived.size:
        return False
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest() == arrived.digest
