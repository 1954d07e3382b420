"""Files of textual inversions: safetensors, and where the user allows it pickles of plain tensors."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from nodegraph.errors import FileProblem
from nodes.weights.finite import check_finite
from nodes.weights.header import FLOATS, Header, UnknownFileError, read_header
from nodes.weights.libraries import library_class

SAFETENSORS = ".safetensors"
PICKLED = (".pt", ".bin")
_ENCODER_NAMES = {"clip_l": "l", "clip_g": "g", "clip_h": "h"}
_PICKLE_MARK = b"\x80"
_BY_TOKEN = "string_to_param"
NO_VECTORS = "holds no vectors [count, width]"
NOT_ALLOWED = (
    "is a pickle, which can hold a program; convert it to safetensors, or let plain tensors be read from "
    "such files with --allow-pickles"
)
NOT_PLAIN = (
    "it is damaged, or a pickle of more than plain tensors, which is never loaded; convert it to safetensors"
)


def embedding_widths(path: Path, *, pickles: bool) -> Mapping[str, int]:
    """Width of the vectors of an embedding, told by its header; no vector is read.

    Args:
        pickles: whether pickled files may be read.

    Returns:
        By name of the text encoder, as of ``read_embedding``; empty for pickles, which have no header.

    Raises:
        FileProblem: it is damaged, holds no vectors, or is a pickle that may not be read.
    """
    if _is_pickled(path, pickles):
        _check_pickled(path)
        return {}
    try:
        header = read_header(path)
    except UnknownFileError as problem:
        raise FileProblem(f"embedding {path.name!r} cannot be read: {problem}") from problem
    return {name: _width(path, header, key) for name, key in _by_encoder(list(header.shapes)).items()}


def read_embedding(path: Path, *, pickles: bool) -> Mapping[str, Tensor]:
    """The vectors of an embedding, ``[vectors, width]``.

    The layouts of safetensors files, of A1111 (``string_to_param``) and of diffusers (one entry that is
    named after its token) are read.

    Args:
        pickles: whether pickled files may be read; of those, plain tensors only.

    Returns:
        By name of the text encoder; ``""`` for vectors that are for any encoder as wide as they are.

    Raises:
        FileProblem: it holds no vectors, or NaN or infinity in them, or is a pickle that may not be read.
    """
    read = _unpickled if _is_pickled(path, pickles) else _safetensors
    try:
        found = read(path)
    except (ValueError, OSError) as error:
        raise FileProblem(f"embedding {path.name!r} cannot be read: {error}") from error
    except Exception as error:  # torch.load's have no common class, and tell how to run the code in a file
        raise FileProblem(f"embedding {path.name!r} cannot be read: {NOT_PLAIN}") from error
    tensors = [name for name, value in found.items() if isinstance(value, Tensor)]
    return {name: _checked(path, key, found.get(key)) for name, key in _by_encoder(tensors).items()}


def fitting(name: str, found: Mapping[str, Tensor], widths: Mapping[str, int]) -> Mapping[str, Tensor]:
    """The vectors of an embedding that each text encoder can read.

    Args:
        name: of the embedding, for complaints.
        found: what ``read_embedding`` gave.
        widths: width of the token vectors of each encoder.

    Raises:
        FileProblem: no encoder can read any.
    """
    candidates = {encoder: found.get(encoder, found.get("")) for encoder in widths}
    fit = {
        encoder: vectors
        for encoder, vectors in candidates.items()
        if vectors is not None and vectors.shape[1] == widths[encoder]
    }
    if not fit:
        given = ", ".join(f"{key} {value.shape[1]}".strip() for key, value in found.items())
        wanted = ", ".join(f"{key} {width}" for key, width in widths.items())
        raise FileProblem(f"embedding {name!r} has vectors of width {given}; the text encoder takes {wanted}")
    return fit


def _is_pickled(path: Path, allowed: bool) -> bool:
    """Whether a file is read as a pickle, and not as safetensors."""
    if path.suffix == SAFETENSORS:
        return False
    if path.suffix not in PICKLED:
        raise FileProblem(f"embedding {path.name!r} is no file of the kind {SAFETENSORS}")
    if not allowed:
        raise FileProblem(f"embedding {path.name!r} {NOT_ALLOWED}")
    return True


def _check_pickled(path: Path) -> None:
    """Complain of what torch cannot have written: it writes archives, and once wrote bare pickles."""
    with path.open("rb") as file:
        start = file.read(1)
    if start != _PICKLE_MARK and not zipfile.is_zipfile(path):
        raise FileProblem(f"embedding {path.name!r} cannot be read: {NOT_PLAIN}")


def _by_encoder(names: list[str]) -> dict[str, str]:
    """Which tensor is for which text encoder; the first one for any where none is named after an encoder."""
    named = {short: long for long, short in _ENCODER_NAMES.items() if long in names}
    return named or {"": names[0] if names else ""}


def _width(path: Path, header: Header, name: str) -> int:
    shape = header.shapes.get(name, ())
    if len(shape) not in (1, 2) or header.dtypes[name] not in FLOATS:
        raise FileProblem(f"embedding {path.name!r} {NO_VECTORS}")
    return shape[-1]


def _safetensors(path: Path) -> Mapping[str, Any]:
    safe_error = library_class("safetensors", "SafetensorError")
    try:
        tensors: Mapping[str, Any] = library_class("safetensors.torch", "load_file")(path)
    except safe_error as error:
        raise ValueError(str(error)) from error
    return tensors


def _unpickled(path: Path) -> Mapping[str, Any]:
    content = torch.load(path, map_location="cpu", weights_only=True)
    if isinstance(content, Tensor):
        return {"": content}
    if not isinstance(content, Mapping):
        raise ValueError(f"it holds a {type(content).__name__}")
    inner = content.get(_BY_TOKEN, content)
    return inner if isinstance(inner, Mapping) else content


def _checked(path: Path, key: str, value: Any) -> Tensor:
    if not isinstance(value, Tensor) or value.ndim not in (1, 2) or not value.is_floating_point():
        raise FileProblem(f"embedding {path.name!r} {NO_VECTORS}")
    try:
        vectors = value.float()
    except RuntimeError as error:  # a type that torch knows, but cannot convert
        raise FileProblem(f"embedding {path.name!r} holds {value.dtype}, which cannot be read") from error
    try:
        check_finite(key, vectors)
    except ValueError as error:
        raise FileProblem(f"embedding {path.name!r} cannot be read: {error}") from error
    return vectors[None] if vectors.ndim == 1 else vectors
