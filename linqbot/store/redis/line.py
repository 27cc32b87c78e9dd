"""calls of one event-loop turn -> one pipeline -> an answer for each caller.

A pipeline costs a caller a third of what a call of its own does. Calls run in the order in which they were made as long
as one pipeline is under way; a second one may overtake, so a caller that needs order awaits its answer first.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import NoScriptError, RedisError

from linqbot.clock import Clock
from linqbot.errors import StoreUnavailable
from linqbot.store.redis.faults import store_error
from linqbot.store.redis.scripts import Script

Argument = bytes | str | int

_UNDER_WAY = 2
_LONGEST = 128


@dataclass(frozen=True, slots=True, eq=False)
class _Call:
    script: Script
    arguments: tuple[bytes | int, ...]
    answer: asyncio.Future[Any]


class Line:
    """The way of all scripts to the server."""

    def __init__(self, client: Redis, *, meta: str, clock: Clock) -> None:
        self._client = client
        self._meta = meta
        self._clock = clock
        self._calls: deque[_Call] = deque()
        self._trips: set[asyncio.Task[None]] = set()
        self._called = False
        self._closed = False

    async def call(self, script: Script, *arguments: Argument) -> Any:
        """Run a script and return what it answers; raises `StoreUnavailable` or `StoreError`.

        Cancelling the caller leaves the script and other callers alone.
        """
        if self._closed:
            raise StoreUnavailable(f"{script.name}: the store is closed")
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Any] = loop.create_future()
        # Text is encoded here, so that what cannot be encoded fails this caller and not the whole pipeline.
        encoded = tuple(each.encode() if isinstance(each, str) else each for each in arguments)
        self._calls.append(_Call(script, encoded, answer))
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
        pipeline = self._client.pipeline(transaction=False)
        texts = {call.script.text for call in batch} if load else set()
        for text in texts:
            pipeline.execute_command("SCRIPT LOAD", text)
        offset = self._clock.offset_ms
        for call in batch:
            pipeline.execute_command("EVALSHA", call.script.sha, 1, self._meta, offset, *call.arguments)
        return (await pipeline.execute(raise_on_error=False))[len(texts) :]


def _fail(call: _Call, error: Exception) -> None:
    if not call.answer.done():
        call.answer.set_exception(error)
