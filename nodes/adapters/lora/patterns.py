"""Names of modules as PEFT's settings have them: ends of names, or regular expressions for such."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from nodes.weights.libraries import library_class

MAX_PATTERNS = 5000
MAX_LENGTH = 500
SECONDS = 0.2
"""A file may ask for an expression that takes for ever."""
_PLAIN = re.compile(r"[\w.]+")


@dataclass(frozen=True)
class Pattern:
    """One name or expression.

    Attributes:
        text: as PEFT has it.

    Raises:
        ValueError: it is no expression, or too long a one.
    """

    text: str

    def __post_init__(self) -> None:
        if len(self.text) > MAX_LENGTH:
            raise ValueError(f"a name of a module has {len(self.text)} characters; {MAX_LENGTH} at most")
        if not self._plain:
            _ = self._expression

    def matches(self, module: str) -> bool:
        """Whether a module has such a name, or is below others and has such a name there.

        Raises:
            ValueError: it would take too long to tell.
        """
        if self._plain:
            return f".{module}".endswith(f".{self.text}")
        try:
            return self._expression.match(module, timeout=SECONDS) is not None
        except TimeoutError as error:
            raise ValueError(f"{self.text!r} takes too long to be compared with {module!r}") from error

    @cached_property
    def _plain(self) -> bool:
        return _PLAIN.fullmatch(self.text) is not None

    @cached_property
    def _expression(self) -> Any:
        """As PEFT has it in ``get_pattern_key``, compiled by a library that can be told to stop."""
        try:
            return library_class("regex", "compile")(rf"(.*\.)?({self.text})$")
        except library_class("regex", "error") as error:
            raise ValueError(f"{self.text!r} is no regular expression: {error}") from error
