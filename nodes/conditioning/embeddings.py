"""Textual inversion: words that stand for learned vectors (Gal et al. 2023)."""

from __future__ import annotations

import pickle
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from nodegraph import File
from nodegraph.errors import FileProblem
from nodes.weights.libraries import library_class

EMBEDDINGS = "embeddings"
SUFFIXES = ("", ".safetensors", ".pt", ".bin")
EMBEDDING_MARK = "embedding:"
_WORD = re.compile(EMBEDDING_MARK + r"([^\s,()\[\]]+)")
_ENCODER_NAMES = {"clip_l": "l", "clip_g": "g", "clip_h": "h"}
_BY_TOKEN = "string_to_param"


class Embedding(NamedTuple):
    """The name of an embedding in a prompt."""

    name: str


def split_embeddings(text: str) -> Iterator[str | Embedding]:
    """The words of a text, and the embeddings that it names as ``embedding:name``, in order."""
    parts = _WORD.split(text)
    for index, part in enumerate(parts):
        if index % 2:
            yield Embedding(part)
        elif part.strip():
            yield part


def find_embedding(resolve: Callable[[str, str], File], name: str) -> File:
    """The file of an embedding, named with or without its suffix.

    Args:
        resolve: gives a file by folder and name, as a ``NodeContext`` and ``Folders`` do.

    Raises:
        FileProblem: there is none of that name.
    """
    for suffix in SUFFIXES:
        with suppress(FileProblem):
            return resolve(EMBEDDINGS, name + suffix)
    return resolve(EMBEDDINGS, name)  # complains


def read_embedding(path: Path) -> Mapping[str, Tensor]:
    """The vectors of an embedding, ``[vectors, width]``.

    The layouts of safetensors files, of A1111 (``string_to_param``) and of diffusers (one entry that is
    named after its token) are read; pickles only as plain tensors.

    Returns:
        By name of the text encoder; ``""`` for vectors that are for any encoder as wide as they are.

    Raises:
        FileProblem: it holds no vectors.
    """
    try:
        found = _read(path)
    except pickle.UnpicklingError as error:  # its own words say how to run the code in the file
        raise FileProblem(
            f"embedding {path.name!r} is a pickle of more than plain tensors, or damaged; "
            "such are never loaded: convert it to safetensors"
        ) from error
    except Exception as error:  # what torch.load raises at damaged files has no common class
        raise FileProblem(f"embedding {path.name!r} cannot be read: {error}") from error
    named = {short: found[long] for long, short in _ENCODER_NAMES.items() if long in found}
    return {name: _checked(path, value) for name, value in (named or {"": _only(found)}).items()}


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


def _read(path: Path) -> Mapping[str, Any]:
    if path.suffix == ".safetensors":
        safe_error = library_class("safetensors", "SafetensorError")
        try:
            tensors: Mapping[str, Any] = library_class("safetensors.torch", "load_file")(path)
        except safe_error as error:
            raise ValueError(str(error)) from error
        return tensors
    content = torch.load(path, map_location="cpu", weights_only=True)
    if isinstance(content, Tensor):
        return {"": content}
    if not isinstance(content, Mapping):
        raise ValueError(f"it holds a {type(content).__name__}")
    inner = content.get(_BY_TOKEN, content)
    return inner if isinstance(inner, Mapping) else content


def _only(found: Mapping[str, Any]) -> Any:
    return next((value for value in found.values() if isinstance(value, Tensor)), None)


def _checked(path: Path, value: Any) -> Tensor:
    if not isinstance(value, Tensor) or value.ndim not in (1, 2) or not value.is_floating_point():
        raise FileProblem(f"embedding {path.name!r} holds no vectors [count, width]")
    try:
        vectors = value.float()
    except RuntimeError as error:  # a type that torch knows, but cannot convert
        raise FileProblem(f"embedding {path.name!r} holds {value.dtype}, which cannot be read") from error
    return vectors[None] if vectors.ndim == 1 else vectors
