"""ready lanes -> leases: each lane one holder at a time, in fair order, until a deadline that can be renewed."""

from __future__ import annotations

import asyncio

from linqbot.ids import random_token
from linqbot.records import Lease, Limits, Side
from linqbot.store.base import Store
from linqbot.testing.clock import TurnedClock
from linqbot.testing.store_contract.opening import Opener, StoreFixtures
from linqbot.testing.store_contract.samples import arrival, drain, end, freeze, lanes, lease, nothing, reply


async def _fill(store: Store, *names: str) -> None:
    """One event in each lane, in this order."""
    for name in names:
        await store.accept(arrival(f"event-{name}-{random_token()}", name))


async def _seen_expired(store: Store, clock: TurnedClock) -> Lease:
    """An expired lease whose lane was made ready by somebody who then took another lane."""
    await _fill(store, "a", "b")
    old = (await store.lease(Side.IN, [random_token(), random_token()])).taken
    clock.advance(seconds=31)
    taken = await lease(store)
    (left,) = (one for one in old if one.lane != taken.lane)
    return left


class LanesContract(StoreFixtures):
    """What worker and dispatcher may rely on while they take and hold work."""

    async def test_empty_store_gives_no_lease(self, store: Store) -> None:
        """Nothing to do, and nothing that time will bring."""
        answer = await store.lease(Side.IN, [random_token()])

        assert (answer.taken, answer.next_ms) == ((), None)

    async def test_no_tokens_no_leases(self, store: Store) -> None:
        """Asked for nothing, nothing is taken."""
        await _fill(store, "a")

        assert (await store.lease(Side.IN, [])).taken == ()

        assert await lanes(store, 1) == ["a"]

    async def test_each_token_holds_one_lane(self, store: Store) -> None:
        """As many lanes as tokens, one under each, in order of readiness."""
        await _fill(store, "a", "b", "c")
        tokens = [random_token(), random_token()]

        taken = (await store.lease(Side.IN, tokens)).taken

        assert [one.lane for one in taken] == ["a", "b"]
        assert {one.token for one in taken} == set(tokens)

    async def test_fewer_lanes_than_tokens(self, store: Store) -> None:
        """What is there is given, at once."""
        await _fill(store, "a")

        assert await lanes(store, 5) == ["a"]

    async def test_lease_tells_its_deadline(self, open_again: Opener) -> None:
        """`until_ms` lies `Limits.lease_ms` after `now_ms`, which is store time."""
        store = await open_again(Limits(lease_ms=7_000))
        await _fill(store, "a")

        held = await lease(store)

        assert held.until_ms - held.now_ms == 7_000

    async def test_fresh_lease_has_no_history(self, store: Store) -> None:
        """Nothing burnt, stalled, noted or frozen."""
        await _fill(store, "a")

        held = await lease(store)

        assert (held.side, held.attempts, held.stalls, dict(held.notes), held.frozen) == (
            Side.IN,
            0,
            0,
            {},
            frozenset(),
        )

    async def test_leased_lane_is_not_leased_again(self, store: Store) -> None:
        """One holder at a time, also for later events of the lane."""
        await _fill(store, "a", "a")
        await lease(store)
        await _fill(store, "a")

        assert await nothing(store)

    async def test_several_events_of_one_lane_are_taken_together(self, store: Store) -> None:
        """`take` events at the most, from the head, in order."""
        for number in range(4):
            await store.accept(arrival(f"event-{number}"))

        held = await lease(store, take=3)

        assert [one.event_id for one in held.events] == ["event-0", "event-1", "event-2"]

    async def test_lanes_take_turns(self, store: Store) -> None:
        """A lane with much to do goes to the rear after each event."""
        for event_id, lane in (("a1", "a"), ("a2", "a"), ("a3", "a"), ("b1", "b"), ("b2", "b"), ("c1", "c")):
            await store.accept(arrival(event_id, lane))

        assert await drain(store) == ["a1", "b1", "c1", "a2", "b2", "a3"]

    async def test_repeated_lease_gives_the_same_lanes(self, store: Store) -> None:
        """A call whose answer was lost is repeated without taking more, other lanes stay ready."""
        await _fill(store, "a", "b", "c")
        tokens = [random_token(), random_token()]
        first = (await store.lease(Side.IN, tokens)).taken

        again = (await store.lease(Side.IN, tokens)).taken

        assert sorted((one.lane, one.token) for one in again) == sorted((one.lane, one.token) for one in first)
        assert [one.events for one in sorted(again, key=lambda one: one.lane)] == [one.events for one in first]
        assert await lanes(store, 5) == ["c"]

    async def test_repeated_lease_outlives_the_deadline_of_others(self, store: Store, clock: TurnedClock) -> None:
        """A repeat within the lease counts no stall."""
        await _fill(store, "a")
        token = random_token()
        await store.lease(Side.IN, [token])
        clock.advance(seconds=20)

        (again,) = (await store.lease(Side.IN, [token])).taken

        assert again.stalls == 0

    async def test_repeated_lease_tells_the_time(self, store: Store, clock: TurnedClock) -> None:
        """A holder that heard late knows how much is left."""
        await _fill(store, "a")
        token = random_token()
        (first,) = (await store.lease(Side.IN, [token])).taken
        clock.advance(seconds=20)

        (again,) = (await store.lease(Side.IN, [token])).taken

        assert again.until_ms == first.until_ms
        assert again.until_ms - again.now_ms <= 10_000

    async def test_lease_repeated_after_its_time_takes_anew(self, store: Store, clock: TurnedClock) -> None:
        """Each token holds one lane again, whichever it held before."""
        await _fill(store, "a", "b", "c")
        tokens = [random_token(), random_token()]
        await store.lease(Side.IN, tokens)
        clock.advance(seconds=31)

        taken = (await store.lease(Side.IN, tokens)).taken

        assert {one.token for one in taken} == set(tokens)
        assert {one.lane for one in taken} == {"a", "b"}
        assert await lanes(store, 3) == ["c"]
        for one in taken:
            await end(store, one)
        assert await store.sweep() == 0

    async def test_no_lane_is_held_twice_under_concurrency(self, open_again: Opener) -> None:
        """Many tasks on two handles lease at once: every lane has one holder."""
        handles = [await open_again(), await open_again()]
        await _fill(handles[0], *(f"lane-{number}" for number in range(40)))

        taken = await asyncio.gather(*(lanes(handles[turn % 2], 3) for turn in range(20)))

        held = [lane for some in taken for lane in some]
        assert sorted(held) == sorted(f"lane-{number}" for number in range(40))

    async def test_expired_lease_is_taken_over(self, store: Store, clock: TurnedClock) -> None:
        """A holder that says nothing loses the lane, and the stall is counted."""
        await _fill(store, "a")
        await lease(store)
        clock.advance(seconds=31)

        held = await lease(store)

        assert (held.lane, held.stalls, held.attempts) == ("a", 1, 0)

    async def test_every_stall_is_counted(self, store: Store, clock: TurnedClock) -> None:
        """Three silent holders, three stalls."""
        await _fill(store, "a")
        for _ in range(3):
            await lease(store)
            clock.advance(seconds=31)

        assert (await lease(store)).stalls == 3

    async def test_lease_holds_until_its_deadline(self, store: Store, clock: TurnedClock) -> None:
        """Nobody gets the lane a second too early."""
        await _fill(store, "a")
        await lease(store)
        clock.advance(seconds=28)

        assert await nothing(store)

    async def test_expired_lane_goes_to_the_front(self, store: Store, clock: TurnedClock) -> None:
        """Who waited longest goes first."""
        await _fill(store, "a")
        await lease(store)
        await _fill(store, "b", "c")
        clock.advance(seconds=31)

        assert await lanes(store, 3) == ["a", "b", "c"]

    async def test_next_ms_tells_when_a_lease_dies(self, store: Store) -> None:
        """The dying lease of somebody else is worth waiting for."""
        await _fill(store, "a")
        await lease(store)

        next_ms = (await store.lease(Side.IN, [random_token()])).next_ms

        assert next_ms is not None
        assert 20_000 < next_ms <= 30_000

    async def test_beat_keeps_a_lease(self, store: Store, clock: TurnedClock) -> None:
        """Renewed in time, a lease goes on from then."""
        await _fill(store, "a")
        held = await lease(store)
        clock.advance(seconds=20)
        lost = await store.beat(Side.IN, [(held.lane, held.token)])
        clock.advance(seconds=20)

        assert lost == frozenset()
        assert await nothing(store)

    async def test_beat_repeated_is_harmless(self, store: Store) -> None:
        """The second of two beats finds the lease as the first left it."""
        await _fill(store, "a")
        held = [(one.lane, one.token) for one in (await store.lease(Side.IN, [random_token()])).taken]

        assert [await store.beat(Side.IN, held), await store.beat(Side.IN, held)] == [frozenset(), frozenset()]

    async def test_beat_names_what_is_lost(self, store: Store) -> None:
        """Of several leases only those taken over, ended or never held are named."""
        await _fill(store, "a", "b")
        first, second = (await store.lease(Side.IN, [random_token(), random_token()])).taken
        await end(store, first)

        lost = await store.beat(Side.IN, [(first.lane, first.token), (second.lane, second.token), ("never", "token")])

        assert lost == frozenset({"a", "never"})

    async def test_beat_of_nothing_loses_nothing(self, store: Store) -> None:
        """An idle worker may beat."""
        assert await store.beat(Side.IN, []) == frozenset()

    async def test_beat_revives_an_expired_lease(self, store: Store, clock: TurnedClock) -> None:
        """Late, but nobody took over: the lane is its holder's again."""
        await _fill(store, "a")
        held = await lease(store)
        clock.advance(seconds=31)

        assert await store.beat(Side.IN, [(held.lane, held.token)]) == frozenset()

        assert await nothing(store)

    async def test_beat_revives_a_lane_that_waits_for_a_new_holder(self, store: Store, clock: TurnedClock) -> None:
        """Also when others saw it expire but took another lane: it is no longer ready."""
        held = await _seen_expired(store, clock)

        assert await store.beat(Side.IN, [(held.lane, held.token)]) == frozenset()

        assert await nothing(store)

    async def test_late_holder_may_still_commit(self, store: Store, clock: TurnedClock) -> None:
        """Work is not wasted for a late word: what nobody took over can be ended."""
        held = await _seen_expired(store, clock)

        await end(store, held)

        assert await nothing(store)
        assert (await store.stats()).inbox == 1

    async def test_late_holder_may_still_release(self, store: Store, clock: TurnedClock) -> None:
        """A late release puts the lane back, once."""
        held = await _seen_expired(store, clock)

        assert await store.release(Side.IN, held.lane, held.token)

        assert await lanes(store, 5) == [held.lane]

    async def test_late_holder_may_still_retry(self, store: Store, clock: TurnedClock) -> None:
        """A late failure delays the lane as a timely one does."""
        held = await _seen_expired(store, clock)

        assert await store.retry(held.lane, held.token, delay_ms=5_000)

        assert await nothing(store)

    async def test_beat_does_not_revive_what_was_taken_over(self, store: Store, clock: TurnedClock) -> None:
        """The old holder learns it; the new one is undisturbed."""
        await _fill(store, "a")
        old = await lease(store)
        clock.advance(seconds=31)
        new = await lease(store)

        assert await store.beat(Side.IN, [("a", old.token)]) == frozenset({"a"})

        assert await store.beat(Side.IN, [("a", new.token)]) == frozenset()

    async def test_token_counts_on_its_own_side_only(self, store: Store) -> None:
        """The same lane name on the other side is another lane."""
        await freeze(store, reply("key-1", "chat:a"))
        await _fill(store, "chat:a")
        held = await lease(store, Side.IN)

        assert await store.beat(Side.OUT, [(held.lane, held.token)]) == frozenset({"chat:a"})

        assert not await store.release(Side.OUT, held.lane, held.token)

    async def test_more_expired_leases_than_one_call_moves(self, store: Store, clock: TurnedClock) -> None:
        """However many leases died at once, asking again brings all lanes back."""
        names = [f"lane-{number:03}" for number in range(150)]
        await _fill(store, *names)
        await lanes(store, 150)
        clock.advance(seconds=31)

        taken: list[str] = []
        for _ in range(40):
            taken += await lanes(store, 10)

        assert sorted(taken) == names
