"""a coroutine + a clock -> its result, in time or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from linqbot.clock import Alarm, Clock

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
        self._alarm: Alarm | None = None
        self._over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """The work has ended, or its time."""

    def start(self, seconds: float) -> None:
        """The work has `seconds` from now."""
        self.stop()
        self._alarm = self._clock.alarm(seconds, self._end)

    def stop(self) -> None:
        """The work waits for something that is not its fault; no time runs until `start`."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of the work. When the time is up, or this is cancelled, the work is cancelled and awaited for a
        few seconds: longer only work that swallows its cancellation takes, and nothing can stop that.

        Raises `Overrun`, whatever late work returns or raises, and `asyncio.CancelledError`.
        """
        task = asyncio.create_task(work)
        task.add_done_callback(self._end)
        try:
            await self._over
        except asyncio.CancelledError:
            await self._cut_short(task)
            raise
        finally:
            self.stop()
        if task.done():
            return task.result()
        await self._cut_short(task)
        raise Overrun(None if task.done() else task)

    def _end(self, _: object = None) -> None:
        if not self._over.done():
            self._over.set_result(None)

    async def _cut_short(self, task: asyncio.Task[Any]) -> None:
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


def _look_at(task: asyncio.Task[Any]) -> None:
    """Late work's error is nobody's; asyncio reports what nobody looks at."""
    if not task.cancelled():
        task.exception()
