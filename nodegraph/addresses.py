"""Addresses on the network that a request from outside may make this machine connect to.

What a client names may lead to the machine itself, to its neighbours, or to the service that hands the
credentials of a cloud machine to whoever asks from inside. Names are therefore resolved once, and the
connection is made to the very address that was checked.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable

from aiohttp import ThreadedResolver
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from nodegraph.errors import NodeGraphError

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
Allowed = Callable[[IPAddress], bool]

TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")
"""IPv6 addresses that are gates to an IPv4 address, their last 32 bits (RFC 6052)."""
SITE_LOCAL = ipaddress.IPv6Network("fec0::/10")


class ForbiddenAddressError(NodeGraphError, OSError):
    """An address that must not be connected to on behalf of a client."""


def is_public(address: IPAddress) -> bool:
    """Whether an address belongs to the internet: to no machine, house or provider alone."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = _inside(address)
        if inner is not None:
            return is_public(inner)
        if address in SITE_LOCAL or address.scope_id:
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def _inside(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that an IPv6 address stands for."""
    if address in TRANSLATED:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else None)


def check_url(url: URL, allowed: Allowed = is_public) -> None:
    """Whether a URL may be asked for as far as that is seen without resolving its host.

    Raises:
        ForbiddenAddressError: it is not http or https, carries a password, or names a forbidden address.
    """
    if url.scheme not in ("http", "https") or not url.host:
        raise ForbiddenAddressError("only http:// and https:// addresses are fetched")
    if url.raw_user is not None or url.raw_password is not None:
        raise ForbiddenAddressError("the address must not carry a user name or a password")
    try:
        literal = ipaddress.ip_address(url.host)
    except ValueError:
        return  # a name: the resolver looks at what it stands for
    _check(literal, allowed)


class CheckedResolver(AbstractResolver):
    """Resolves names to allowed addresses only; the connection goes to the address that was checked."""

    def __init__(self, allowed: Allowed = is_public) -> None:
        self._allowed = allowed
        self._inner = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The addresses of a host.

        Raises:
            ForbiddenAddressError: one of them is not allowed; then the others are not trusted either.
        """
        found = await self._inner.resolve(host, port, family)
        for result in found:
            _check(ipaddress.ip_address(result["host"]), self._allowed)
        return found

    async def close(self) -> None:
        """Nothing is held."""


def _check(address: IPAddress, allowed: Allowed) -> None:
    if not allowed(address):
        raise ForbiddenAddressError("the address is not on the public internet, so it is not fetched")
