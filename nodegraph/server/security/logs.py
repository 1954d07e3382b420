"""The access log: what was asked for, without what may be secret in it."""

from __future__ import annotations

import logging

from aiohttp.abc import AbstractAccessLogger
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
