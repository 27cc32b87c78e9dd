"""(time, act) -> acts in time. What is to happen later, on a clock that can be turned."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Callable
from contextlib import suppress

from linqbot.clock import Clock


class Entry:
    """Something that will happen; `cancel` keeps it from happening."""

    __slots__ = ("act", "due_ms")

    def __init__(self, due_ms: int, act: Callable[[], None]) -> None:
        self.due_ms = due_ms
        self.act: Callable[[], None] | None = act

    def cancel(self) -> None:
        """Forget it; harmless when it already happened."""
        self.act = None


class Agenda:
    """Acts in the order of their times, then of their entry; `run` performs them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._heap: list[tuple[int, int, Entry]] = []
        self._order = itertools.count()
        self._nap: asyncio.Timeout | None = None
        self._sleeping_until_ms: int | None = None
        self._watchers: list[asyncio.Future[None]] = []

    def at(self, due_ms: int, act: Callable[[], None]) -> Entry:
        """Perform `act` when the clock reaches `due_ms`, at once when it is past."""
        entry = Entry(due_ms, act)
        heapq.heappush(self._heap, (due_ms, next(self._order), entry))
        if self._sleeping_until_ms is None or due_ms < self._sleeping_until_ms:
            self._wake()
        return entry

    def due_by(self, time_ms: int) -> bool:
        """Whether something is to happen up to and including `time_ms`."""
        while self._heap and self._heap[0][2].act is None:
            heapq.heappop(self._heap)
        return bool(self._heap) and self._heap[0][0] <= time_ms

    def clear(self) -> None:
        """Cancel everything."""
        self._heap.clear()
        self.notify()

    def look(self) -> None:
        """Look at the clock again, which may have been turned to shortly before the next act."""
        self._wake()

    def notify(self) -> None:
        """Tell whoever waits in `changed` to look again."""
        watchers, self._watchers = self._watchers, []
        for watcher in watchers:
            if not watcher.done():
                watcher.set_result(None)

    async def changed(self) -> None:
        """Wait until something happened."""
        watcher: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._watchers.append(watcher)
        await watcher

    async def run(self) -> None:
        """Perform what is due, for ever."""
        while True:
            while self.due_by(self._clock.now_ms()):
                entry = heapq.heappop(self._heap)[2]
                if entry.act is not None:
                    entry.act()
            self.notify()
            await self._pause()

    async def _pause(self) -> None:
        # the clock's sleep is awaited right here, not in a task: the clock may be turned before a task would begin
        with suppress(TimeoutError):
            async with asyncio.timeout(None) as self._nap:
                if self._heap:
                    self._sleeping_until_ms = self._heap[0][0]
                    await self._clock.sleep((self._sleeping_until_ms - self._clock.now_ms()) / 1000)
                else:
                    self._sleeping_until_ms = None
                    await asyncio.get_running_loop().create_future()
        self._nap = None

    def _wake(self) -> None:
        nap, self._nap = self._nap, None
        if nap is not None:
            nap.reschedule(asyncio.get_running_loop().time())
