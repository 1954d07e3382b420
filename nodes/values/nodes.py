"""Plain values: numbers, text, seeds, and lists of anything."""

from __future__ import annotations

import math
from typing import Annotated, Any, TypeVar

from pydantic import Field

from nodegraph import Widget, node
from nodegraph.errors import InputError
from nodes.types import Seed as SeedValue

T = TypeVar("T")
Anything = Annotated[Any, T]

MultilineText = Annotated[str, Widget("text", multiline=True)]


@node(category="values")
def Integer(value: int = 0) -> int:
    """A whole number.

    Args:
        value: the number.
    """
    return value


@node(category="values")
def Float(value: float = 0.0) -> float:
    """A number.

    Args:
        value: the number.
    """
    return value


@node(category="values")
def Boolean(value: bool = False) -> bool:
    """Yes or no.

    Args:
        value: the switch.
    """
    return value


@node(category="values")
def String(value: str = "") -> str:
    """A line of text.

    Args:
        value: the text.
    """
    return value


@node(category="values")
def Text(text: MultilineText = "") -> str:
    """Text of several lines, such as a prompt that several nodes share.

    Args:
        text: the text.
    """
    return text


@node(category="values", outputs=["seed"])
def Seed(seed: SeedValue = 0) -> int:
    """One seed for several nodes.

    Args:
        seed: what random numbers start from, 0 to 2**64 - 1.
    """
    return seed


@node(category="values/math", outputs=["sum"])
def AddIntegers(a: int = 0, b: int = 0) -> int:
    """a + b.

    Args:
        a: the first number.
        b: the second number.
    """
    return a + b


@node(category="values/math", outputs=["product"])
def MultiplyIntegers(a: int = 1, b: int = 1) -> int:
    """a x b.

    Args:
        a: the first number.
        b: the second number.
    """
    return a * b


@node(category="values/math", outputs=["sum"])
def AddFloats(a: float = 0.0, b: float = 0.0) -> float:
    """a + b.

    Args:
        a: the first number.
        b: the second number.
    """
    return _finite("b", a + b, f"{a} + {b}")


@node(category="values/math", outputs=["product"])
def MultiplyFloats(a: float = 1.0, b: float = 1.0) -> float:
    """a x b.

    Args:
        a: the first number.
        b: the second number.
    """
    return _finite("b", a * b, f"{a} x {b}")


@node(category="values/math", outputs=["rounded"])
def RoundToMultiple(value: float, multiple: Annotated[int, Field(ge=1)] = 1) -> int:
    """The whole number nearest to a value, or its nearest multiple; halves go up.

    Args:
        value: the number to round.
        multiple: what the result is a multiple of, such as 8 for the side of a picture.
    """
    return math.floor(_finite("value", value, "it") / multiple + 0.5) * multiple


@node(category="values/text", outputs=["text"])
def StringConcatenate(string_a: MultilineText = "", string_b: MultilineText = "", delimiter: str = "") -> str:
    """Two texts in a row.

    Args:
        string_a: the first text.
        string_b: the second text.
        delimiter: what stands between them.
    """
    return f"{string_a}{delimiter}{string_b}"


@node(category="values/text", outputs=["text"])
def JoinStrings(strings: list[str], separator: str = ", ") -> str:
    """All texts of a list in a row.

    Args:
        strings: the texts.
        separator: what stands between them.
    """
    return separator.join(strings)


@node(category="values/list", outputs=["list"])
def CreateList(items: list[Anything]) -> list[Anything]:
    """Several values as one list; a node that takes one value and is given the list runs once per element.

    Args:
        items: the values, one wire each, in order.
    """
    return list(items)


@node(category="values/list", outputs=["item"])
def GetItem(items: list[Anything], index: int = 0) -> Anything:
    """One value of a list.

    Args:
        items: the list.
        index: which one: 0 is the first, -1 the last.
    """
    if not -len(items) <= index < len(items):
        allowed = f"{-len(items)} to {len(items) - 1} would do" if items else "it has no item at all"
        raise InputError("index", f"{index} is outside a list of {len(items)}; {allowed}")
    return items[index]


@node(category="values/list", outputs=["length"])
def ListLength(items: list[Any]) -> int:
    """How many values a list has.

    Args:
        items: the list.
    """
    return len(items)


def _finite(input: str, value: float, what: str) -> float:
    if not math.isfinite(value):
        raise InputError(input, f"{what} is {value}; a finite number is needed")
    return value
