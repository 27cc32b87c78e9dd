"""a port -> the same server behind TLS, or behind a line that breaks: a small TCP proxy.

Servers in wheels have no TLS, and no server loses an answer on request; this does both.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from typing import Self


class Proxy:
    """Forwards connections to a local port; enter it to open it."""

    def __init__(self, target_port: int, *, context: ssl.SSLContext | None = None) -> None:
        self.cuts = 0
        """How many of the next answers are lost: the server has done its work, then the connection breaks."""
        self.losses = 0
        """How many of the next requests are lost: the connection breaks before the server has them."""
        self.answering = asyncio.Event()
        """Cleared: answers are held back."""
        self.answering.set()
        self.requests = 0
        """How often clients sent something."""
        self._target_port = target_port
        self._context = context
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Task[None]] = set()

    @property
    def port(self) -> int:
        """Where it listens."""
        assert self._server is not None
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._context)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in list(self._open):
            task.cancel()
        if self._open:
            await asyncio.wait(self._open)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            await self._join(reader, writer)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            self._open.discard(task)
            writer.transport.abort()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target_port)
        ways = [
            asyncio.ensure_future(self._requests(reader, far_writer)),
            asyncio.ensure_future(self._answers(far_reader, writer)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.wait(ways)
            far_writer.close()
            with contextlib.suppress(OSError):
                await far_writer.wait_closed()

    async def _requests(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1 << 20):
            self.requests += 1
            if self.losses:
                self.losses -= 1
                return
            writer.write(data)
            await writer.drain()

    async def _answers(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1 << 20):
            if self.cuts:
                self.cuts -= 1
                return
            await self.answering.wait()
            writer.write(data)
            await writer.drain()
