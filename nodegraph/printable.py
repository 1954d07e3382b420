"""Text that a terminal shows and does not obey."""

from __future__ import annotations

import logging
import re

_COMMANDS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def printable(text: str) -> str:
    r"""A text without control characters but for line ends and tabs, and none that turn its direction.

    They are written as ``\u001b``, which is what JSON and Python call them too: text in either stays what
    it is.
    """
    return _COMMANDS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def log_to_standard_error(format: str) -> None:
    """Write warnings and worse to standard error, a terminal perhaps."""
    handler = logging.StreamHandler()
    handler.setFormatter(PrintableFormatter(format))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])


class PrintableFormatter(logging.Formatter):
    """A formatter of log lines, which may quote what came from anywhere."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record."""
        return printable(super().format(record))
