"""timer writes -> events in their lanes, when store time reaches them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from linqbot.ids import random_token
from linqbot.records import Committed, Limits, Side, TimerWrite
from linqbot.store.base import Store
from linqbot.testing.clock import TurnedClock
from linqbot.testing.store_contract.opening import Opener, StoreFixtures
from linqbot.testing.store_contract.samples import arrival, drain, event, lease, nothing, turn


async def _set(store: Store, *writes: TimerWrite) -> None:
    """A turn that sets these."""
    await store.accept(arrival(f"origin-{random_token()}", "origin"))
    commit = replace(turn(await lease(store)), timers=writes)
    assert await store.commit(commit) is Committed.COMMITTED


def _timer(key: str, due_ms: int, lane: str = "chat:a") -> TimerWrite:
    return TimerWrite(key=key, due_ms=due_ms, item=event(f"timer-{key}", lane, body=key.encode()))


async def _fired(store: Store) -> Sequence[str]:
    return await drain(store)


class TimerContract(StoreFixtures):
    """What durable schedules may rely on."""

    async def test_timer_is_quiet_until_due(self, store: Store, clock: TurnedClock) -> None:
        """Counted, but not leased before its time."""
        await _set(store, _timer("t", clock.now_ms() + 60_000))
        clock.advance(seconds=58)

        assert await nothing(store)
        assert (await store.stats()).timers == 1

    async def test_due_timer_enters_its_lane(self, store: Store, clock: TurnedClock) -> None:
        """Like an accepted event, with its item and store time."""
        await _set(store, _timer("t", clock.now_ms() + 60_000))
        clock.advance(seconds=61)

        held = await lease(store)

        assert (held.lane, held.events[0].event_id, held.events[0].body) == ("chat:a", "timer-t", b"t")
        assert held.events[0].accepted_ms == held.now_ms
        stats = await store.stats()
        assert (stats.timers, stats.inbox) == (0, 1)

    async def test_timer_of_the_past_fires_at_once(self, store: Store) -> None:
        """Late is better than never."""
        await _set(store, _timer("t", 1))

        assert await _fired(store) == ["timer-t"]

    async def test_timer_fires_once(self, store: Store, clock: TurnedClock) -> None:
        """Fired, it is gone."""
        await _set(store, _timer("t", 1))
        await drain(store)
        clock.advance(hours=1)

        assert await nothing(store)

    async def test_timers_fire_in_the_order_of_their_times(self, store: Store, clock: TurnedClock) -> None:
        """Whatever the order in which they were set."""
        now_ms = clock.now_ms()
        await _set(store, _timer("c", now_ms + 3_000), _timer("a", now_ms + 1_000), _timer("b", now_ms + 2_000))
        clock.advance(seconds=5)

        assert await _fired(store) == ["timer-a", "timer-b", "timer-c"]

    async def test_timer_waits_behind_what_is_in_its_lane(self, store: Store) -> None:
        """It enters at the end."""
        await _set(store, _timer("t", 1))
        await store.accept(arrival("event-1"))

        held = await lease(store, take=5)

        assert [one.event_id for one in held.events] == ["event-1", "timer-t"]

    async def test_timer_set_again_is_replaced(self, store: Store, clock: TurnedClock) -> None:
        """One key, one timer: the later time counts."""
        now_ms = clock.now_ms()
        await _set(store, _timer("t", now_ms + 1_000))
        await _set(store, _timer("t", now_ms + 60_000, "chat:b"))
        clock.advance(seconds=5)
        early = await nothing(store)
        clock.advance(seconds=60)

        assert early
        assert (await lease(store)).lane == "chat:b"
        assert (await store.stats()).timers == 0

    async def test_cancelled_timer_does_not_fire(self, store: Store, clock: TurnedClock) -> None:
        """None takes it back; other timers stay."""
        now_ms = clock.now_ms()
        await _set(store, _timer("t", now_ms + 60_000), _timer("other", now_ms + 60_000))
        await _set(store, TimerWrite(key="t"))
        counted = (await store.stats()).timers
        clock.advance(seconds=61)

        assert counted == 1
        assert await _fired(store) == ["timer-other"]

    async def test_cancelling_what_is_not_there_is_harmless(self, store: Store) -> None:
        """Fired, cancelled or never set: all the same."""
        await _set(store, TimerWrite(key="never"))

        assert (await store.stats()).timers == 0

    async def test_timer_does_not_use_up_an_event_id(self, store: Store) -> None:
        """It enters without ids to remember: a webhook of the same id is not a duplicate."""
        await _set(store, _timer("t", 1))
        await drain(store)

        await store.accept(arrival("timer-t"))

        assert await drain(store) == ["timer-t"]

    async def test_timer_is_not_refused_by_caps(self, open_again: Opener) -> None:
        """A full lane refuses webhooks, never a promise already made."""
        store = await open_again(Limits(lane_cap=1, inbox_cap_bytes=1))
        await _set(store, _timer("t", 1))
        await store.accept(arrival("event-1"))

        assert await drain(store) == ["event-1", "timer-t"]

    async def test_next_ms_tells_when_a_timer_is_due(self, store: Store, clock: TurnedClock) -> None:
        """A sleeping worker knows when to wake."""
        await _set(store, _timer("t", clock.now_ms() + 40_000))

        next_ms = (await store.lease(Side.IN, [random_token()])).next_ms

        assert next_ms is not None
        assert 30_000 < next_ms <= 40_000

    async def test_stale_turn_sets_no_timer(self, store: Store, clock: TurnedClock) -> None:
        """All or nothing, timers too."""
        await store.accept(arrival("event-1"))
        old = await lease(store)
        clock.advance(seconds=31)
        await lease(store)

        await store.commit(replace(turn(old), timers=(_timer("t", 1),)))

        assert (await store.stats()).timers == 0

    async def test_many_due_timers_all_fire(self, store: Store) -> None:
        """However many are due at once, asking again brings them all, in order."""
        await _set(store, *(_timer(f"{number:03}", number + 1) for number in range(200)))

        assert await _fired(store) == [f"timer-{number:03}" for number in range(200)]
