"""Where a request comes from."""

from __future__ import annotations

import ipaddress

from aiohttp import web

from nodegraph.server.settings import ServerSettings

IPV6_HOUSEHOLD = 64
"""Bits of an IPv6 address that a provider gives to one customer, who may use any of the rest."""


def client_address(request: web.Request, settings: ServerSettings) -> str:
    """The address a request is counted under; of IPv6 the network of a household.

    What a proxy says in ``X-Forwarded-For`` counts only where a proxy is known to be there: the server has
    a public name, and the connection comes from this machine or from one of ``trusted_proxies``.
    """
    peer = _parsed(request.remote or "")
    if peer is None:
        return "unknown"
    if settings.public_url and (peer.is_loopback or str(peer) in settings.trusted_proxies):
        last = request.headers.getall("X-Forwarded-For", [""])[-1].rpartition(",")[2].strip()
        peer = _parsed(last) or peer  # only the last was written by our proxy; the others by anyone
    return _household(peer)


def _parsed(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _household(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    bare = ipaddress.IPv6Address(int(address))
    return str(ipaddress.IPv6Network((bare, IPV6_HOUSEHOLD), strict=False))
