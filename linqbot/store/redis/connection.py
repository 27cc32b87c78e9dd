"""a URL -> connections and clients of redis-py, with every option that bites set by name.

Three kinds of connection: the wire, on which all scripts travel; a small pool for everything else; and for each side that
waits one that may block.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from redis.asyncio import BlockingConnectionPool, Redis, SSLConnection
from redis.asyncio.connection import parse_url
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialWithJitterBackoff, NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError

from linqbot.errors import ConfigurationError
from linqbot.store.redis.wire import ANSWER_S, Wire

BLOCK_S = 5
"""How long a waiting connection blocks at a time; a lost wake-up costs no more."""
POOL = 2

_COMMON: Mapping[str, Any] = MappingProxyType(
    {
        "protocol": 2,  # scripts answer the same in both; 2 needs no handshake that proxies and old servers refuse
        "decode_responses": False,
        "socket_connect_timeout": ANSWER_S,
        "socket_keepalive": True,
        "health_check_interval": 30,
        "driver_info": None,
    }
)


async def script_wire(url: str, *, tls: str) -> Wire:
    """An open connection for scripts. Raises errors of redis-py, `OSError`, and `TimeoutError` after 2 s."""
    place = _place(url)
    context = _context(tls) if place.get("connection_class") is SSLConnection else None
    host, port = place.get("host", "localhost"), place.get("port", 6379)
    async with asyncio.timeout(ANSWER_S):
        transport, wire = await asyncio.get_running_loop().create_connection(Wire, host, port, ssl=context)
        try:
            _keep_alive(transport)
            if place.get("password"):
                await wire.ask("AUTH", *([place["username"]] if place.get("username") else []), place["password"])
            if place.get("db"):
                await wire.ask("SELECT", place["db"])
        except BaseException:
            transport.abort()
            raise
    return wire


def _keep_alive(transport: asyncio.Transport) -> None:
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)


def _context(tls: str) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=None if tls in ("verify", "insecure") else tls)
    if tls == "insecure":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def plain_client(url: str, *, tls: str) -> Redis:
    """A client for what is no script: waits up to 2 s for an answer, reconnects twice, never retries after a time-out."""
    return _client(url, tls=tls, size=POOL, socket_timeout=ANSWER_S, retry=_twice())


def waiting_client(url: str, *, tls: str) -> Redis:
    """A client for BLPOP, one connection for each side; the time-out leaves the block room to end by itself."""
    return _client(url, tls=tls, size=2, socket_timeout=BLOCK_S + 5.0, retry=Retry(NoBackoff(), 0))


def _client(url: str, *, tls: str, size: int, **options: Any) -> Redis:
    place = _trusting_place(url, tls)
    pool = BlockingConnectionPool(max_connections=size, timeout=ANSWER_S, **place, **_COMMON, **options)
    return Redis.from_pool(pool)


def _twice() -> Retry:
    return Retry(ExponentialWithJitterBackoff(cap=0.25, base=0.01), 2, supported_errors=(RedisConnectionError,))


def _trusting_place(url: str, tls: str) -> dict[str, Any]:
    place = _place(url)
    return place | _trust(tls) if place.get("connection_class") is SSLConnection else place


def _place(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    if parts.query:
        raise ConfigurationError(
            "the Redis URL must not carry options after '?'; use LINQBOT_REDIS_TLS for certificates"
        )
    if not parts.path.removeprefix("/").isdigit() and parts.path not in ("", "/"):
        raise ConfigurationError(
            "the path of the Redis URL must be the number of a database, as in redis://host:6379/0"
        )
    try:
        return dict(parse_url(url))
    except ValueError:
        # The text of the error may hold the password.
        raise ConfigurationError(
            "the Redis URL cannot be read; it looks like redis://user:password@host:6379/0"
        ) from None


def _trust(tls: str) -> dict[str, Any]:
    if tls == "verify":
        return {"ssl_cert_reqs": "required", "ssl_check_hostname": True}
    if tls == "insecure":
        return {"ssl_cert_reqs": "none", "ssl_check_hostname": False}
    if not Path(tls).is_file():
        raise ConfigurationError(
            f"LINQBOT_REDIS_TLS is neither 'verify', 'insecure' nor a CA file that is there: {tls!r}"
        )
    return {"ssl_cert_reqs": "required", "ssl_check_hostname": True, "ssl_ca_certs": tls}
