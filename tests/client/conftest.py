"""A server of raw bytes: what a far side can do to a client, socket by socket. And a stage with a whole Linq."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from linqbot.testing.clock import TurnedClock
from tests.client.stage import Stage, staged

Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def written(status: str, *, body: bytes = b"", headers: tuple[str, ...] = (), length: int | None = None) -> Script:
    """A script that writes one answer; `length` lies about the body's."""

    async def script(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines = [f"HTTP/1.1 {status}", f"content-length: {len(body) if length is None else length}", *headers, "", ""]
        writer.write("\r\n".join(lines).encode() + body)
        await writer.drain()

    return script


async def reset(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A script that resets the connection."""
    raw = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def silence(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    """A script that says nothing until the client goes away."""
    await reader.read()


async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A script that closes without a word."""
    writer.close()


class FarSide:
    """A listening socket; `script` answers each request, `seen` holds the requests as they came."""

    def __init__(self) -> None:
        self.script: Script = written("202 Accepted", body=b"{}")
        self.seen: list[bytes] = []
        self.arrived = asyncio.Event()
        self.port = 0

    @asynccontextmanager
    async def listening(self, tls: ssl.SSLContext | None = None) -> AsyncIterator[FarSide]:
        """Serve until left; connections still open then are dropped."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=tls)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
                body = await reader.readexactly(int(lengths[0].split(b":")[1])) if lengths else b""
                self.seen.append(head + body)
                self.arrived.set()
                await self.script(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@pytest.fixture
async def far() -> AsyncIterator[FarSide]:
    """A far side that listens on loopback."""
    async with FarSide().listening() as side:
        yield side


@pytest.fixture
async def stage(clock: TurnedClock) -> AsyncIterator[Stage]:
    """A client of a served emulator."""
    async with staged(clock) as stage:
        yield stage
