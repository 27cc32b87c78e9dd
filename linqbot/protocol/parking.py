"""Lease -> how long its event waits for another release. What a deploy does with events whose handler it removed.

Two releases may run at once, and a release may be rolled back: an event of a type that no handler is for any more is left
to wait, its chat with it, before it is given up. Waiting is no failure: it burns none of a handler's attempts.
"""

from __future__ import annotations

from linqbot.records import Lease

PARKED_MS = 5 * 60_000
"""So long an event waits, counted from its arrival or from the start of the process, whichever was later: longer than two
releases run side by side, shorter than anybody may block a chat (reliability.md I5)."""

_FIRST_MS = 1_000
_LONGEST_MS = 30_000
_PARKED = "parked:"


def park_ms(lease: Lease, *, up_ms: int) -> int | None:
    """How long the leased event waits until it is looked at again; None: it has waited enough.

    `up_ms` is how long this process has been running.
    """
    left_ms = PARKED_MS - min(up_ms, lease.now_ms - lease.events[0].accepted_ms)
    if left_ms <= 0:
        return None
    return min(_FIRST_MS << min(_times(lease), 5), _LONGEST_MS, left_ms)


def parking_note(lease: Lease) -> str:
    """The note that marks this lease's end as no failure; leave it before the lane is delayed."""
    return f"{_PARKED}{lease.attempts}"


def failures(lease: Lease) -> int:
    """How many runs of the leased event failed: its attempts without those that only parked it."""
    return lease.attempts - _times(lease)


def _times(lease: Lease) -> int:
    """How often it was parked; a note without its delay (the process died in between) is not counted."""
    return sum(f"{_PARKED}{attempt}" in lease.notes for attempt in range(lease.attempts))
