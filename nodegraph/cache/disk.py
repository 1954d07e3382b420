"""Results on disk: they outlive the process, are shared by processes, and are checked when read."""

from __future__ import annotations

import logging
import os
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from nodegraph.cache.eviction import StoredFile, files_in, remove_unused, shrink
from nodegraph.cache.keys import Key
from nodegraph.cache.ledger import Ledger
from nodegraph.cache.record import Document, Packed, check_blob, pack, read_document, restore
from nodegraph.cache.store import Entry, StoreInfo
from nodegraph.errors import CodecError
from nodegraph.system_errors import system_message

logger = logging.getLogger(__name__)

EVICT_TO = 0.9
ABANDONED_SECONDS = 3600.0
KEY_NAME = re.compile("[0-9a-f]{64}")
DOCUMENT, BLOB, TEMPORARY = ".json", ".safetensors", ".tmp"


class DiskStore:
    """Keeps results below a folder: ``entries/<key>.json``, and ``blobs/<digest>.safetensors`` with tensors.

    - A blob is named by its content, so equal tensors of many results are stored once.
    - Files are written elsewhere and renamed into place, so a killed process leaves whole files and some
      temporary ones, which are swept later. Nothing is synced to disk: a power cut may leave a file torn,
      but then its checksum is wrong and the result is computed again, which is cheaper than a sync for each.
    - Modification times say when a file was last used. A blob is never older than a document that names
      it; so when the oldest files go first, no document outlives its blob, and a blob that nothing names
      any more goes in its turn.
    - What cannot be written (disk full, folder read-only) is logged once and not kept; no run fails of it.
    """

    def __init__(self, folder: Path, limit_bytes: int) -> None:
        """Nothing is created before the first result is put in."""
        self.folder = folder
        self._limit = limit_bytes
        self._entries, self._blobs, self._temporary = (
            folder / name for name in ("entries", "blobs", "temporary")
        )
        self._entry_prefix = f"{self._entries}{os.sep}"
        self._ledger = Ledger(folder / "usage.sqlite", self._count)
        self._swept = False
        self._warned = False

    def contains(self, key: Key) -> bool:
        """Whether there is a document; it and its blob are checked only by ``get``."""
        return os.access(
            f"{self._entry_prefix}{key.hex()}{DOCUMENT}", os.F_OK
        )  # pathlib takes 4 times as long

    def get(self, key: Key) -> Entry | None:
        """The result, checked byte for byte; a damaged one is removed and ``None`` returned."""
        try:
            document = self._read(key)
            if document is None:
                return None
            entry = restore(document, self._read_blob(document))
        except CodecError as error:
            self._discard(key, error)
            return None
        except OSError as error:
            self._warn("read", error)
            return None
        self._touch(key, document)
        return entry

    def put(self, key: Key, entry: Entry) -> bool:
        """Keep a result; when this returns ``True`` it survives the process.

        Returns:
            ``False`` if it is larger than nine tenths of the limit, cannot be encoded or cannot be written.
        """
        try:
            packed = pack(key, entry)
        except CodecError as error:
            logger.debug("a result of %s is not kept on disk: %s", entry.node_type, error)
            return False
        if packed.size > self._limit * EVICT_TO:
            return False
        try:
            self._write(key, packed)
        except OSError as error:
            self._warn("written", error)
            return False
        self._warned = False
        return True

    def delete(self, key: Key) -> None:
        """Forget one result; a blob that no other one names goes when its time comes."""
        self._entry_path(key).unlink(missing_ok=True)

    def clear(self) -> None:
        """Forget all results."""
        if self.folder.is_dir():
            self._ledger.recount(lambda: self._shrink(0))

    def info(self) -> StoreInfo:
        """How full it is, counted file by file."""
        documents = sum(not file.is_blob for file in self._files())
        return StoreInfo(documents, self._count(), self._limit)

    def verify(self) -> list[Key]:
        """Check every result, and remove the damaged ones and the blobs that no result names."""
        damaged: list[Key] = []
        named: set[str] = set()
        for key in self._keys():
            try:
                document = self._read(key)
                if document is not None and document.digest is not None:
                    self._read_blob(document)
                    named.add(document.digest)
            except CodecError as error:
                self._discard(key, error)
                damaged.append(key)
        blobs = files_in(self._blobs, BLOB, are_blobs=True)
        remove_unused((blob for blob in blobs if blob.stem not in named), ABANDONED_SECONDS)
        return damaged

    def _keys(self) -> list[Key]:
        return [bytes.fromhex(file.stem) for file in self._files() if not file.is_blob]

    def _files(self) -> Iterator[StoredFile]:
        yield from (f for f in files_in(self._entries, DOCUMENT) if KEY_NAME.fullmatch(f.stem))
        yield from files_in(self._blobs, BLOB, are_blobs=True)

    def _count(self) -> int:
        """All bytes, those of results just being written included."""
        temporary = files_in(self._temporary, TEMPORARY)
        return sum(file.size for files in (self._files(), temporary) for file in files)

    def _shrink(self, target: int) -> int:
        return shrink(self._files(), self._count(), target)

    def _entry_path(self, key: Key) -> Path:
        return self._entries / f"{key.hex()}{DOCUMENT}"

    def _blob_path(self, digest: str) -> Path:
        return self._blobs / f"{digest}{BLOB}"

    def _read(self, key: Key) -> Document | None:
        try:
            return read_document(key, self._entry_path(key).read_bytes())
        except FileNotFoundError:
            return None

    def _read_blob(self, document: Document) -> bytes:
        """The blob that goes with a document; a damaged one is removed."""
        if document.digest is None:
            return b""
        path = self._blob_path(document.digest)
        try:
            blob = path.read_bytes()
            check_blob(document, blob)
        except FileNotFoundError:
            raise CodecError("its tensors are gone") from None
        except CodecError:
            path.unlink(missing_ok=True)
            raise
        return blob

    def _discard(self, key: Key, error: CodecError) -> None:
        logger.warning("the stored result %s cannot be used and is removed: %s", key.hex(), error)
        with suppress(OSError):
            self.delete(key)

    def _warn(self, done: str, error: OSError) -> None:
        level = logging.DEBUG if self._warned else logging.WARNING
        logger.log(level, "results cannot be %s in %s: %s", done, self.folder, system_message(error))
        self._warned = True

    def _touch(self, key: Key, document: Document) -> None:
        now = time.time_ns()
        with suppress(OSError):  # evicted meanwhile, or not ours to write: it only tells what was used last
            if document.digest is not None:
                os.utime(self._blob_path(document.digest), ns=(now, now))
            os.utime(self._entry_path(key), ns=(now, now))

    def _write(self, key: Key, packed: Packed) -> None:
        self._prepare()
        now = time.time_ns()
        written: list[tuple[Path, Path]] = []
        try:
            if packed.blob and not self._has_blob(packed, now):
                written.append((self._write_temporary(packed.blob, now), self._blob_path(packed.digest)))
            written.append((self._write_temporary(packed.document, now), self._entry_path(key)))
            # Counted before they are in place: whoever is killed here leaves the total too high, not too low.
            total = self._ledger.add(sum(temporary.stat().st_size for temporary, _ in written))
            for temporary, path in written:
                temporary.replace(path)
        finally:
            for temporary, _ in written:
                temporary.unlink(missing_ok=True)
        if total > self._limit:
            self._ledger.recount(lambda: self._shrink(int(self._limit * EVICT_TO)))

    def _prepare(self) -> None:
        for folder in (self._entries, self._blobs, self._temporary):
            folder.mkdir(parents=True, exist_ok=True)
        if not self._swept:
            self._swept = True
            remove_unused(files_in(self._temporary, TEMPORARY), ABANDONED_SECONDS)
            self._ledger.add(0)  # counts what is there before there is more

    def _has_blob(self, packed: Packed, now: int) -> bool:
        path = self._blob_path(packed.digest)
        try:
            os.utime(path, ns=(now, now))
            return path.stat().st_size == len(packed.blob)
        except FileNotFoundError:
            return False

    def _write_temporary(self, data: bytes, now: int) -> Path:
        path = self._temporary / f"{os.getpid()}-{secrets.token_hex(8)}{TEMPORARY}"
        try:
            path.write_bytes(data)
            os.utime(path, ns=(now, now))
        except OSError:
            path.unlink(missing_ok=True)
            raise
        return path
