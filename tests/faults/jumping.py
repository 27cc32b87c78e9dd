"""A machine's clock that is put to another time while programs run; waiting is not touched by that."""

from __future__ import annotations

from collections.abc import Callable

from linqbot.clock import Alarm, SystemClock


class JumpingClock:
    """The system's clock, and how wrong it is."""

    def __init__(self) -> None:
        self._system = SystemClock()
        self.host_ms = 0
        """By how much the machine is wrong."""
        self.offset_ms = 0
        """By how much the store's server is wrong."""

    def now_ms(self) -> int:
        """What the machine believes."""
        return self._system.now_ms() + self.host_ms

    async def sleep(self, seconds: float) -> None:
        """Wait by the clock that never jumps, as event loops do."""
        await self._system.sleep(seconds)

    def alarm(self, seconds: float, ring: Callable[[], None]) -> Alarm:
        """Ring by the clock that never jumps."""
        return self._system.alarm(seconds, ring)
