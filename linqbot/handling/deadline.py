"""a coroutine + a clock -> its result, in time or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from linqbot.clock import Clock

T = TypeVar("T")


class Overrun(Exception):
    """The time was up; the work has been cancelled and has ended."""


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
        """The result of the work. When the time is up, or this is cancelled, the work is cancelled and awaited.

        Raises `Overrun`, whatever late work returns or raises, and `asyncio.CancelledError`.
        """
        task = asyncio.create_task(work)
        try:
            while not task.done():
                await self._wait(task)
                if not task.done() and self._is_over():
                    raise Overrun
            return task.result()
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait([task])
                _ = task.cancelled() or task.exception()

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
