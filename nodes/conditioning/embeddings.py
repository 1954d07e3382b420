"""Textual inversion: words that stand for learned vectors (Gal et al. 2023)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import NamedTuple

from nodegraph import File
from nodegraph.errors import FileProblem

EMBEDDINGS = "embeddings"
SUFFIXES = ("", ".safetensors", ".pt", ".bin")
EMBEDDING_MARK = "embedding:"
_WORD = re.compile(EMBEDDING_MARK + r"([^\s,()\[\]]+)")


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
