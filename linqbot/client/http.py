"""Request -> Answer. The only way out to Linq: one HTTP exchange, no retries, no redirects, no cookies.

An exchange is never cancelled from outside: whoever waits for it may go away, it runs to its end, so an answer is never
thrown away half read and a connection never left in the middle. Failures are told apart by what they prove: `NotSent`
(the request did not leave) or `OutcomeUnknown` (it may have arrived).

httpx requests go straight to the transport of httpx-aiohttp: 0.12 ms of CPU for an exchange where `httpx.AsyncClient` on
top costs 0.20 ms, and both stay flat with many at once (performance.md section 2; with this code
on a busy machine 0.15 and 0.29 ms).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from functools import lru_cache, partial
from importlib.metadata import version
from types import TracebackType
from typing import Self

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from linqbot.errors import ConfigurationError, NotSent, OutcomeUnknown, TransportError
from linqbot.protocol.answer import Answer
from linqbot.records import Request

CONNECT_S = 5.0
"""Seconds to get a connection, from the pool or anew; also the longest that writing may stall (reliability.md 2.8)."""
READ_S = 15.0
"""Seconds without a byte of the answer. With `CONNECT_S` the limit of a whole exchange: 20 s, less than a lease."""
LEAVE_S = 2.0
"""Seconds that closing waits: what a drain of 25 s has left after turns and sends (reliability.md section 2.9)."""
BODY_CAP_BYTES = 256 * 1024
"""Of a longer answer only the beginning is read, unless the caller wants more."""

_NEVER_LEFT = (
    aiohttp.ClientConnectorError,  # DNS, refused, unreachable, TLS handshake, certificate, proxy not reached
    aiohttp.ConnectionTimeoutError,
    aiohttp.ClientHttpProxyError,  # the proxy refused the tunnel
    aiohttp.InvalidURL,
    httpx.InvalidURL,
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
)


class _Pool:
    """A transport, and how many exchanges are under way on it."""

    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        self.transport = transport
        self.users = 0
        self.retired = False

    async def leave(self) -> None:
        self.users -= 1
        if self.retired and self.users == 0:
            await self.transport.aclose()


class LinqClient:
    """Talks to Linq under one API key; safe to use from many tasks of one event loop.

    At most `concurrency` exchanges run at once, more wait their turn; an answer may take `read_s` seconds. `transport`
    replaces the connection pool (an ASGI app in tests); `proxy` is the URL of an HTTP proxy, the environment is not
    looked at. Raises `ConfigurationError` for a base URL or a key that cannot be used.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        proxy: str | None = None,
        concurrency: int = 256,
        read_s: float = READ_S,
    ) -> None:
        self._base = _base(base_url)
        self._url = lru_cache(maxsize=4_096)(self._joined)  # parsing costs a third of an exchange, chats come again
        self._headers = httpx.Headers([("host", self._base.netloc.decode("ascii")), *_headers(api_key)])
        self._body_headers = httpx.Headers([*self._headers.items(), ("content-type", "application/json")])
        self._timeouts = {"connect": CONNECT_S, "read": read_s, "write": CONNECT_S, "pool": CONNECT_S}
        self._total_s = CONNECT_S + read_s
        self._fresh = None if transport is not None else partial(_transport, self._base, proxy, concurrency)
        self._pool = _Pool(transport or _transport(self._base, proxy, concurrency))
        self._room = asyncio.Semaphore(concurrency)
        self._exchanges: set[asyncio.Task[Answer]] = set()
        self._closed = False

    def __repr__(self) -> str:
        return f"LinqClient({str(self._base)!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def send(self, request: Request, *, most_bytes: int = BODY_CAP_BYTES) -> Answer:
        """One exchange with Linq, whatever the answer's status. Cancelling the caller does not cancel the exchange.

        The body of an answer is cut at `most_bytes`, or where the connection broke: what is left then is no JSON. Raises
        `NotSent` or `OutcomeUnknown`.
        """
        if self._closed:
            raise NotSent(f"{_named(request)} did not leave: the client is closed")
        exchange = asyncio.get_running_loop().create_task(self._exchange(request, most_bytes))
        self._exchanges.add(exchange)
        exchange.add_done_callback(self._ended)
        return await asyncio.shield(exchange)

    async def aclose(self, *, within_s: float = LEAVE_S) -> None:
        """Take no more requests, wait for those under way at most `within_s` seconds, then close the connections: what
        is under way still ends as `OutcomeUnknown`.
        """
        self._closed = True
        if self._exchanges:
            await asyncio.wait(self._exchanges, timeout=within_s)
        if not self._pool.retired:
            self._pool.retired = True
            await self._pool.transport.aclose()

    def _ended(self, exchange: asyncio.Task[Answer]) -> None:
        self._exchanges.discard(exchange)
        if not exchange.cancelled():
            exchange.exception()  # looked at, so that asyncio does not report it when the caller has gone away

    async def _exchange(self, request: Request, most_bytes: int) -> Answer:
        async with self._room:
            pool = self._pool
            pool.users += 1
            try:
                framed = self._framed(request)
                return await _answer(pool.transport, framed, within_s=self._total_s, most_bytes=most_bytes)
            except Exception as error:  # noqa: BLE001 - whatever a transport raises, the sender must know what it proves
                failure = _proof(request, error)
                if _is_worn(error):
                    self._renew(pool)
            finally:
                await pool.leave()
        raise failure  # outside the handler: an error of aiohttp holds the request's headers, the key among them

    def _framed(self, request: Request) -> httpx.Request:
        extensions = {"timeout": self._timeouts}
        if request.body is None:
            return httpx.Request(request.method, self._url(request.path), headers=self._headers, extensions=extensions)
        # Given a stream, httpx leaves headers as they are: working them out costs it a fifth of the whole exchange.
        stream = httpx.ByteStream(request.body)
        framed = httpx.Request(
            request.method, self._url(request.path), headers=self._body_headers, stream=stream, extensions=extensions
        )
        framed.headers.encoding = "ascii"
        framed.headers["content-length"] = str(len(request.body))
        framed.read()
        return framed

    def _joined(self, path: str) -> httpx.URL:
        return self._base.copy_with(raw_path=self._base.raw_path.rstrip(b"/") + path.encode())

    def _renew(self, worn: _Pool) -> None:
        """Let new exchanges begin on a fresh pool; the worn one closes when its last exchange ends."""
        if self._fresh is not None and worn is self._pool and not self._closed:
            worn.retired = True
            self._pool = _Pool(self._fresh())


async def _answer(
    transport: httpx.AsyncBaseTransport, request: httpx.Request, *, within_s: float, most_bytes: int
) -> Answer:
    response: httpx.Response | None = None
    body = bytearray()
    try:
        async with asyncio.timeout(within_s):
            response = await transport.handle_async_request(request)
            await _read(response, body, most_bytes)
    except TimeoutError:
        if response is None:
            raise
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers.raw}
    return Answer(status=response.status_code, headers=headers, body=bytes(body[:most_bytes]))


async def _read(response: httpx.Response, body: bytearray, most_bytes: int) -> None:
    """As much of the body as came, up to the cap. A broken one is no error: the status was heard, and decides."""
    assert isinstance(response.stream, httpx.AsyncByteStream)
    chunks = aiter(response.stream)
    with suppress(httpx.HTTPError, aiohttp.ClientError):
        try:
            async for chunk in chunks:
                body += chunk
                if len(body) > most_bytes:
                    break
        finally:
            if isinstance(chunks, AsyncGenerator):
                await chunks.aclose()  # not left to the garbage collector when reading stopped at the cap
            await response.aclose()


def _proof(request: Request, error: Exception) -> TransportError:
    """What a failure proves. httpx shows nearly all of aiohttp's as `ConnectTimeout`, so the cause decides."""
    proof = error.__cause__ if isinstance(error.__cause__, aiohttp.ClientError) else error
    name = type(proof).__name__
    if isinstance(proof, _NEVER_LEFT):
        return NotSent(f"{_named(request)} did not leave: no connection to Linq ({name}); it can be sent again")
    return OutcomeUnknown(f"{_named(request)} got no answer ({name}); only the same key and body may be sent again")


def _is_worn(error: Exception) -> bool:
    """Whether the pool itself may be at fault: no connection to be had in time, or its session was closed."""
    return isinstance(error, RuntimeError) or isinstance(error.__cause__, aiohttp.ConnectionTimeoutError)


def _named(request: Request) -> str:
    return f"{request.method} {request.path.partition('?')[0]}"


def _base(base_url: str) -> httpx.URL:
    url = httpx.URL(base_url)
    if url.scheme not in ("http", "https") or not url.host:
        raise ConfigurationError("Linq's base URL must begin with https:// and name a host (LINQ_API_V3_BASE_URL)")
    return url


def _headers(api_key: str) -> list[tuple[str, str]]:
    if not api_key or not api_key.isascii() or not api_key.isprintable() or " " in api_key:
        raise ConfigurationError(
            "the API key is empty or holds characters that no key has; copy it again (LINQ_API_V3_API_KEY)"
        )
    return [
        ("authorization", f"Bearer {api_key}"),
        ("user-agent", f"linqbot/{version('linqbot')}"),
        ("accept", "application/json"),
        ("accept-encoding", "identity"),  # a compressed answer could be far larger than it looks
    ]


def _transport(base: httpx.URL, proxy: str | None, concurrency: int) -> AiohttpTransport:
    context = httpx.create_ssl_context(verify=base.scheme == "https")

    def session() -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=concurrency, ssl=context),
            cookie_jar=aiohttp.DummyCookieJar(),
            proxy=proxy,
        )

    return AiohttpTransport(verify=context, client=session)
