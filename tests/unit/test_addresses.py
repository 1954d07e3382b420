"""Which machines a request from outside may make this one connect to."""

from __future__ import annotations

import asyncio
import ipaddress
import socket

import pytest
from yarl import URL

from nodegraph.addresses import CheckedResolver, ForbiddenAddressError, check_url, is_public

NOT_PUBLIC = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.2.1",
    "192.168.0.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:c0a8:1::1",
    "2001:0:7f00:1::",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
]
PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "172.32.0.1",
    "192.169.0.1",
    "2606:4700:4700::1111",
    "::ffff:8.8.8.8",
    "64:ff9b::808:808",
]


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_what_belongs_to_no_one_or_to_few_is_not_public(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_the_rest_is(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "url", ["http://u:p@example.org/", "http://u@example.org/", "ftp://example.org/", "/x", "http://[::1]/"]
)
def test_an_address_is_looked_at_before_it_is_asked(url: str) -> None:
    with pytest.raises(ForbiddenAddressError):
        check_url(URL(url))


@pytest.mark.parametrize(
    ("addresses", "allowed"),
    [
        (["8.8.8.8"], True),
        (["127.0.0.1"], False),
        (["8.8.8.8", "127.0.0.1"], False),
        (["10.1.1.1", "8.8.8.8"], False),
    ],
)
def test_a_name_stands_for_public_addresses_only(monkeypatch, addresses: list[str], allowed: bool) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 80)) for address in addresses]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)

    async def resolve() -> list[str]:
        return [result["host"] for result in await CheckedResolver().resolve("mixed.example", 80)]

    if allowed:
        assert asyncio.run(resolve()) == addresses
    else:
        with pytest.raises(ForbiddenAddressError):
            asyncio.run(resolve())
