"""Names near a mistyped one.

They take time in proportion to the names there are; so of a workflow with thousands of mistakes only the
first get any, as many as somebody may read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from difflib import get_close_matches

from nodegraph.errors import MOST_LISTED

MAX_SEARCHED = 2000
MAX_LENGTH = 100


@dataclass
class _Budget:
    left: int


_budget: ContextVar[_Budget | None] = ContextVar("_budget", default=None)


@contextmanager
def bounded_hints(most: int = MOST_LISTED) -> Iterator[None]:
    """While it lasts, at most so many hints are looked for in this thread; an outer bound holds as well."""
    token = _budget.set(_budget.get() or _Budget(most))
    try:
        yield
    finally:
        _budget.reset(token)


def hints_wanted() -> bool:
    """Whether more hints may be looked for."""
    budget = _budget.get()
    return budget is None or budget.left > 0


def nearest(name: str, known: Collection[object]) -> tuple[str, ...]:
    """The known names nearest to a mistyped one, best first; letter case counts for nothing."""
    if len(known) > MAX_SEARCHED or not hints_wanted():
        return ()
    if budget := _budget.get():
        budget.left -= 1
    by_lower = {str(item).lower(): str(item) for item in known}
    return tuple(by_lower[match] for match in get_close_matches(str(name).lower()[:MAX_LENGTH], by_lower))
