"""Lease -> how long its event waits: for a release that has its handler, or for the answer that says what it is about.

Two releases may run at once, and a release may be rolled back: an event of a type that no handler is for any more is left
to wait, its chat with it, before it is given up. News of a message may overtake the answer to its send. Waiting is no
failure: it burns none of a handler's attempts.
"""

from __future__ import annotations

from linqbot.records import Lease

PARKED_MS = 5 * 60_000
"""So long an event waits, counted from its arrival or from the start of the process, whichever was later: longer than two
releases run side by side, shorter than anybody may block a chat (reliability.md I5)."""

AWAITED_MS = 20_000
"""So long news of a message waits, counted from its arrival, until it is known whose it is: no answer takes longer
(`client.http`)."""

_FIRST_MS = 1_000
_SOON_MS = 100
_LONGEST_MS = 30_000
_PARKED = "parked:"


class NotYet(Exception):
    """The event cannot be handled yet; `delay_ms` from now it is worth another look."""

    def __init__(self, delay_ms: int) -> None:
        super().__init__()
        self.delay_ms = delay_ms


def park_ms(lease: Lease, *, up_ms: int) -> int | None:
    """How long the leased event waits until it is looked at again; None: it has waited enough.

    `up_ms` is how long this process has been running.
    """
    left_ms = PARKED_MS - min(up_ms, lease.now_ms - lease.events[0].accepted_ms)
    if left_ms <= 0:
        return None
    return min(_FIRST_MS << min(_times(lease), 5), _LONGEST_MS, left_ms)


def await_ms(lease: Lease) -> int | None:
    """How long the leased news waits until it is looked at again; None: it has waited enough."""
    left_ms = AWAITED_MS - (lease.now_ms - lease.events[0].accepted_ms)
    if left_ms <= 0:
        return None
    return min(_SOON_MS << min(_times(lease), 6), left_ms)


def parking_note(lease: Lease) -> str:
    """The note that marks this lease's end as no failure; leave it before the lane is delayed."""
    return f"{_PARKED}{lease.attempts}"


def failures(lease: Lease) -> int:
    """How many runs of the leased event failed: its attempts without those that only parked it."""
    return lease.attempts - _times(lease)


def _times(lease: Lease) -> int:
    """How often it was parked; a note without its delay (the process died in between) is not counted."""
    return sum(f"{_PARKED}{attempt}" in lease.notes for attempt in range(lease.attempts))
