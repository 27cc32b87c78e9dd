"""calls of one event-loop turn -> one pipeline -> an answer for each caller.

A pipeline costs a caller a third of what a call of its own does, and connections of the line's own, to which commands go
as hiredis packs them, half of what a pipeline of redis-py does. Calls run in the order in which they were made as long as
one pipeline is under way; a second one may overtake, so a caller that needs order awaits its answer first.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from hiredis import pack_command
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import NoScriptError, RedisError, ResponseError

from linqbot.clock import Clock
from linqbot.errors import StoreUnavailable
from linqbot.store.redis.connection import ANSWER_S
from linqbot.store.redis.faults import store_error
from linqbot.store.redis.scripts import Script

Argument = bytes | str | int

_UNDER_WAY = 2
_LONGEST = 128


@dataclass(frozen=True, slots=True, eq=False)
class _Call:
    script: Script
    command: bytes = field(repr=False)
    answer: asyncio.Future[Any]


class Line:
    """The way of all scripts to the server; `connection` makes one that is not open yet."""

    def __init__(self, connection: Callable[[], AbstractConnection], *, meta: str, clock: Clock) -> None:
        self._connections = [connection() for _ in range(_UNDER_WAY)]
        self._free = list(self._connections)
        self._meta = meta.encode()
        self._clock = clock
        self._calls: deque[_Call] = deque()
        self._trips: set[asyncio.Task[None]] = set()
        self._called = False
        self._closed = False

    async def call(self, script: Script, *arguments: Argument, here: tuple[int, int] = (0, 0)) -> Any:
        """Run a script and return what it answers; raises `StoreUnavailable` or `StoreError`. `here` is how many wait in
        this process, on the in and the out side, whom the caller wakes itself: no other process is woken for those.

        Cancelling the caller leaves the script and other callers alone.
        """
        if self._closed:
            raise StoreUnavailable(f"{script.name}: the store is closed")
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Any] = loop.create_future()
        # Packed here, so that text that cannot be encoded fails this caller and not the whole pipeline.
        about = b"%d %d %d" % (self._clock.offset_ms, *here)
        command = _packed(b"EVALSHA", script.sha, b"1", self._meta, about, *arguments)
        self._calls.append(_Call(script, command, answer))
        if not self._called and len(self._trips) < _UNDER_WAY:
            self._called = True
            loop.call_soon(self._depart)
        return await answer

    async def close(self) -> None:
        """Answer no more calls; returns when those under way are answered."""
        self._closed = True
        while self._calls:
            _fail(self._calls.popleft(), StoreUnavailable("the store is closed"))
        if self._trips:
            await asyncio.wait(self._trips)
        for connection in self._connections:
            await connection.disconnect()

    def _depart(self) -> None:
        self._called = False
        while self._calls and len(self._trips) < _UNDER_WAY:
            batch = [self._calls.popleft() for _ in range(min(len(self._calls), _LONGEST))]
            trip = asyncio.get_running_loop().create_task(self._travel(batch))
            self._trips.add(trip)
            trip.add_done_callback(self._arrive)

    def _arrive(self, trip: asyncio.Task[None]) -> None:
        self._trips.discard(trip)
        self._depart()

    async def _travel(self, batch: list[_Call]) -> None:
        try:
            await self._answer(batch)
        except BaseException as error:
            for call in batch:
                _fail(call, store_error(error, call.script.name))
            if not isinstance(error, (RedisError, OSError)):
                raise

    async def _answer(self, batch: list[_Call]) -> None:
        answers = await self._run(batch)
        forgotten = [call for call, answer in zip(batch, answers, strict=True) if isinstance(answer, NoScriptError)]
        again = iter(await self._run(forgotten, load=True) if forgotten else ())
        for call, first in zip(batch, answers, strict=True):
            answer = next(again) if isinstance(first, NoScriptError) else first
            if isinstance(answer, Exception):
                _fail(call, store_error(answer, call.script.name))
            elif not call.answer.done():
                call.answer.set_result(answer)

    async def _run(self, batch: Sequence[_Call], *, load: bool = False) -> list[Any]:
        texts = {call.script.text for call in batch} if load else set()
        commands = [*(_packed(b"SCRIPT", b"LOAD", text) for text in texts), *(call.command for call in batch)]
        connection = self._free.pop()
        try:
            await _open(connection)
            answers: list[Any] = await connection.retry.call_with_retry(
                partial(_exchange, connection, b"".join(commands), len(commands)),
                lambda _: connection.disconnect(),
            )
        finally:
            self._free.append(connection)
        return answers[len(texts) :]


def _packed(*words: Argument) -> bytes:
    command: bytes = pack_command(words)  # type: ignore[arg-type]  # its stub knows tuples of one only
    return command


async def _open(connection: AbstractConnection) -> None:
    """Connect, also where the server has hung up meanwhile. Each step has its time; later one limit holds for all."""
    if connection.is_connected and await connection.can_read():
        await connection.disconnect()
    if not connection.is_connected:
        connection.socket_timeout = ANSWER_S
        await connection.connect()  # type: ignore[no-untyped-call]  # redis-py has no type for it
        connection.socket_timeout = None


async def _exchange(connection: AbstractConnection, commands: bytes, count: int) -> list[Any]:
    """Send all, then read as many answers; one that is an error is returned like the others."""
    answers: list[Any] = []
    try:
        async with asyncio.timeout(ANSWER_S):
            await connection.send_packed_command(commands)
            while len(answers) < count:
                try:
                    answers.append(await connection.read_response())
                except ResponseError as error:
                    answers.append(error)
    except BaseException:
        await connection.disconnect(nowait=True)  # answers may still come that nobody waits for
        raise
    return answers


def _fail(call: _Call, error: Exception) -> None:
    if not call.answer.done():
        call.answer.set_exception(error)
