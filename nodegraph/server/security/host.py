"""The name a request was sent to: only those that are ours (DNS rebinding).

A page of ``evil.example`` may have its name resolved to 127.0.0.1 and then speak to this server as to its
own; but its requests carry its name in ``Host``. Numbers cannot be made to mean another machine.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from functools import lru_cache

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from yarl import URL

from nodegraph.server.problems import Problem
from nodegraph.server.settings import ServerSettings

HOST = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._-]{1,253})(?::(?P<port>[0-9]{1,5}))?")
LOOPBACK_NAMES = frozenset(("localhost", "127.0.0.1", "::1"))
TARGET = re.compile(r"(?i)https?://(?P<authority>[^/?#]*)")
WILDCARDS = ("0.0.0.0", "::", "")


def host_guard(settings: ServerSettings) -> Middleware:
    """Refuses requests to names that are not this server's."""
    allowed = AllowedHosts(settings)

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        given = request.headers.getall("Host", [])
        if len(given) != 1:
            raise Problem(400, "invalid_request", f"a request has one Host header, not {len(given)}")
        name = host_name(given[0])
        if name is None or not _names_itself(request, given[0]):
            raise Problem(400, "invalid_request", "the Host header, or the address asked for, is malformed")
        if not allowed(name):
            raise Problem(
                403,
                "forbidden",
                f"this server is not called {name!r}; where it shall be, start it with that name in "
                "--public-url or --allow-host",
            )
        return await handler(request)

    return guard


def host_name(host: str) -> str | None:
    """The name or number in a ``Host`` header, in its plain form; ``None`` for what is no host."""
    found = HOST.fullmatch(host)
    if not found or not 0 < int(found["port"] or 80) < 65536:
        return None
    name = found["name"].lower()
    if name.startswith("["):
        return _number(name[1:-1])
    return name.removesuffix(".") or None


def _number(text: str) -> str | None:
    try:
        return str(ipaddress.IPv6Address(text))
    except ValueError:
        return None


def _names_itself(request: web.Request, host: str) -> bool:
    """Whether the request line asks for a path, or for the same host as the header."""
    target = request.raw_path
    if target.startswith("/"):
        return not target.startswith("//")  # some readers take what follows for another host
    found = TARGET.match(target)
    return bool(found and found["authority"].lower() == host.lower())


class AllowedHosts:
    """The names of a server.

    They are: those of this machine for itself, the address it listens on, the one of ``public_url``, and
    those of ``allow_hosts``. One that listens on every address has each number and the machine's name.
    """

    def __init__(self, settings: ServerSettings) -> None:
        names = {*LOOPBACK_NAMES, _plain(settings.host), *map(_plain, settings.allow_hosts)}
        if settings.public_url:
            names.add(_plain(URL(settings.public_url).raw_host or ""))
        if not settings.loopback:
            machine = socket.gethostname().lower()
            names |= {machine, f"{machine}.local", socket.getfqdn(machine).lower()}
        self._any_number = _plain(settings.host) in WILDCARDS
        self._names = frozenset(names - set(WILDCARDS))

    def __call__(self, name: str) -> bool:
        """Whether a name is one of them."""
        return name in self._names or (self._any_number and _is_number(name))


def _plain(host: str) -> str:
    name = host.lower().strip("[]").removesuffix(".")
    return _number(name) or name


@lru_cache(1024)
def _is_number(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
