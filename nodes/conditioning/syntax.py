"""The syntax of prompts: weights, escapes and breaks.

``(words)`` weigh 1.1 times as much as what surrounds them, ``[words]`` 1/1.1 times, ``(words:1.3)`` weigh
1.3 whatever surrounds them. Brackets nest. ``\\(``, ``\\)``, ``\\[``, ``\\]`` and ``\\\\`` stand for the
characters themselves, and so does a bracket without its partner. The word ``BREAK`` ends a section: what
follows is encoded apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

EMPHASIS = 1.1
_PARTNERS = {")": "(", "]": "["}
_TOKENS = re.compile(
    r"(?P<escape>\\[\\()\[\]])"
    r"|(?P<weighted>:\s*+[+-]?(?:\d++(?:\.\d*+)?|\.\d++)\s*+\))"  # never going back: time stays linear
    r"|(?P<bracket>[()\[\]])"
    r"|(?P<text>[^\\()\[\]:]+|.)",
    re.DOTALL,
)
_SPECIAL = re.compile(r"[\\()\[\]]")
_BREAK = re.compile(r"\bBREAK\b")


@dataclass(frozen=True)
class Span:
    """Words of one weight.

    Attributes:
        text: the words, without syntax.
        weight: how much they count; 1 is as the model was trained.
    """

    text: str
    weight: float = 1.0


Section = tuple[Span, ...]


def parse_prompt(prompt: str) -> list[Section]:
    """The sections of a prompt; every text is a valid prompt.

    Returns:
        At least one section; only a prompt without words has one without spans.
    """
    sections: list[list[Span]] = [[]]
    for span in _spans(prompt):
        first, *rest = _BREAK.split(span.text)
        sections[-1].append(Span(first, span.weight))
        sections.extend([Span(text, span.weight)] for text in rest)
    kept = (tuple(span for span in section if span.text.strip()) for section in sections)
    return [section for section in kept if section] or [()]


def escape(text: str) -> str:
    """A prompt that means ``text`` itself, as far as brackets go."""
    return _SPECIAL.sub(r"\\\g<0>", text)


class _Token(NamedTuple):
    kind: str
    text: str

    @property
    def closes(self) -> str | None:
        """The bracket that opens what this one closes."""
        return _PARTNERS.get(self.text[-1]) if self.kind in ("bracket", "weighted") else None

    @property
    def literal(self) -> str:
        return self.text[1:] if self.kind == "escape" else self.text


def _spans(prompt: str) -> Iterator[Span]:
    tokens = [_Token(str(match.lastgroup), match[0]) for match in _TOKENS.finditer(prompt)]
    partners = _partners(tokens)
    weights, words = [1.0], ""
    for index, token in enumerate(tokens):
        if index not in partners:
            words += token.literal
            continue
        yield Span(words, weights[-1])
        words = ""
        if token.closes:
            weights.pop()
        else:
            weights.append(_weight(token, tokens[partners[index]], weights[-1]))
    yield Span(words, weights[-1])


def _weight(opening: _Token, closing: _Token, around: float) -> float:
    if closing.kind == "weighted":
        return float(closing.text[1:-1])
    return around * EMPHASIS if opening.text == "(" else around / EMPHASIS


def _partners(tokens: Sequence[_Token]) -> dict[int, int]:
    """Index of the partner of each bracket that has one."""
    partners: dict[int, int] = {}
    waiting: list[int] = []
    counts = {"(": 0, "[": 0}
    for index, token in enumerate(tokens):
        opener = token.closes
        if opener is None:
            if token.kind == "bracket":
                waiting.append(index)
                counts[token.text] += 1
        elif counts[opener]:
            other = _reopen(tokens, waiting, counts, opener)
            partners[other], partners[index] = index, other
    return partners


def _reopen(tokens: Sequence[_Token], waiting: list[int], counts: dict[str, int], opener: str) -> int:
    """Take the last waiting ``opener``; brackets opened after it stay without a partner."""
    while True:
        index = waiting.pop()
        counts[tokens[index].text] -= 1
        if tokens[index].text == opener:
            return index
