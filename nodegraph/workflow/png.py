"""Workflows inside PNG files: the text chunks that saved pictures carry (PNG specification, 11.3.3)."""

from __future__ import annotations

import io
import os
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from nodegraph.errors import WorkflowError
from nodegraph.system_errors import system_reason
from nodegraph.workflow.comfy import export_comfy
from nodegraph.workflow.schema import Workflow
from nodegraph.workflow.writing import dump_json, dump_workflow

if TYPE_CHECKING:
    from nodegraph.registry import NodeRegistry

SIGNATURE = b"\x89PNG\r\n\x1a\n"
OWN_CHUNK = "nodegraph"
COMFY_CHUNK = "prompt"
COMFY_EDITOR_CHUNK = "workflow"
SWEEP_CHUNK = "nodegraph_sweep"
MAX_TEXT_BYTES = 64 << 20
MAX_CHUNKS = 200_000


def workflow_metadata(workflow: Workflow, registry: NodeRegistry) -> dict[str, str]:
    """The text chunks that a saved picture shall carry, by keyword.

    ``nodegraph`` is the workflow itself; ``prompt`` is ComfyUI's API format, where that can express it.
    Empty for a workflow built in Python from objects that no file can hold.
    """
    try:
        chunks = {OWN_CHUNK: dump_workflow(workflow, indent=None)}
    except WorkflowError:
        return {}
    with suppress(WorkflowError):  # subgraphs and gathered links have no words there
        chunks[COMFY_CHUNK] = dump_json(export_comfy(workflow, registry, complete=True))
    return chunks


def png_workflow_text(source: str | os.PathLike[str] | bytes) -> str:
    """The JSON text of the workflow that a PNG carries: its own, else one that ComfyUI wrote.

    Raises:
        WorkflowError: the file is no PNG, carries no workflow, or a damaged text.
    """
    if isinstance(source, bytes):
        texts = png_texts(io.BytesIO(source))
    else:
        try:
            with Path(source).open("rb") as stream:
                texts = png_texts(stream)
        except OSError as error:
            raise WorkflowError(f"cannot be read: {system_reason(error)}") from None
    for keyword in (OWN_CHUNK, COMFY_CHUNK, COMFY_EDITOR_CHUNK):
        if keyword in texts:
            return texts[keyword]
    raise WorkflowError(
        "the picture carries no workflow; it was saved without metadata or by another program"
    )


def png_texts(stream: BinaryIO) -> dict[str, str]:
    """The workflow texts of a PNG by keyword; pixels are skipped, other texts are not kept.

    Raises:
        WorkflowError: it is no PNG, a chunk is damaged, or a text is larger than ``MAX_TEXT_BYTES``.
    """
    if stream.read(len(SIGNATURE)) != SIGNATURE:
        raise WorkflowError("not a PNG file")
    texts: dict[str, str] = {}
    for kind, data in _text_chunks(stream):
        keyword, _, rest = data.partition(b"\0")
        name = keyword.decode("latin-1")
        if name in (OWN_CHUNK, COMFY_CHUNK, COMFY_EDITOR_CHUNK, SWEEP_CHUNK):
            texts.setdefault(name, _DECODERS[kind](rest))
    return texts


def _text_chunks(stream: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    for _ in range(MAX_CHUNKS):
        header = stream.read(8)
        if len(header) < 8 or header[4:] == b"IEND":
            return
        length, kind = int.from_bytes(header[:4]), header[4:]
        if kind not in _DECODERS:
            stream.seek(length + 4, os.SEEK_CUR)
            continue
        if length > MAX_TEXT_BYTES:
            raise WorkflowError(f"a text in the PNG is larger than {MAX_TEXT_BYTES >> 20} MiB")
        yield kind, _checked(stream, kind, length)
    raise WorkflowError(f"the PNG has more than {MAX_CHUNKS} chunks")


def _checked(stream: BinaryIO, kind: bytes, length: int) -> bytes:
    data, checksum = stream.read(length), stream.read(4)
    if len(data) < length or len(checksum) < 4:
        raise WorkflowError("the PNG ends in the middle of a text")
    if zlib.crc32(data, zlib.crc32(kind)) != int.from_bytes(checksum):
        raise WorkflowError("a text in the PNG is damaged: its checksum is wrong")
    return data


def _plain_text(data: bytes) -> str:
    return data.decode("latin-1")


def _compressed_text(data: bytes) -> str:
    return _inflate(data[1:]).decode("latin-1")  # one byte names the method; there is only deflate


def _international_text(data: bytes) -> str:
    compressed, (_language, _, rest) = data[:1] == b"\1", data[2:].partition(b"\0")
    _translated_keyword, _, text = rest.partition(b"\0")
    try:
        return (_inflate(text) if compressed else text).decode()
    except UnicodeDecodeError:
        raise WorkflowError("a text in the PNG is not UTF-8") from None


def _inflate(data: bytes) -> bytes:
    decompressor = zlib.decompressobj()
    try:
        text = decompressor.decompress(data, MAX_TEXT_BYTES)
    except zlib.error as error:
        raise WorkflowError(f"a text in the PNG is damaged: {error}") from None
    if decompressor.unconsumed_tail:
        raise WorkflowError(f"a text in the PNG unpacks to more than {MAX_TEXT_BYTES >> 20} MiB")
    if not decompressor.eof:
        raise WorkflowError("a text in the PNG is damaged: it is cut off")
    return text


_DECODERS = {b"tEXt": _plain_text, b"zTXt": _compressed_text, b"iTXt": _international_text}
