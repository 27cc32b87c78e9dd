"""failures -> whether to try at all. A circuit breaker as a value: closed, open for a rest, then one probe at a time.

Each step returns the next breaker; the caller keeps it. Probing shuts it for another rest, so of all who ask, one per
rest goes through until somebody reports how it went.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum


class Gate(StrEnum):
    """How a breaker stands at a moment."""

    CLOSED = "closed"
    """All may pass: the far side is well, as far as known."""
    OPEN = "open"
    """Nobody passes."""
    HALF_OPEN = "half-open"
    """One may pass, to see: call `probe` and then report `success`, `failure` or `hold`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """What is known of the far side's health; durations and instants in milliseconds of the caller's clock."""

    threshold: int = 5
    """So many failures in a row open it."""
    rest_ms: int = 5_000
    """How long it stays open the first time; doubles with each failed probe."""
    longest_rest_ms: int = 60_000
    failures: int = 0
    """In a row, since the last success."""
    opened_ms: int | None = None
    """When it was last shut; None: closed."""
    resting_ms: int = 0
    """How long it stays shut from `opened_ms` on."""
    probing: bool = False
    """One is on its way to see; its report decides."""

    def gate(self, now_ms: int) -> Gate:
        """Whether all, none or one may pass now. A clock that was set back opens for a probe, so nothing waits for ever."""
        if self.opened_ms is None:
            return Gate.CLOSED
        return Gate.OPEN if 0 <= now_ms - self.opened_ms < self.resting_ms else Gate.HALF_OPEN

    def left_ms(self, now_ms: int) -> int:
        """How long until one may pass; 0 when one may pass now."""
        if self.opened_ms is None or self.gate(now_ms) is not Gate.OPEN:
            return 0
        return self.opened_ms + self.resting_ms - now_ms

    def probe(self, now_ms: int) -> Breaker:
        """One passes a half-open breaker; it is shut for the others, for a rest at most."""
        if self.gate(now_ms) is not Gate.HALF_OPEN:
            return self
        return replace(self, opened_ms=now_ms, probing=True)

    def success(self) -> Breaker:
        """The far side answered: closed, and all earlier failures are forgotten."""
        if self.opened_ms is None and self.failures == 0:
            return self
        return replace(self, failures=0, opened_ms=None, resting_ms=0, probing=False)

    def failure(self, now_ms: int) -> Breaker:
        """The far side failed: opens at the threshold, and rests twice as long after a failed probe. Those who passed
        before it opened and fail late only count.
        """
        failed = replace(self, failures=self.failures + 1)
        if self.probing:
            rest_ms = min(max(self.resting_ms, self.rest_ms) * 2, self.longest_rest_ms)
            return replace(failed, opened_ms=now_ms, resting_ms=rest_ms, probing=False)
        if self.opened_ms is not None or failed.failures < self.threshold:
            return failed
        return replace(failed, opened_ms=now_ms, resting_ms=self.rest_ms)

    def hold(self, now_ms: int, *, rest_ms: int) -> Breaker:
        """The far side asked for a pause of `rest_ms`: open at once, whatever the count of failures."""
        return replace(self, opened_ms=now_ms, resting_ms=rest_ms, probing=False)
