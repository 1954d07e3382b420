"""Where a request comes from."""

from __future__ import annotations

import ipaddress

from aiohttp import web

from nodegraph.server.settings import ServerSettings

IPV6_HOUSEHOLD = 64
"""Bits of an IPv6 address that a provider gives to one customer, who may use any of the rest."""
MAX_PROXIES = 10
"""How many proxies may stand one behind the other."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def client_address(request: web.Request, settings: ServerSettings) -> str:
    """The address a request is counted under; of IPv6 the network of a household.

    What a proxy says in ``X-Forwarded-For`` counts only where a proxy is known to be there: the connection
    comes from one of ``trusted_proxies``, or from this machine where the server has a public name.
    """
    client = _parsed(request.remote or "")
    if client is None:
        return "unknown"
    told = ",".join(request.headers.getall("X-Forwarded-For", [])).split(",")
    for text in told[: -MAX_PROXIES - 1 : -1]:  # the last was written by the proxy that speaks to us
        before = _parsed(text.strip()) if _is_proxy(client, settings) else None
        if before is None:
            break
        client = before
    return _household(client)


def _is_proxy(address: Address, settings: ServerSettings) -> bool:
    if address.is_loopback and settings.public_url is not None:
        return True
    return any(address in network for network in settings.trusted_proxies)


def _parsed(text: str) -> Address | None:
    try:
        address = ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _household(address: Address) -> str:
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    bare = ipaddress.IPv6Address(int(address))
    return str(ipaddress.IPv6Network((bare, IPV6_HOUSEHOLD), strict=False))
