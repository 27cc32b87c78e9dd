"""a clock and the time that was last stored -> store time, which never runs backwards."""

from __future__ import annotations

from linqbot.clock import Clock

_PATIENCE_MS = 60_000
"""How far a clock may fall behind before store time runs on without it."""


class StoreTime:
    """Store time as one handle sees it.

    When the clock falls behind what was stored already, store time stands still for a small step (a clock set right), and
    runs on from where it was after a large one (a turned clock that was put back, a machine whose date was wrong), so that
    leases and delays come to their end in any case.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ahead_ms = 0
        self._told_ms = 0

    def now_ms(self, stored_ms: int) -> int:
        """Store time, given the time of the last stored change: never less than that, nor than it was told before."""
        floor_ms = max(stored_ms, self._told_ms)
        clock_ms = self._clock.now_ms()
        if clock_ms >= floor_ms:
            self._ahead_ms = 0
        elif floor_ms - clock_ms - self._ahead_ms > _PATIENCE_MS:
            self._ahead_ms = floor_ms - clock_ms
        self._told_ms = max(floor_ms, clock_ms + self._ahead_ms)
        return self._told_ms
