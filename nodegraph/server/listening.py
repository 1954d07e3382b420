"""HTTP under an application: what of a request is read, and what is logged of one that cannot be."""

from __future__ import annotations

import logging

from aiohttp import web

from nodegraph.server.security.logs import UNREADABLE, PathLogger

MAX_LINE = 32 << 10
"""Bytes of the line a request begins with: names and folders of the longest that is taken fit in it."""


def http_runner(app: web.Application, shutdown_timeout: float) -> web.AppRunner:
    """What sets an application up, and ends it; ``shutdown_timeout`` is what open requests are given then."""
    logger = logging.getLogger("nodegraph.http")
    logger.addFilter(UNREADABLE)
    return web.AppRunner(
        app,
        access_log_class=PathLogger,
        handle_signals=False,
        shutdown_timeout=shutdown_timeout,
        auto_decompress=False,  # compressed bodies are refused, so that none unpacks to more than it is
        max_line_size=MAX_LINE,
        logger=logger,
    )
