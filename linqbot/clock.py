"""The only door to time: what `now` is, and how to wait for it.

Everything that decides takes `now` as an argument; everything that waits takes a `Clock`. The store's time is the
server's clock plus `Clock.offset_ms`, which is 0 in production and is turned by tests, `dev` and the emulator.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Protocol


class Alarm(Protocol):
    """Something that will happen, unless it is cancelled before."""

    def cancel(self) -> object:
        """Let it not happen; a repeat changes nothing."""
        ...


class Clock(Protocol):
    """Wall-clock time in milliseconds since the epoch, and the way to wait for it."""

    @property
    def offset_ms(self) -> int:
        """How far this clock is ahead of the machine's, in milliseconds; 0 in production."""
        ...

    def now_ms(self) -> int:
        """The current time in milliseconds since the epoch (UTC)."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait until `seconds` have passed on this clock; not at all when not positive."""
        ...

    def alarm(self, seconds: float, ring: Callable[[], None]) -> Alarm:
        """Call `ring` on the event loop once `seconds` have passed on this clock; costs less than a task that sleeps."""
        ...


class SystemClock:
    """The machine's own clock: what production runs on."""

    @property
    def offset_ms(self) -> int:
        """Always 0: this is the machine's time."""
        return 0

    def now_ms(self) -> int:
        """The machine's time in milliseconds since the epoch (UTC)."""
        return time.time_ns() // 1_000_000

    async def sleep(self, seconds: float) -> None:
        """Wait `seconds` of real time; a negative number counts as zero."""
        await asyncio.sleep(max(seconds, 0.0))

    def alarm(self, seconds: float, ring: Callable[[], None]) -> Alarm:
        """Call `ring` in `seconds` of real time; a negative number counts as zero."""
        return asyncio.get_running_loop().call_later(max(seconds, 0.0), ring)
