"""a coroutine + a clock -> its result, in time or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from linqbot.clock import Clock

T = TypeVar("T")

PATIENCE_S = (2.0, 0.5)
"""How long cancelled work may take to end; after the first span it is cancelled once more, then it is left to itself."""


class Overrun(Exception):
    """The time was up and the work has been cancelled; `runaway` is the work if it did not end of that."""

    def __init__(self, runaway: asyncio.Future[Any] | None = None) -> None:
        super().__init__()
        self.runaway = runaway


class Deadline:
    """How long the work may go on, moved by the work itself: each step of it starts the time anew."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._due_ms: int | None = None
        self._alarm: asyncio.Task[None] | None = None

    def start(self, seconds: float) -> None:
        """The work has `seconds` from now."""
        self._due_ms = self._clock.now_ms() + int(seconds * 1000)
        self._rouse()

    def stop(self) -> None:
        """The work waits for something that is not its fault; no time runs until `start`."""
        self._due_ms = None
        self._rouse()

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of the work. When the time is up, or this is cancelled, the work is cancelled and awaited for a
        few seconds: longer only work that swallows its cancellation takes, and nothing can stop that.

        Raises `Overrun`, whatever late work returns or raises, and `asyncio.CancelledError`.
        """
        task = asyncio.create_task(work)
        try:
            while not task.done() and not self._is_over():
                await self._wait(task)
        except asyncio.CancelledError:
            await self._end(task)
            raise
        if task.done():
            return task.result()
        await self._end(task)
        raise Overrun(None if task.done() else task)

    async def _end(self, task: asyncio.Task[Any]) -> None:
        task.add_done_callback(_look_at)
        for patience_s in PATIENCE_S:
            task.cancel()
            alarm = asyncio.create_task(self._clock.sleep(patience_s))
            try:
                await asyncio.wait([task, alarm], return_when=asyncio.FIRST_COMPLETED)
            finally:
                alarm.cancel()
            if task.done():
                return

    async def _wait(self, task: asyncio.Task[T]) -> None:
        """Until the task is done, the time may be up, or the deadline was moved."""
        if self._due_ms is None:
            self._alarm = asyncio.create_task(self._clock.sleep(3600))
        else:
            self._alarm = asyncio.create_task(self._clock.sleep((self._due_ms - self._clock.now_ms()) / 1000))
        try:
            await asyncio.wait([task, self._alarm], return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._alarm.cancel()

    def _is_over(self) -> bool:
        return self._due_ms is not None and self._clock.now_ms() >= self._due_ms

    def _rouse(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()


def _look_at(task: asyncio.Task[Any]) -> None:
    """Late work's error is nobody's; asyncio reports what nobody looks at."""
    if not task.cancelled():
        task.exception()
