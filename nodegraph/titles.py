"""Titles of nodes: words that people read, made from the names of functions."""

from __future__ import annotations

import re

_BETWEEN_WORDS = re.compile(r"_|(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_SMALL = frozenset({"and", "at", "by", "for", "from", "in", "of", "on", "to", "with"})


def title_of(id: str) -> str:
    """The name of a node type in words: ``ImageToMask`` is "Image to Mask", ``pack.FreeHand`` "Free Hand"."""
    first, *rest = (word for word in _BETWEEN_WORDS.split(id.rpartition(".")[2]) if word) if id else ("",)
    words = [first, *(word.lower() if word.lower() in _SMALL else word for word in rest[:-1]), *rest[-1:]]
    return " ".join(words)
