"""Filling the chunks that a text encoder reads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nodes.text_encoders.encoder import Token

KEPT_TOGETHER = 8
"""A group of fewer tokens is moved to the next chunk rather than torn apart."""


@dataclass(frozen=True)
class Frame:
    """What stands around the tokens of a chunk.

    Attributes:
        start: token before them, if any.
        end: token after them.
        pad: fills the chunk up.
        length: tokens of a chunk, the ones around included.
        bounded: whether a prompt that is longer makes several chunks, and not one longer chunk.
    """

    start: int | None
    end: int
    pad: int
    length: int
    bounded: bool = True

    @property
    def room(self) -> float:
        """How many tokens of a prompt go into one chunk."""
        return self.length - 1 - (self.start is not None) if self.bounded else float("inf")


@dataclass(frozen=True, eq=False)
class Weighted:
    """A token and how much it counts."""

    token: Token
    weight: float = 1.0


Group = Sequence[Weighted]
"""Tokens that belong together: those of one span, or of one embedding."""
Chunk = list[Weighted]


def fill_chunks(sections: Iterable[Iterable[Group]], frame: Frame) -> list[Chunk]:
    """Chunks of equal length, each section beginning with a new one.

    Short groups stay whole; longer ones run on into the next chunk.

    Returns:
        At least one chunk.
    """
    rows = [row for groups in sections for row in _rows(groups, frame)]
    framed = [_framed(row, frame) for row in rows or [[]]]
    longest = max(len(chunk) for chunk in framed)
    return [_padded(chunk, longest, frame) for chunk in framed]


def empty_chunk(length: int, frame: Frame) -> Chunk:
    """The chunk of an empty prompt, as long as another."""
    return _padded(_framed([], frame), length, frame)


def _rows(groups: Iterable[Group], frame: Frame) -> list[Chunk]:
    rows: list[Chunk] = [[]]
    for group in groups:
        rest = list(group)
        if rows[-1] and len(rest) < KEPT_TOGETHER and len(rows[-1]) + len(rest) > frame.room:
            rows.append([])
        while rest:
            if len(rows[-1]) >= frame.room:
                rows.append([])
            taken = len(rest) if not frame.bounded else int(frame.room) - len(rows[-1])
            rows[-1].extend(rest[:taken])
            rest = rest[taken:]
    return rows


def _framed(row: Chunk, frame: Frame) -> Chunk:
    start = [] if frame.start is None else [Weighted(frame.start)]
    return _padded([*start, *row, Weighted(frame.end)], frame.length, frame)


def _padded(chunk: Chunk, length: int, frame: Frame) -> Chunk:
    return chunk + [Weighted(frame.pad)] * (length - len(chunk))
