"""How one result is written down: a JSON document that vouches for itself, and a safetensors blob."""

from __future__ import annotations

import hashlib
import json
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from nodegraph.cache.keys import Key
from nodegraph.cache.store import Entry
from nodegraph.codec import decode, encode
from nodegraph.errors import CodecError

if TYPE_CHECKING:
    import torch

FORMAT = 1
HEAD, NECK = b'{"checksum":"', b'",'
DIGEST_DIGITS = 64


class Packed(NamedTuple):
    """A result ready to be written.

    Attributes:
        document: JSON; its first member is the SHA-256 of all bytes behind that member.
        blob: the tensors as one safetensors file; empty if there are none.
        digest: hexadecimal SHA-256 of the blob.
    """

    document: bytes
    blob: bytes
    digest: str

    @property
    def size(self) -> int:
        """Bytes of both."""
        return len(self.document) + len(self.blob)


class Document(NamedTuple):
    """A document read back and found intact.

    Attributes:
        tree: the encoded outputs.
        digest: hexadecimal SHA-256 of the blob that goes with it; ``None`` if none does.
        seconds: how long the result took to compute.
        node_type: id of the node type.
        created: when it was stored, in seconds since 1970.
    """

    tree: Any
    digest: str | None
    seconds: float
    node_type: str
    created: float


def pack(key: Key, entry: Entry) -> Packed:
    """Write a result down.

    Raises:
        CodecError: an output cannot be stored.
    """
    encoded = encode(entry.outputs)
    blob = _save(encoded.tensors)
    digest = hashlib.sha256(blob).hexdigest()
    body = {
        "format": FORMAT,
        "key": key.hex(),
        "node_type": entry.node_type,
        "seconds": entry.seconds,
        "created": time.time(),
        "blob": {"sha256": digest, "bytes": len(blob)} if blob else None,
        "outputs": encoded.tree,
    }
    rest = json.dumps(body, separators=(",", ":"))[1:].encode()
    return Packed(HEAD + hashlib.sha256(rest).hexdigest().encode() + NECK + rest, blob, digest)


def read_document(key: Key, data: bytes) -> Document:
    """Read the document stored under ``key``.

    Raises:
        CodecError: it is damaged, of another format, or belongs to another key.
    """
    start = len(HEAD) + DIGEST_DIGITS + len(NECK)
    rest = data[start:]
    if data[:start] != HEAD + hashlib.sha256(rest).hexdigest().encode() + NECK:
        raise CodecError("its checksum is wrong")
    try:
        return _document(key, json.loads(b"{" + rest))
    except (ValueError, LookupError, TypeError) as error:
        raise CodecError(f"it is no document of a result: {error!r}") from error


def _document(key: Key, body: dict[str, Any]) -> Document:
    if body["format"] != FORMAT:
        raise CodecError(f"its format is {body['format']}, not {FORMAT}")
    if body["key"] != key.hex():
        raise CodecError("it belongs to another key")
    digest = body["blob"]["sha256"] if body["blob"] else None
    return Document(body["outputs"], digest, body["seconds"], body["node_type"], body["created"])


def check_blob(document: Document, blob: bytes) -> None:
    """Raise ``CodecError`` unless the blob is the one the document names."""
    if hashlib.sha256(blob).hexdigest() != document.digest:
        raise CodecError("its tensors are damaged")


def restore(document: Document, blob: bytes) -> Entry:
    """Make the result again from what has been checked.

    Raises:
        CodecError: the outputs name a class that is not at hand, or are no outputs at all.
    """
    outputs = decode(document.tree, _load(blob))
    if not isinstance(outputs, tuple):
        raise CodecError("its outputs are no tuple")
    return Entry(outputs, document.seconds, document.node_type)


def _save(tensors: dict[str, torch.Tensor]) -> bytes:
    if not tensors:
        return b""
    from safetensors.torch import save

    return bytes(save(tensors))


def _load(blob: bytes) -> dict[str, torch.Tensor]:
    if not blob:
        return {}
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        return dict(load(blob))
    except SafetensorError as error:
        raise CodecError(f"its tensors cannot be read: {error}") from error
