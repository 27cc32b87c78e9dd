"""calls of one event-loop turn -> one write -> an answer for each caller.

A call that travels with others costs a third of what it costs alone, and on a wire of the line's own a tenth of what it
costs through a pipeline of redis-py. All calls travel on one wire and run in the order in which they were made.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from random import random
from typing import Any

from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoScriptError, RedisError

from linqbot.clock import Clock
from linqbot.errors import StoreUnavailable
from linqbot.store.redis.faults import store_error
from linqbot.store.redis.scripts import Script
from linqbot.store.redis.wire import Argument, Wire, packed

_RETRIES = 2
"""How often a call whose connection broke is made again: each verb is safe to repeat."""
_PAUSE_S = 0.02


class Line:
    """The way of all scripts to the server; `connect` opens a wire."""

    def __init__(self, connect: Callable[[], Awaitable[Wire]], *, meta: str, clock: Clock) -> None:
        self._connect = connect
        self._meta = meta.encode()
        self._clock = clock
        self._wire: Wire | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._commands: list[bytes] = []
        self._answers: list[asyncio.Future[Any]] = []
        self._closed = False
        self.detours = 0
        """How often a call was made anew, or on another wire: between two of them calls run in the order they were made."""

    async def call(self, script: Script, *arguments: Argument, here: tuple[int, int] = (0, 0)) -> Any:
        """Run a script and return what it answers; raises `StoreUnavailable` or `StoreError`. `here` is how many wait in
        this process, on the in and the out side, whom the caller wakes itself: no other process is woken for those.

        Cancelling the caller leaves the script and other callers alone.
        """
        about = b"%d %d %d" % (self._clock.offset_ms, *here)
        words = (b"1", self._meta, about, *arguments)
        # Packed here, so that text that cannot be encoded fails this caller and nobody else.
        command = packed(b"EVALSHA", script.sha, *words)
        try:
            said = await self._insist(command)
            if isinstance(said, NoScriptError):  # the server forgot it; `EVAL` makes it remember
                self.detours += 1
                said = await self._insist(packed(b"EVAL", script.text, *words))
        except (RedisError, OSError) as error:
            raise store_error(error, script.name) from error
        if isinstance(said, Exception):
            raise store_error(said, script.name)
        return said

    async def close(self) -> None:
        """Answer no more calls; returns when those under way are answered."""
        self._closed = True
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.wait([self._connecting])
        self._refuse(RedisConnectionError("the store is closed"))
        if self._wire is not None:
            await self._wire.close()

    async def _insist(self, command: bytes) -> Any:
        for left in reversed(range(_RETRIES + 1)):
            try:
                return await self._ask(command)
            except RedisConnectionError:
                if not left or self._closed:
                    raise
            await asyncio.sleep(_PAUSE_S * random())  # noqa: S311, TID251  # spread in real time; nothing is secret
        raise AssertionError("the last try returns or raises")

    def _ask(self, command: bytes) -> asyncio.Future[Any]:
        if self._closed:
            raise StoreUnavailable("the store is closed")
        loop = asyncio.get_running_loop()
        answer = loop.create_future()
        self._commands.append(command)
        self._answers.append(answer)
        if len(self._commands) == 1:
            loop.call_soon(self._depart)
        return answer

    def _depart(self) -> None:
        """Send what was called for since the last time, once there is a wire."""
        if not self._commands:
            return
        if self._wire is not None and not self._wire.lost:
            commands, answers = self._commands, self._answers
            self._commands, self._answers = [], []
            self._wire.send(b"".join(commands), answers)
        elif self._connecting is None:
            self._connecting = asyncio.get_running_loop().create_task(self._reconnect())

    async def _reconnect(self) -> None:
        try:
            self._wire = await self._connect()
            self.detours += 1
        except (RedisError, OSError) as error:
            self._refuse(error)
        finally:
            self._connecting = None
        self._depart()

    def _refuse(self, error: Exception) -> None:
        for answer in self._answers:
            if not answer.done():
                answer.set_exception(error)
        self._commands, self._answers = [], []
