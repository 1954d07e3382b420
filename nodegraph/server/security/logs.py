"""What is logged of requests: what was asked for, without what may be secret in it."""

from __future__ import annotations

import logging

from aiohttp.abc import AbstractAccessLogger
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web import BaseRequest, StreamResponse

MAX_PATH = 300


class PathLogger(AbstractAccessLogger):
    """Logs method, path, status, size and time; neither queries nor headers.

    A path is escaped, so that no request can write a line of its own.
    """

    @property
    def enabled(self) -> bool:
        """Whether anyone wants the log."""
        return self.logger.isEnabledFor(logging.INFO)

    def log(self, request: BaseRequest, response: StreamResponse, time: float) -> None:
        """Log one answer."""
        path = request.rel_url.raw_path[:MAX_PATH].encode("unicode_escape").decode()
        self.logger.info(
            "%s %s %s %d %d %.3f",
            request.remote or "-",
            request.method[:20],
            path,
            response.status,
            response.body_length,
            time,
        )


class _Unreadable(logging.Filter):
    """Makes a line of what would be a traceback, and that for whoever wants every request logged.

    Anyone can send what is no HTTP, as often as they like, and with secrets in it.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if not isinstance(error, HttpProcessingError):
            return True
        record.msg, record.args = "a request cannot be read: %s", (type(error).__name__,)
        record.exc_info, record.levelno, record.levelname = None, logging.INFO, "INFO"
        return logging.getLogger(record.name).isEnabledFor(logging.INFO)


UNREADABLE = _Unreadable()
