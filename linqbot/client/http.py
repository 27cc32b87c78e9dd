"""Request -> Answer. The only way out to Linq: one HTTP exchange, no retries, no redirects, no cookies.

An exchange is never cancelled from outside: whoever waits for it may go away, it runs to its end, so an answer is never
thrown away half read and a connection never left in the middle. Failures are told apart by what they prove: `NotSent`
(the request did not leave) or `OutcomeUnknown` (it may have arrived).

aiohttp carries the requests, spoken to directly: its session costs half the CPU of httpx requests on the same session, and
stays flat with many at once, where httpx's own pool grows with their square (performance.md section 2; with 32 at once on
a busy machine 0.10 against 0.20 ms). A transport of httpx may be put in its place: tests do.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from types import TracebackType
from typing import Protocol, Self

import aiohttp
import httpx
from yarl import URL

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
"""Of a longer answer only the beginning is read."""

_JSON = {"content-type": "application/json"}
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """What all requests have in common."""

    base: httpx.URL
    headers: dict[str, str] = field(repr=False)
    read_s: float

    def headers_of(self, request: Request) -> dict[str, str]:
        return self.headers if request.body is None else self.headers | _JSON


class _Carrier(Protocol):
    """What carries a request and brings the answer, its body cut at `BODY_CAP_BYTES`."""

    async def exchange(self, request: Request) -> Answer:
        """One exchange. Raises whatever its library raises when no status was heard."""
        ...

    async def aclose(self) -> None:
        """Close all connections."""
        ...


class _Pool:
    """A transport, and how many exchanges are under way on it."""

    def __init__(self, transport: _Carrier) -> None:
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
        way = _Way(base=_base(base_url), headers=_headers(api_key), read_s=read_s)
        self._base = way.base
        self._fresh = None if transport else partial(_OverAiohttp, way, proxy, concurrency)
        self._pool = _Pool(_OverHttpx(way, transport) if transport else _OverAiohttp(way, proxy, concurrency))
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

    async def send(self, request: Request) -> Answer:
        """One exchange with Linq, whatever the answer's status. Cancelling the caller does not cancel the exchange.

        The body of an answer is cut at 256 kB, or where the connection broke: what is left then is no JSON. Raises
        `NotSent` or `OutcomeUnknown`.
        """
        if self._closed:
            raise NotSent(f"{_named(request)} did not leave: the client is closed")
        exchange = asyncio.get_running_loop().create_task(self._exchange(request))
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

    async def _exchange(self, request: Request) -> Answer:
        async with self._room:
            pool = self._pool
            pool.users += 1
            try:
                return await pool.transport.exchange(request)
            except Exception as error:  # noqa: BLE001 - whatever a transport raises, the sender must know what it proves
                failure = _proof(request, error)
                if _is_worn(error):
                    self._renew(pool)
            finally:
                await pool.leave()
        raise failure  # outside the handler: an error of aiohttp holds the request's headers, the key among them

    def _renew(self, worn: _Pool) -> None:
        """Let new exchanges begin on a fresh pool; the worn one closes when its last exchange ends."""
        if self._fresh is not None and worn is self._pool and not self._closed:
            worn.retired = True
            self._pool = _Pool(self._fresh())


class _OverAiohttp:
    """A session of aiohttp, made when it is first needed: it belongs to an event loop."""

    def __init__(self, way: _Way, proxy: str | None, concurrency: int) -> None:
        self._way = way
        self._start = str(way.base).rstrip("/")
        self._tls = httpx.create_ssl_context(verify=way.base.scheme == "https")
        self._proxy = proxy
        self._concurrency = concurrency
        self._session: aiohttp.ClientSession | None = None

    async def exchange(self, request: Request) -> Answer:
        """One exchange; the limit of the whole covers the body too, which ends there."""
        if not request.path.startswith("/"):
            raise httpx.InvalidURL("a path that does not begin with / could name another host")
        self._session = session = self._session or self._open()
        async with session.request(
            request.method,
            URL(self._start + request.path, encoded=True),
            data=request.body,
            headers=self._way.headers_of(
                request
            ),  # those of a session would be shown to a proxy too, the key among them
            allow_redirects=False,
        ) as response:
            body = bytearray()
            await _read(response.content.iter_any(), body)
            return _answer(response.status, response.raw_headers, body)

    async def aclose(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()

    def _open(self) -> aiohttp.ClientSession:
        read_s = self._way.read_s
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._concurrency, ssl=self._tls),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(
                total=CONNECT_S + read_s, connect=CONNECT_S, sock_connect=CONNECT_S, sock_read=read_s
            ),
            auto_decompress=False,
            proxy=self._proxy,
        )


class _OverHttpx:
    """A transport of httpx that somebody gave."""

    def __init__(self, way: _Way, transport: httpx.AsyncBaseTransport) -> None:
        self._way = way
        self._transport = transport

    async def exchange(self, request: Request) -> Answer:
        """One exchange."""
        deadline = asyncio.get_running_loop().time() + CONNECT_S + self._way.read_s
        async with asyncio.timeout_at(deadline):
            response = await self._transport.handle_async_request(self._framed(request))
        assert isinstance(response.stream, httpx.AsyncByteStream)
        body, chunks = bytearray(), aiter(response.stream)
        with suppress(TimeoutError):
            async with asyncio.timeout_at(deadline):
                try:
                    await _read(chunks, body)
                finally:
                    if isinstance(chunks, AsyncGenerator):
                        await chunks.aclose()  # not left to the garbage collector when reading stopped at the cap
                    await response.aclose()
        return _answer(response.status_code, response.headers.raw, body)

    async def aclose(self) -> None:
        """Close the transport."""
        await self._transport.aclose()

    def _framed(self, request: Request) -> httpx.Request:
        base, read_s = self._way.base, self._way.read_s
        return httpx.Request(
            request.method,
            base.copy_with(raw_path=base.raw_path.rstrip(b"/") + request.path.encode()),
            headers=self._way.headers_of(request),
            content=request.body,
            extensions={"timeout": {"connect": CONNECT_S, "read": read_s, "write": CONNECT_S, "pool": CONNECT_S}},
        )


async def _read(chunks: AsyncIterator[bytes], body: bytearray) -> None:
    """As much of the body as came, up to the cap. A broken one is no error: the status was heard, and decides."""
    with suppress(httpx.HTTPError, aiohttp.ClientError, TimeoutError):
        async for chunk in chunks:
            body += chunk
            if len(body) > BODY_CAP_BYTES:
                return


def _answer(status: int, headers: Iterable[tuple[bytes, bytes]], body: bytearray) -> Answer:
    named = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in headers}
    return Answer(status=status, headers=named, body=bytes(body[:BODY_CAP_BYTES]))


def _proof(request: Request, error: Exception) -> TransportError:
    """What a failure proves. A transport of httpx over aiohttp shows nearly all as `ConnectTimeout`: the cause decides."""
    proof = _root(error)
    name = type(proof).__name__
    if isinstance(proof, _NEVER_LEFT):
        return NotSent(f"{_named(request)} did not leave: no connection to Linq ({name}); it can be sent again")
    return OutcomeUnknown(f"{_named(request)} got no answer ({name}); only the same key and body may be sent again")


def _is_worn(error: Exception) -> bool:
    """Whether the pool itself may be at fault: no connection to be had in time, or its session was closed."""
    return isinstance(error, RuntimeError) or isinstance(_root(error), aiohttp.ConnectionTimeoutError)


def _root(error: Exception) -> Exception:
    return error.__cause__ if isinstance(error.__cause__, aiohttp.ClientError) else error


def _named(request: Request) -> str:
    return f"{request.method} {request.path.partition('?')[0]}"


def _base(base_url: str) -> httpx.URL:
    url = httpx.URL(base_url)
    if url.scheme not in ("http", "https") or not url.host:
        raise ConfigurationError("Linq's base URL must begin with https:// and name a host (LINQ_API_V3_BASE_URL)")
    return url


def _headers(api_key: str) -> dict[str, str]:
    if not api_key or not api_key.isascii() or not api_key.isprintable() or " " in api_key:
        raise ConfigurationError(
            "the API key is empty or holds characters that no key has; copy it again (LINQ_API_V3_API_KEY)"
        )
    return {
        "authorization": f"Bearer {api_key}",
        "user-agent": f"linqbot/{version('linqbot')}",
        "accept": "application/json",
        "accept-encoding": "identity",  # a compressed answer could be far larger than it looks
    }
