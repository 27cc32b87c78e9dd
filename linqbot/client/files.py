"""bytes <-> the hosts that hold Linq's files. Plain exchanges with presigned addresses: never the API key, no redirects.

The address itself is the permission, so that no error shows one. Source: linq-api-v3.md section 7.6.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib.metadata import version

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from linqbot.errors import FileError, ForeignHost

CONNECT_S = 5.0
STALL_S = 20.0
"""Seconds without a byte."""
CONNECTIONS = 16
"""Files under way at once."""

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class FileHost:
    """Speaks to the hosts of presigned addresses; `transport` replaces the network (an ASGI app in tests)."""

    def __init__(self, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._given = self._transport = transport
        self._timeouts = {"connect": CONNECT_S, "read": STALL_S, "write": STALL_S, "pool": None}

    @asynccontextmanager
    async def fetching(self, url: httpx.URL) -> AsyncIterator[httpx.Response]:
        """The answer to a GET, its body not read yet. Raises `FileError` when the connection breaks."""
        request = self._request("GET", url, {"accept-encoding": "identity"})
        try:
            response = await self._opened().handle_async_request(request)
            try:
                yield response
            finally:
                await response.aclose()
        except (httpx.HTTPError, aiohttp.ClientError) as error:
            raise FileError(f"a file could not be fetched: {type(error).__name__}; try again later") from None

    async def put(self, url: httpx.URL, headers: Mapping[str, str], body: httpx.AsyncByteStream) -> int:
        """The status of a PUT of these bytes. Raises `FileError` when the connection breaks."""
        try:
            response = await self._opened().handle_async_request(self._request("PUT", url, headers, body))
            await response.aclose()
        except (httpx.HTTPError, aiohttp.ClientError) as error:
            raise FileError(f"a file could not be uploaded: {type(error).__name__}; try again later") from None
        return response.status_code

    async def aclose(self) -> None:
        """Close the connections; the next exchange opens new ones."""
        opened, self._transport = self._transport, self._given
        if opened is not None:
            await opened.aclose()

    def _opened(self) -> httpx.AsyncBaseTransport:
        """Made when first used: most programs move no file."""
        self._transport = self._transport or _network()
        return self._transport

    def _request(
        self, verb: str, url: httpx.URL, headers: Mapping[str, str], body: httpx.AsyncByteStream | None = None
    ) -> httpx.Request:
        named = {"host": url.netloc.decode("ascii"), "user-agent": f"linqbot/{version('linqbot')}", **headers}
        return httpx.Request(verb, url, headers=named, stream=body, extensions={"timeout": self._timeouts})


def safe_url(address: str) -> httpx.URL:
    """An address as a URL: HTTPS, or HTTP on this machine. Raises `ForeignHost`, which does not show it."""
    try:
        url = httpx.URL(address)
    except (httpx.InvalidURL, TypeError, ValueError):
        raise ForeignHost("a file's address cannot be read") from None
    is_local = url.scheme == "http" and url.host in _LOOPBACK
    if not url.host or url.userinfo or not (url.scheme == "https" or is_local):
        raise ForeignHost("a file's address is not https:// with a plain host; nothing was asked there")
    return url


def _network() -> AiohttpTransport:
    context = httpx.create_ssl_context()

    def session() -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(limit=CONNECTIONS, ssl=context)
        return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())

    return AiohttpTransport(verify=context, client=session)
