"""commands -> answers, in their order. One connection to the server, as fast as the event loop allows.

No task and no timer of its own for a call: what waits is a future, and one alarm watches the oldest.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Any, cast

import hiredis
from redis.asyncio.connection import DefaultParser
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

ANSWER_S = 2.0
"""How long an answer may take before the server counts as away."""

Argument = bytes | str | int

_NOTHING = object()
_error_of = DefaultParser(socket_read_size=1).parse_error


def packed(*words: Argument) -> bytes:
    """A command as it travels. Raises `UnicodeEncodeError` for text that cannot be encoded."""
    command: bytes = hiredis.pack_command(words)  # type: ignore[arg-type]  # its stub knows tuples of one only
    return command


class Wire(asyncio.Protocol):
    """An open connection; it is of no use any more once it is `lost`."""

    def __init__(self) -> None:
        self.lost = False
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._reader = hiredis.Reader(replyError=_error_of, notEnoughData=_NOTHING)
        self._waiting: deque[tuple[asyncio.Future[Any], float]] = deque()
        self._alarm: asyncio.TimerHandle | None = None
        self._gone = self._loop.create_future()

    async def ask(self, *words: Argument) -> Any:
        """The answer to one command. Raises what the server says is wrong, and as `send` does."""
        answer = self._loop.create_future()
        self.send(packed(*words), [answer])
        said = await answer
        if isinstance(said, Exception):
            raise said
        return said

    def send(self, commands: bytes, answers: Sequence[asyncio.Future[Any]]) -> None:
        """Send packed commands, one for each of the futures, which get what the server answers, its errors as values.

        A future fails with redis-py's `ConnectionError` when the connection is lost first, and with its `TimeoutError` when
        nothing comes within `ANSWER_S`, which also ends the connection: the answer may still come, and nobody waits for it.
        """
        due = self._loop.time() + ANSWER_S
        self._waiting.extend((answer, due) for answer in answers)
        if self._transport is None or self.lost:
            self._fail(RedisConnectionError("the connection is closed"))
            return
        self._transport.write(commands)
        if self._alarm is None:
            self._alarm = self._loop.call_at(due, self._watch)

    async def close(self) -> None:
        """Hang up, once all that was asked is answered."""
        if self._waiting:
            await asyncio.wait([answer for answer, _ in self._waiting])
        if self._transport is not None:
            self._transport.abort()
            await self._gone

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Hand out every answer that is complete."""
        self._reader.feed(data)
        while (said := self._reader.gets()) is not _NOTHING:
            if (
                isinstance(said, RedisConnectionError) or not self._waiting
            ):  # the server hangs up, or something else talks
                self._end(said if isinstance(said, RedisConnectionError) else RedisConnectionError("out of step"))
                return
            answer, _ = self._waiting.popleft()
            if not answer.done():
                answer.set_result(said)

    def connection_lost(self, _: Exception | None) -> None:
        """Tell whoever waits."""
        self._end(RedisConnectionError("the connection was closed"))
        self._gone.set_result(None)

    def _watch(self) -> None:
        self._alarm = None
        if not self._waiting:
            return
        due = self._waiting[0][1]
        if due <= self._loop.time():
            self._end(RedisTimeoutError("no answer in time"))
        else:
            self._alarm = self._loop.call_at(due, self._watch)

    def _end(self, error: Exception) -> None:
        self.lost = True
        if self._transport is not None:
            self._transport.abort()
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        self._fail(error)

    def _fail(self, error: Exception) -> None:
        while self._waiting:
            answer, _ = self._waiting.popleft()
            if not answer.done():
                answer.set_exception(error)
