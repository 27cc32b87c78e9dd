"""a port -> the same server over a bad line: slow, jittery, narrow, cut in the middle, silent, or gone.

The two ways of a connection are pumped apart, so that answers overtake nothing and a trouble of one way leaves the other
alone. What is set counts from the next bytes on, also for connections that are open already.
"""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from typing import Self

_PIECE = 1 << 16


class FaultProxy:
    """Forwards connections to a local port; enter it to open it.

    `target_port` may be changed: connections made from then on reach the other server, `drop` ends the old ones.
    """

    def __init__(self, target_port: int, *, seed: int = 1) -> None:
        self.target_port = target_port
        self.latency_s = 0.0
        """How late each piece of an answer arrives."""
        self.jitter_s = 0.0
        """Up to how much later still."""
        self.bytes_per_s: int | None = None
        """How fast answers flow; None: as fast as they come."""
        self.silent = False
        """Bytes vanish both ways and nothing is closed; a connection that lost any stays silent for good."""
        self.refuses = False
        """New connections are reset at once."""
        self.cut_answers: list[int] = []
        """The next answers are cut after so many bytes each, and their connections reset; 0: the answer is lost."""
        self.cut_requests: list[int] = []
        """The next requests reach the server cut after so many bytes each, and their connections are reset."""
        self.broken = 0
        """How many connections were reset so far."""
        self.most = 0
        """The most connections that were open at once."""
        self._random = random.Random(seed)
        self._lines: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._server: asyncio.Server | None = None

    @property
    def port(self) -> int:
        """Where it listens."""
        assert self._server is not None
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    @property
    def url(self) -> str:
        """The server as a Redis URL."""
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def open(self) -> int:
        """How many connections are open."""
        return len(self._lines)

    def heal(self) -> None:
        """A good line from now on."""
        self.latency_s = self.jitter_s = 0.0
        self.bytes_per_s = None
        self.silent = self.refuses = False
        self.cut_answers.clear()
        self.cut_requests.clear()

    def drop(self) -> None:
        """Reset all connections."""
        for writer in self._lines.values():
            writer.transport.abort()
        self.broken += len(self._lines)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in list(self._lines):
            task.cancel()
        if self._lines:
            await asyncio.wait(list(self._lines))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        if self.refuses:
            writer.transport.abort()
            return
        self._lines[task] = writer
        self.most = max(self.most, self.open)
        try:
            await self._join(reader, writer)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            del self._lines[task]
            writer.transport.abort()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target_port)
        line = _Line(self)
        ways = [
            asyncio.ensure_future(line.pump(reader, far_writer)),
            asyncio.ensure_future(line.pump(far_reader, writer, answers=True)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            far_writer.transport.abort()

    async def pace(self, size: int) -> None:
        """Wait as long as the line takes for so many bytes of an answer."""
        wait_s = self.latency_s + self._random.uniform(0, self.jitter_s)
        if self.bytes_per_s is not None:
            wait_s += size / self.bytes_per_s
        if wait_s:
            await asyncio.sleep(wait_s)  # a slow line is what is being played


class _Line:
    """One connection through the proxy."""

    def __init__(self, proxy: FaultProxy) -> None:
        self._proxy = proxy
        self._deaf = False

    async def pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, answers: bool = False) -> None:
        """Carry one way until it ends or is cut."""
        while data := await source.read(_PIECE):
            self._deaf = self._deaf or self._proxy.silent
            if self._deaf:
                continue
            if answers:
                await self._proxy.pace(len(data))
            cuts = self._proxy.cut_answers if answers else self._proxy.cut_requests
            if cuts:
                sink.write(data[: cuts.pop(0)])
                await _flush(sink)
                self._proxy.broken += 1
                return
            sink.write(data)
            await sink.drain()


async def _flush(sink: asyncio.StreamWriter) -> None:
    """Let the half that may still arrive arrive, before the connection is reset."""
    sink.transport.set_write_buffer_limits(high=0)
    with suppress(OSError):
        await sink.drain()
