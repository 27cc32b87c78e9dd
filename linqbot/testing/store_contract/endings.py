"""a lease -> its other ends: given back, failed and delayed, or too late under a stale token."""

from __future__ import annotations

from linqbot.ids import random_token
from linqbot.records import Committed, Lease, Sent, Side, Wait
from linqbot.store.base import Store
from linqbot.testing.clock import TurnedClock
from linqbot.testing.store_contract.opening import StoreFixtures
from linqbot.testing.store_contract.samples import (
    arrival,
    drain,
    end,
    freeze,
    lanes,
    lease,
    nothing,
    reply,
    turn,
)


async def _taken_over(store: Store, clock: TurnedClock) -> tuple[Lease, Lease]:
    """An old lease and the one that replaced it."""
    await store.accept(arrival("event-1"))
    old = await lease(store)
    clock.advance(seconds=31)
    return old, await lease(store)


class EndingsContract(StoreFixtures):
    """What worker and dispatcher may rely on when work does not come to its good end."""

    async def test_released_lane_goes_to_the_front(self, store: Store) -> None:
        """Given back unused, a lane is the next to be taken."""
        for name in ("a", "b", "c"):
            await store.accept(arrival(f"event-{name}", name))
        held = await lease(store)

        assert await store.release(Side.IN, held.lane, held.token)

        assert await lanes(store, 3) == ["a", "b", "c"]

    async def test_release_counts_nothing(self, store: Store) -> None:
        """Neither an attempt nor a stall."""
        await store.accept(arrival("event-1"))
        held = await lease(store)

        await store.release(Side.IN, held.lane, held.token)

        again = await lease(store)
        assert (again.attempts, again.stalls) == (0, 0)

    async def test_release_of_an_out_lane_is_no_ambiguity(self, store: Store) -> None:
        """Unused means surely not sent."""
        await freeze(store, reply("key-1"))
        held = await lease(store, Side.OUT)

        await store.release(Side.OUT, held.lane, held.token)

        assert (await lease(store, Side.OUT)).ambiguous_ms is None

    async def test_repeated_release_is_refused(self, store: Store) -> None:
        """The second of two finds no lease, and changes nothing."""
        await store.accept(arrival("event-1"))
        held = await lease(store)
        await store.release(Side.IN, held.lane, held.token)

        assert not await store.release(Side.IN, held.lane, held.token)

        assert await lanes(store, 3) == [held.lane]

    async def test_failed_turn_burns_an_attempt(self, store: Store, clock: TurnedClock) -> None:
        """Each retry counts one."""
        await store.accept(arrival("event-1"))
        for _ in range(2):
            held = await lease(store)
            assert await store.retry(held.lane, held.token, delay_ms=1_000)
            clock.advance(seconds=2)

        assert (await lease(store)).attempts == 2

    async def test_failed_turn_waits_its_delay(self, store: Store, clock: TurnedClock) -> None:
        """Not leased before, leased after."""
        await store.accept(arrival("event-1"))
        held = await lease(store)
        await store.retry(held.lane, held.token, delay_ms=60_000)
        clock.advance(seconds=58)
        early = await nothing(store)
        clock.advance(seconds=3)

        assert early
        assert await lanes(store, 1) == [held.lane]

    async def test_whole_lane_waits(self, store: Store) -> None:
        """Later events, also new ones, stay behind the failed one."""
        await store.accept(arrival("event-1"))
        await store.accept(arrival("event-2"))
        held = await lease(store)
        await store.retry(held.lane, held.token, delay_ms=60_000)

        await store.accept(arrival("event-3"))

        assert await nothing(store)

    async def test_retry_keeps_the_order(self, store: Store, clock: TurnedClock) -> None:
        """The failed event is still the first of its lane."""
        for number in range(3):
            await store.accept(arrival(f"event-{number}"))
        held = await lease(store)
        await store.retry(held.lane, held.token, delay_ms=1_000)
        clock.advance(seconds=2)

        assert await drain(store) == ["event-0", "event-1", "event-2"]

    async def test_next_ms_tells_when_a_delay_is_over(self, store: Store) -> None:
        """The nearest of several delays."""
        for name, delay_ms in (("a", 50_000), ("b", 20_000), ("c", 80_000)):
            await store.accept(arrival(f"event-{name}", name))
            held = await lease(store)
            await store.retry(held.lane, held.token, delay_ms=delay_ms)

        next_ms = (await store.lease(Side.IN, [random_token()])).next_ms

        assert next_ms is not None
        assert 10_000 < next_ms <= 20_000

    async def test_retry_without_delay_goes_to_the_rear(self, store: Store) -> None:
        """0 means at once, but after the others, and before those that come later."""
        for name in ("a", "b", "c"):
            await store.accept(arrival(f"event-{name}", name))
        held = await lease(store)

        await store.retry(held.lane, held.token, delay_ms=0)
        await store.accept(arrival("event-d", "d"))

        assert await lanes(store, 4) == ["b", "c", "a", "d"]

    async def test_lane_whose_delay_is_over_goes_to_the_rear(self, store: Store, clock: TurnedClock) -> None:
        """Others that are ready go first."""
        await store.accept(arrival("event-a", "a"))
        held = await lease(store)
        await store.retry(held.lane, held.token, delay_ms=1_000)
        await store.accept(arrival("event-b", "b"))
        clock.advance(seconds=2)

        assert await lanes(store, 2) == ["b", "a"]

    async def test_delayed_lanes_return_in_the_order_of_their_times(self, store: Store, clock: TurnedClock) -> None:
        """Due first, ready first."""
        for name, delay_ms in (("a", 3_000), ("b", 1_000), ("c", 2_000)):
            await store.accept(arrival(f"event-{name}", name))
            held = await lease(store)
            await store.retry(held.lane, held.token, delay_ms=delay_ms)
        clock.advance(seconds=5)

        assert await lanes(store, 3) == ["b", "c", "a"]

    async def test_repeated_retry_is_refused(self, store: Store) -> None:
        """The second of two burns nothing."""
        await store.accept(arrival("event-1"))
        held = await lease(store)
        await store.retry(held.lane, held.token, delay_ms=0)

        assert not await store.retry(held.lane, held.token, delay_ms=0)

        assert (await lease(store)).attempts == 1

    async def test_delayed_lane_has_no_holder(self, store: Store) -> None:
        """Once failed, a turn can neither fail again, nor commit, nor beat its lane back from its delay."""
        await store.accept(arrival("event-1"))
        held = await lease(store)
        await store.retry(held.lane, held.token, delay_ms=60_000)

        assert not await store.retry(held.lane, held.token, delay_ms=60_000)
        assert await store.commit(turn(held)) is Committed.STALE
        assert await store.beat(Side.IN, [(held.lane, held.token)]) == frozenset({held.lane})

    async def test_next_event_starts_afresh(self, store: Store, clock: TurnedClock) -> None:
        """Attempts and stalls belong to the head and end with it."""
        await store.accept(arrival("event-1"))
        await store.accept(arrival("event-2"))
        held = await lease(store)
        await store.retry(held.lane, held.token, delay_ms=0)
        await lease(store)
        clock.advance(seconds=31)
        worn = await lease(store)
        await end(store, worn)

        fresh = await lease(store)

        assert (worn.attempts, worn.stalls) == (1, 1)
        assert (fresh.events[0].event_id, fresh.attempts, fresh.stalls) == ("event-2", 0, 0)

    async def test_stale_token_cannot_release(self, store: Store, clock: TurnedClock) -> None:
        """The new holder keeps the lane."""
        old, _ = await _taken_over(store, clock)

        assert not await store.release(Side.IN, old.lane, old.token)

        assert await nothing(store)

    async def test_stale_token_cannot_retry(self, store: Store, clock: TurnedClock) -> None:
        """The new holder ends the event; no attempt was burnt behind its back."""
        old, new = await _taken_over(store, clock)

        assert not await store.retry(old.lane, old.token, delay_ms=0)

        await end(store, new)

    async def test_stale_token_cannot_commit(self, store: Store, clock: TurnedClock) -> None:
        """Replies of the slower of two runs are not stored."""
        old, new = await _taken_over(store, clock)

        assert await store.commit(turn(old, replies=[reply("key-1")])) is Committed.STALE

        assert (await store.stats()).outbox == 0
        await end(store, new)

    async def test_stale_token_cannot_note(self, store: Store, clock: TurnedClock) -> None:
        """What a stale run wants to remember is not remembered."""
        old, new = await _taken_over(store, clock)

        assert await store.note(old.lane, old.token, "step", b"old") is None

        assert await store.note(new.lane, new.token, "step", b"new") == b"new"

    async def test_stale_token_cannot_settle(self, store: Store, clock: TurnedClock) -> None:
        """The reply stays with its new holder, whatever the old one says."""
        await freeze(store, reply("key-1"))
        old = await lease(store, Side.OUT)
        clock.advance(seconds=31)
        new = await lease(store, Side.OUT)

        assert not await store.settle(old.lane, old.token, Wait(delay_ms=0, reason="late"))
        assert not await store.settle(old.lane, old.token, Sent(message_id="late"))

        assert await store.settle(new.lane, new.token, Sent(message_id="message-1"))
        assert await store.sent("late") is None

    async def test_invented_token_ends_nothing(self, store: Store) -> None:
        """A token that never was a lease, on a lane that is ready, is refused."""
        await store.accept(arrival("event-1"))

        assert not await store.release(Side.IN, "chat:a", random_token())
        assert not await store.retry("chat:a", random_token(), delay_ms=0)

        assert (await lease(store)).attempts == 0
