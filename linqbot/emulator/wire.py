"""Answer -> bytes, or their absence. What leaves over a connection, and the ways in which nothing leaves.

Under uvicorn the connection itself is reset, cut or left waiting. In process (`httpx.ASGITransport`) there is no
connection: the error that a client of httpx would see is raised instead.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Any

import httpx
from starlette.types import Receive, Scope, Send

from linqbot.emulator import choices
from linqbot.emulator.problems import Problem

RAW_SEND = "linqbot.emulator.send"
"""Where a scope keeps the server's own `send`: uvicorn's is a method of the object that holds the connection."""

_CHUNK = 64 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer; a long one comes in `size` bytes of `chunks` instead of a body."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    content_type: str = "application/json"
    chunks: Iterable[bytes] = ()
    size: int = 0


class Wire:
    """One request's way back to its client."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        holder = getattr(scope.get(RAW_SEND), "__self__", None)
        self._connection: asyncio.Transport | None = getattr(holder, "transport", None)

    async def body(self) -> bytes:
        """The request's body; raises Problem when it is too large."""
        chunks: list[bytes] = []
        size = 0
        async for chunk in self.stream():
            chunks.append(chunk)
            size += len(chunk)
            if size > choices.BODY_LIMIT:
                raise Problem(413, 1003, "Request body too large")
        return b"".join(chunks)

    async def stream(self) -> AsyncIterator[bytes]:
        """The request's body as it comes."""
        more = True
        while more:
            message = await self._receive()
            if message["type"] != "http.request":
                return
            yield message.get("body", b"")
            more = message.get("more_body", False)

    async def answer(self, answer: Answer) -> None:
        """Send all of an answer."""
        await self._start(answer, answer.size or len(answer.body))
        for chunk in answer.chunks:
            await self._send({"type": "http.response.body", "body": chunk, "more_body": True})
        await self._send({"type": "http.response.body", "body": answer.body})

    async def half(self, answer: Answer) -> None:
        """Send half of an answer, then close the connection."""
        if self._connection is None:
            raise httpx.RemoteProtocolError("peer closed connection without sending complete message body")
        whole = b"".join(answer.chunks) + answer.body
        await self._start(answer, len(whole))
        half = whole[: len(whole) // 2]
        await self._send({"type": "http.response.body", "body": half, "more_body": True})
        self._connection.close()
        await self._gone()

    async def huge(self, answer: Answer, size: int) -> None:
        """Send an answer with a body of `size` bytes of white space, as far as the client takes it."""
        await self._start(answer, size)
        blank = b" " * _CHUNK
        for sent in range(0, size, _CHUNK):
            await self._send({"type": "http.response.body", "body": blank[: size - sent], "more_body": True})
        await self._send({"type": "http.response.body", "body": b""})

    async def reset(self) -> None:
        """Reset the connection."""
        if self._connection is None:
            raise httpx.ReadError("connection reset by peer")
        peer: socket.socket | None = self._connection.get_extra_info("socket")
        if peer is not None:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._connection.abort()
        await self._gone()

    async def silence(self) -> None:
        """Never answer; returns when the client gave up. In process, where no client can, its timeout comes at once."""
        if self._connection is None:
            raise httpx.ReadTimeout("no answer")
        await self._gone()

    async def _gone(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def _start(self, answer: Answer, length: int) -> None:
        headers: list[tuple[Any, Any]] = [(name.encode(), value.encode()) for name, value in answer.headers]
        if length or answer.status != 204:
            headers.append((b"content-type", answer.content_type.encode()))
            headers.append((b"content-length", str(length).encode()))
        await self._send({"type": "http.response.start", "status": answer.status, "headers": headers})
