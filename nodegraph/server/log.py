"""The last lines of the server's log, for those who look after it from a browser."""

from __future__ import annotations

import logging
import re
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import count
from typing import Any

LOGGERS = ("nodegraph", "aiohttp.server", "asyncio")
"""What is kept: not the access log, which is long and says nothing of faults."""
KEPT = 1000
MAX_MESSAGE = 2000
SECRET = re.compile(
    r"(ngt_|nodegraph\.token\.|(?i:bearer)\s+)[\w.~+/=-]+|(?i:(token|password|secret)=)[^\s&\"']+"
)


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line.

    Attributes:
        number: rises with each line.
        time: seconds since 1970.
        level: ``INFO``, ``WARNING``, ``ERROR`` and so on.
        logger: which part of the program says it.
        message: what it says, secrets blotted out; the last line of a traceback comes after it.
    """

    number: int
    time: float
    level: str
    logger: str
    message: str

    def to_json(self) -> dict[str, Any]:
        """The line as plain JSON data."""
        return asdict(self)


class LogBuffer(logging.Handler):
    """Keeps the last lines; any thread may write.

    Attributes:
        on_line: is given each new line, in the thread that wrote it.
    """

    def __init__(self, keep: int = KEPT) -> None:
        super().__init__(logging.INFO)
        self._lines: deque[LogLine] = deque(maxlen=keep)
        self._numbers = count(1)
        self.on_line: Callable[[LogLine], None] | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one line."""
        line = LogLine(
            next(self._numbers), round(record.created, 3), record.levelname, record.name, _message(record)
        )
        self._lines.append(line)
        if self.on_line is not None:
            self.on_line(line)

    def lines(self, limit: int, after: int = 0) -> list[LogLine]:
        """The last lines, the newest last; only those after a number."""
        self.acquire()
        try:
            kept = list(self._lines)
        finally:
            self.release()
        return [line for line in kept if line.number > after][-limit:]

    @contextmanager
    def attached(self) -> Iterator[None]:
        """Keep what the program logs meanwhile."""
        loggers = [logging.getLogger(name) for name in LOGGERS]
        for logger in loggers:
            logger.addHandler(self)
        try:
            yield
        finally:
            for logger in loggers:
                logger.removeHandler(self)


def _message(record: logging.LogRecord) -> str:
    text = record.getMessage()
    if record.exc_info and record.exc_info[1] is not None:
        error = record.exc_info[1]
        text = f"{text}: {type(error).__name__}: {error}"
    return without_secrets(text)[:MAX_MESSAGE]


def without_secrets(text: str) -> str:
    """A text in which whatever looks like a token is blotted out."""
    return SECRET.sub(lambda found: f"{found[1] or found[2]}…", text)
