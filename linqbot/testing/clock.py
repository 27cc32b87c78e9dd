"""A clock that tests turn: real time plus an offset that only grows when told to.

The same offset is handed to the store, so leases, budgets, dedupe and timers move with it on every backend.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

from linqbot.clock import Alarm, SystemClock


class TurnedClock:
    """Real time plus what was added with `advance`; sleepers wake when either brings them to their time."""

    def __init__(self) -> None:
        self._system = SystemClock()
        self._offset_ms = 0
        self._sleepers: set[asyncio.Future[None]] = set()

    @property
    def offset_ms(self) -> int:
        """The sum of all advances, in milliseconds."""
        return self._offset_ms

    def now_ms(self) -> int:
        """The machine's time plus the offset, in milliseconds since the epoch."""
        return self._system.now_ms() + self._offset_ms

    async def sleep(self, seconds: float) -> None:
        """Wait until this clock has moved on by `seconds`, by itself or by `advance`."""
        due_ms = self.now_ms() + int(seconds * 1000)
        await self._system.sleep(0)
        while (left_ms := due_ms - self.now_ms()) > 0:
            await self._turned_within(left_ms / 1000)

    def alarm(self, seconds: float, ring: Callable[[], None]) -> Alarm:
        """Call `ring` once this clock has moved on by `seconds`."""
        return asyncio.get_running_loop().create_task(self._ring_in(seconds, ring))

    def advance(
        self, *, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0, milliseconds: float = 0
    ) -> None:
        """Move the clock forward and let every sleeper look at it; it never goes back."""
        step = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds, milliseconds=milliseconds)
        if step < timedelta(0):
            raise ValueError("a clock is only turned forward")
        self._offset_ms += int(step.total_seconds() * 1000)
        for sleeper in self._sleepers:
            if not sleeper.done():
                sleeper.set_result(None)

    async def _ring_in(self, seconds: float, ring: Callable[[], None]) -> None:
        await self.sleep(seconds)
        ring()

    async def _turned_within(self, seconds: float) -> None:
        turned: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.add(turned)
        try:
            await asyncio.wait([turned], timeout=seconds)
        finally:
            self._sleepers.discard(turned)
            turned.cancel()
