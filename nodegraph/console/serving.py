"""``nodegraph serve`` and ``nodegraph token``."""

from __future__ import annotations

import asyncio
import logging
import os
import reprlib
import signal
import ssl
import sys
import webbrowser
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aiohttp import web
from pydantic import ValidationError

from nodegraph.console.engines import EngineOptions, check_places, make_registry
from nodegraph.console.errors import DONE, UsageError
from nodegraph.console.output import complain, say
from nodegraph.devices import pick_device
from nodegraph.errors import InputError
from nodegraph.jobs.database import Database
from nodegraph.jobs.records import JobError, StorageError
from nodegraph.jobs.tokens import TokenStore
from nodegraph.printable import log_to_standard_error
from nodegraph.registry import NodeRegistry
from nodegraph.server.app import make_app
from nodegraph.server.keys import ADMIN, RUN, TOKENS
from nodegraph.server.listening import http_runner
from nodegraph.server.security.tokens import first_token
from nodegraph.server.settings import ServerSettings
from nodegraph.server.webhooks import webhook_secret
from nodegraph.system_errors import RIGHTS, system_message

logger = logging.getLogger(__name__)

OPTIONS = {
    "output": "out",
    "cache": "cache-dir",
    "inputs": "input-dir",
    "allow_hosts": "allow-host",
    "allow_origins": "allow-origin",
    "trusted_proxies": "trusted-proxy",
}
"""Options that are not called as the setting is."""
EVERYWHERE = ("auto", "cpu")
"""Devices that every machine has."""
GOODBYE_SECONDS = 2.0
SWITCH_SECONDS = 0.001
"""How long a thread that validates or lists may keep the interpreter from the event loop."""


def serve_command(given: Mapping[str, Any], *, browse: bool = False) -> int:
    """Serve until interrupted; returns the exit code.

    Args:
        given: the settings that are not as usual.
        browse: whether a browser shows the editor once the server answers.

    Raises:
        UsageError: a setting is wrong, or the address cannot be had.
    """
    settings = _settings(given)
    log_to_standard_error("%(asctime)s %(levelname)s %(message)s")
    sys.setswitchinterval(SWITCH_SECONDS)
    return asyncio.run(_serve(settings, browse))


def _settings(given: Mapping[str, Any]) -> ServerSettings:
    try:
        return ServerSettings(**given)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        text = first["msg"].removeprefix("Value error, ")
        named = str(first["loc"][0]) if first["loc"] else ""
        option = OPTIONS.get(named, named.replace("_", "-"))
        raise UsageError(f"--{option}: {text}" if option else text) from None


async def _serve(settings: ServerSettings, browse: bool) -> int:
    registry = await asyncio.to_thread(make_registry)
    await asyncio.to_thread(_check_engine, settings, registry)
    over = _interrupted()
    app = make_app(settings, registry)
    runner = http_runner(app, GOODBYE_SECONDS)
    await runner.setup()
    try:
        site = web.TCPSite(runner, settings.host.strip("[]"), settings.port, ssl_context=_tls(settings))
        try:
            await site.start()
        except OSError as error:
            place = f"{settings.host}:{settings.port}"
            raise UsageError(f"cannot listen on {place}: {error.strerror or error}") from None
        port = runner.addresses[0][1]
        _tell(settings, port, app[TOKENS])
        if browse:
            await asyncio.to_thread(_browse, settings.url(port))
        await over.wait()
    finally:
        await runner.cleanup()
    return DONE


def _check_engine(settings: ServerSettings, registry: NodeRegistry) -> None:
    """Say before the first job, which starts the engine, that it cannot be started so."""
    options = EngineOptions(
        out=settings.output, cache=settings.cache, models=settings.models, inputs=settings.inputs
    )
    check_places(registry, options)
    _mention_closed_cache(settings.cache)
    if settings.device not in EVERYWHERE:
        try:
            pick_device(settings.device)
        except InputError as error:
            raise UsageError(f"--{error}") from None


def _mention_closed_cache(folder: Path) -> None:
    """A server may do without a cache, but not without a word: nothing is kept, and nothing is previewed."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK | os.X_OK):
            return
        reason = f"{folder}: {RIGHTS}"
    except OSError as error:
        reason = system_message(error)
    logger.warning("the cache cannot be written, so no result is kept and no picture previewed: %s", reason)


def _tls(settings: ServerSettings) -> ssl.SSLContext | None:
    if settings.tls_cert is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(settings.tls_cert, settings.tls_key)
    except (OSError, ssl.SSLError) as error:
        raise UsageError(f"the certificate {settings.tls_cert} cannot be used: {error}") from None
    return context


def _tell(settings: ServerSettings, port: int, tokens: TokenStore) -> None:
    say(f"nodegraph serves on {settings.url(port)}")
    secret = first_token(settings, tokens)
    if secret is not None:
        say(f"token (shown this once): {secret}")


def _browse(url: str) -> None:
    """Show a page in the user's browser; where there is none, the address was printed anyway."""
    if not webbrowser.open(url):
        complain(f"no browser could be started; open {url} in one")


def _interrupted() -> asyncio.Event:
    """Set by Ctrl-C and SIGTERM, from now on: what is being started is ended in order, not torn down."""
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, over.set)
    return over


def _with_data(data: Path | None) -> ServerSettings:
    return ServerSettings() if data is None else ServerSettings(data=data)


def _tokens(data: Path | None) -> TokenStore:
    return TokenStore(Database(_with_data(data).database))


def _known_tokens(data: Path | None) -> TokenStore | None:
    """The tokens where there are any: nothing is made by looking."""
    settings = _with_data(data)
    missing = not settings.data.exists() or (settings.data.is_dir() and not settings.database.exists())
    return None if missing else _tokens(data)


def create_token(name: str, user: str, admin: bool, data: Path | None) -> int:
    """Make a token and print its secret; with the first one, what changes by it."""
    tokens = _tokens(data)
    first = not tokens.any()
    try:
        secret = tokens.create(name, user, {RUN, ADMIN} if admin else {RUN})
    except StorageError:
        raise
    except JobError as error:
        raise UsageError(str(error)) from None
    if first:
        complain("From now on the server takes no request without a token.")
    say(secret)
    return DONE


def list_tokens(data: Path | None) -> int:
    """Print name, user and scopes of every token."""
    tokens = _known_tokens(data)
    if tokens is None:
        complain(f"{_with_data(data).data} holds no server's data yet, so there are no tokens")
        return DONE
    for token in tokens.tokens():
        say(f"{token.name}\t{token.user}\t{' '.join(sorted(token.scopes))}")
    return DONE


def revoke_token(name: str, data: Path | None) -> int:
    """Let a token in no more.

    Raises:
        UsageError: there is none of that name.
    """
    tokens = _known_tokens(data)
    if tokens is None or not tokens.revoke(name):
        raise UsageError(f"there is no token called {reprlib.repr(name)} in {_with_data(data).data}")
    return DONE


def show_webhook_secret(data: Path | None) -> int:
    """Print the secret that signs webhooks.

    Raises:
        UsageError: a folder of data was named that is not there: its secret would be no server's.
    """
    folder = _with_data(data).data
    if data is None:
        folder.mkdir(parents=True, exist_ok=True)
    elif not folder.is_dir():
        raise UsageError(f"--data {folder} is not a folder; name the one of the server")
    say(webhook_secret(folder).decode())
    return DONE
