"""Fetching a file from the web on behalf of a workflow, which may come from anyone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import aiohttp
from yarl import URL

from nodegraph.addresses import Allowed, CheckedResolver, ForbiddenAddressError, check_url, is_public

MAX_BYTES = 64 << 20
SECONDS = 60.0
MAX_REDIRECTS = 5
CHUNK_BYTES = 1 << 16
REDIRECTS = (301, 302, 303, 307, 308)
HEADERS = {"User-Agent": "nodegraph", "Accept": "image/*", "Accept-Encoding": "identity"}


class FetchError(Exception):
    """An address gave no file, or must not be asked."""


async def fetch(
    address: str,
    *,
    max_bytes: int = MAX_BYTES,
    seconds: float = SECONDS,
    allowed: Allowed = is_public,
    on_chunk: Callable[[], None] = lambda: None,
) -> bytes:
    """What an ``http`` or ``https`` address gives.

    Neither the address nor any it redirects to may lead to a machine that is not on the public internet; a
    name is resolved once, and the connection goes to the address that was looked at.

    Args:
        max_bytes: the most that is read.
        seconds: the longest it may take, redirects included.
        allowed: which addresses of machines may be connected to.
        on_chunk: called after each piece; may raise to stop.

    Raises:
        FetchError: it cannot be fetched, in words for the user.
    """
    connector = aiohttp.TCPConnector(resolver=CheckedResolver(allowed), use_dns_cache=False)
    try:
        async with (
            asyncio.timeout(seconds),
            aiohttp.ClientSession(
                connector=connector,
                trust_env=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
            ) as session,
        ):
            return await _follow(session, URL(address), max_bytes, allowed, on_chunk)
    except TimeoutError:
        raise FetchError(f"it took longer than {seconds:g} s") from None
    except (ForbiddenAddressError, ValueError) as error:
        raise FetchError(str(error)) from None
    except aiohttp.ClientError as error:
        raise FetchError(_why(error)) from None


def _why(error: aiohttp.ClientError) -> str:
    """What went wrong; not what stands at the other end, which a prober would like to know."""
    cause = error.__cause__ or getattr(error, "os_error", None)
    return str(cause) if isinstance(cause, ForbiddenAddressError) else "it cannot be reached"


async def _follow(
    session: aiohttp.ClientSession, url: URL, max_bytes: int, allowed: Allowed, on_chunk: Callable[[], None]
) -> bytes:
    for _ in range(MAX_REDIRECTS + 1):
        check_url(url, allowed)
        async with session.get(url, headers=HEADERS, allow_redirects=False) as response:
            if response.status in REDIRECTS and "Location" in response.headers:
                url = url.join(URL(response.headers["Location"]))
                continue
            if response.status != 200:
                raise FetchError(f"the other server answers {response.status}")
            return await _read(response, max_bytes, on_chunk)
    raise FetchError(f"it redirects more than {MAX_REDIRECTS} times")


async def _read(response: aiohttp.ClientResponse, max_bytes: int, on_chunk: Callable[[], None]) -> bytes:
    data = bytearray()
    if (response.content_length or 0) > max_bytes:
        raise FetchError(f"the file is larger than {max_bytes} bytes")
    async for chunk in response.content.iter_chunked(CHUNK_BYTES):
        data += chunk
        on_chunk()
        if len(data) > max_bytes:
            raise FetchError(f"the file is larger than {max_bytes} bytes")
    return bytes(data)
