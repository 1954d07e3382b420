"""Captions that have little room, and still say what is special about each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import takewhile

ELLIPSIS = "…"


def tell_apart(texts: Sequence[str], fits: Callable[[str], bool]) -> list[str]:
    """The texts, those that do not fit made shorter; the part in which they differ is kept.

    What all begin with goes first, then what all end with, then the end of what is left.

    Args:
        texts: captions that stand beside one another; equal ones are as one.
        fits: whether there is room for a text. What fits must do so when it is shorter.
    """
    start, end = _shared(list(dict.fromkeys(texts)))
    return [text if fits(text) else _shortened(text, start, end, fits) for text in texts]


def _shared(texts: Sequence[str]) -> tuple[int, int]:
    """How many characters all texts begin with, and end with; words are not taken apart."""
    if len(texts) < 2:
        return 0, 0
    start = _whole_words(_beginning(texts))
    end = _whole_words(_beginning([text[start:][::-1] for text in texts]))
    return start, end


def _beginning(texts: Sequence[str]) -> str:
    alike = takewhile(lambda characters: len(set(characters)) == 1, zip(*texts, strict=False))
    return "".join(characters[0] for characters in alike)


def _whole_words(shared: str) -> int:
    return shared.rfind(" ") + 1 or len(shared)


def _shortened(text: str, start: int, end: int, fits: Callable[[str], bool]) -> str:
    before = ELLIPSIS if start else ""
    without_start = before + text[start:]
    if fits(without_start):
        return without_start
    middle = before + text[start : len(text) - end].strip()
    if end and fits(middle + ELLIPSIS):
        return middle + ELLIPSIS
    low, high = 0, len(middle)
    while low < high:
        count = (low + high + 1) // 2
        low, high = (count, high) if fits(middle[:count] + ELLIPSIS) else (low, count - 1)
    return middle[:low].rstrip() + ELLIPSIS
