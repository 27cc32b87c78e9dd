"""How long an event without a handler waits, as a pure rule."""

from __future__ import annotations

from linqbot.protocol.parking import PARKED_MS, failures, park_ms, parking_note
from linqbot.records import InboxItem, Lease, Side

ITEM = InboxItem(event_id="e1", lane="chat:c", type="reaction.added", body=b"{}", accepted_ms=1_000)


def leased(*, age_ms: int, attempts: int = 0, parked: int = 0) -> Lease:
    """A lease on an event of an age, whose first `parked` attempts only parked it."""
    return Lease(
        side=Side.IN,
        lane=ITEM.lane,
        token="t",
        now_ms=ITEM.accepted_ms + age_ms,
        until_ms=0,
        events=(ITEM,),
        attempts=attempts,
        notes={f"parked:{attempt}": b"" for attempt in range(parked)},
    )


def test_the_waits_grow_and_end_with_the_time() -> None:
    """Looked at ever less often, at least every 30 s, and once more when the time is over."""
    waits: list[int] = []
    age_ms = 0

    def wait_ms() -> int | None:
        times = len(waits)
        return park_ms(leased(age_ms=age_ms, attempts=times, parked=times), up_ms=2 * PARKED_MS)

    while (wait := wait_ms()) is not None:
        waits.append(wait)
        age_ms += wait

    assert waits[:7] == [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]
    assert max(waits) == 30_000
    assert age_ms == PARKED_MS


def test_a_process_that_just_started_waits_for_old_events_too() -> None:
    """The time runs from the later one of arrival and start."""
    assert park_ms(leased(age_ms=PARKED_MS * 10), up_ms=0) is not None
    assert park_ms(leased(age_ms=PARKED_MS * 10), up_ms=PARKED_MS) is None


def test_a_note_whose_delay_was_never_stored_counts_nothing() -> None:
    """A process that died between note and delay left an attempt that is still to come."""
    assert parking_note(leased(age_ms=0, attempts=2, parked=2)) == "parked:2"
    assert failures(leased(age_ms=0, attempts=2, parked=3)) == 0
    assert failures(leased(age_ms=0, attempts=3, parked=2)) == 1
