"""replies of a pair -> leases at no more than its budget, in every window of time, over all handles."""

from __future__ import annotations

import asyncio

import pytest

from linqbot.ids import random_token
from linqbot.records import Lease, Limits, Sent, Side
from linqbot.store.base import Store
from linqbot.testing.clock import TurnedClock
from linqbot.testing.store_contract.opening import Opener, StoreFixtures
from linqbot.testing.store_contract.samples import freeze, lanes, lease, nothing, reply

PAIR = "line/chat"


def _three(window_ms: int = 60_000) -> Limits:
    return Limits(budget=3, budget_window_ms=window_ms)


async def _spend(store: Store) -> list[Lease]:
    """Send all that the budget allows now."""
    sent: list[Lease] = []
    while taken := (await store.lease(Side.OUT, [random_token()])).taken:
        sent += taken
        await store.settle(taken[0].lane, taken[0].token, Sent())
    return sent


class BudgetContract(StoreFixtures):
    """What Linq may rely on: no pair gets more than it should."""

    async def test_budget_stops_the_lane(self, open_again: Opener) -> None:
        """As many as the budget, then the lane waits until the window has moved on."""
        store = await open_again(_three())
        await freeze(store, *(reply(f"k{number}", pair=PAIR) for number in range(5)))

        assert len(await _spend(store)) == 3

    async def test_next_ms_tells_when_the_budget_returns(self, open_again: Opener) -> None:
        """A sleeping dispatcher knows when to wake."""
        store = await open_again(_three())
        await freeze(store, *(reply(f"k{number}", pair=PAIR) for number in range(5)))
        await _spend(store)

        next_ms = (await store.lease(Side.OUT, [random_token()])).next_ms

        assert next_ms is not None
        assert 50_000 < next_ms <= 60_000

    async def test_budget_returns_with_the_window(self, open_again: Opener, clock: TurnedClock) -> None:
        """What was spent a window ago may be spent again."""
        store = await open_again(_three())
        await freeze(store, *(reply(f"k{number}", pair=PAIR) for number in range(5)))
        await _spend(store)
        clock.advance(seconds=58)
        early = len(await _spend(store))
        clock.advance(seconds=3)

        assert (early, len(await _spend(store))) == (0, 2)

    async def test_no_window_holds_more_than_the_budget(self, open_again: Opener, clock: TurnedClock) -> None:
        """Any three sends and the fourth are a window apart, also for lanes that ask moments too early, on two handles."""
        handles = [await open_again(_three(10_000)), await open_again(_three(10_000))]
        times: list[int] = []
        for number in range(24):
            await freeze(handles[number % 2], reply(f"k{number}", f"lane-{number}", pair=PAIR))
            times += [one.now_ms for one in await _spend(handles[number % 3 % 2])]
            third_last = times[-3] if len(times) >= 3 else clock.now_ms() - 9_000
            too_early_ms = max(third_last + 9_992 - clock.now_ms(), 0)
            clock.advance(milliseconds=30 if number % 2 else too_early_ms)

        assert len(times) > 6
        assert min(later - first for first, later in zip(times, times[3:], strict=False)) >= 10_000

    async def test_budget_is_shared_by_concurrent_dispatchers(self, open_again: Opener) -> None:
        """Lanes of one pair, leased at once on two handles, spend one budget."""
        handles = [await open_again(_three()), await open_again(_three())]
        await freeze(handles[0], *(reply(f"k{number}", f"lane-{number}", pair=PAIR) for number in range(12)))

        taken = await asyncio.gather(*(lanes(handles[turn % 2], 2, Side.OUT) for turn in range(8)))

        assert sum(len(some) for some in taken) == 3

    async def test_pairs_have_budgets_of_their_own(self, open_again: Opener) -> None:
        """One chat's trouble is its own."""
        store = await open_again(_three())
        await freeze(store, *(reply(f"a{number}", "a", pair="pair-a") for number in range(4)))
        await freeze(store, *(reply(f"b{number}", "b", pair="pair-b") for number in range(4)))

        assert len(await _spend(store)) == 6

    async def test_lane_over_budget_does_not_stop_the_next(self, open_again: Opener) -> None:
        """The dispatcher that meets it is given another lane in the same call."""
        store = await open_again(Limits(budget=1))
        await freeze(store, reply("a1", "a", pair="pair-a"), reply("a2", "a", pair="pair-a"))
        await _spend(store)
        await freeze(store, reply("b1", "b"))

        assert await lanes(store, 1, Side.OUT) == ["b"]

    async def test_units_are_spent_whatever_becomes_of_the_attempt(self, open_again: Opener) -> None:
        """A lease that is given back has spent its units."""
        store = await open_again(Limits(budget=1))
        await freeze(store, reply("k1", pair=PAIR))
        held = await lease(store, Side.OUT)
        await store.release(Side.OUT, held.lane, held.token)

        assert await nothing(store, Side.OUT)

    @pytest.mark.parametrize("by", ["settle", "release", "beat"])
    async def test_late_holder_keeps_a_lane_without_budget(
        self, open_again: Opener, clock: TurnedClock, by: str
    ) -> None:
        """Others saw its lease expire, but nobody could take it over: what the holder says late still counts."""
        store = await open_again(Limits(budget=1, budget_window_ms=600_000))
        await freeze(store, reply("k1", pair=PAIR), reply("k2", pair=PAIR))
        held = await lease(store, Side.OUT)
        clock.advance(seconds=31)
        assert await nothing(store, Side.OUT)

        match by:
            case "settle":
                assert await store.settle(held.lane, held.token, Sent(message_id="message-1"))
            case "release":
                assert await store.release(Side.OUT, held.lane, held.token)
            case _:
                assert await store.beat(Side.OUT, [(held.lane, held.token)]) == frozenset()

        assert (await store.stats()).outbox == (1 if by == "settle" else 2)
        assert await store.sweep() == 0

    async def test_late_holder_beats_a_lane_whose_budget_is_back(self, open_again: Opener, clock: TurnedClock) -> None:
        """The delay that the budget made is forgotten: the lane is its holder's, and nobody else's."""
        store = await open_again(Limits(budget=1))
        await freeze(store, reply("k1", pair=PAIR))
        held = await lease(store, Side.OUT)
        clock.advance(seconds=50)
        await nothing(store, Side.OUT)
        assert await store.beat(Side.OUT, [(held.lane, held.token)]) == frozenset()
        clock.advance(seconds=20)

        assert await nothing(store, Side.OUT)
        assert await store.settle(held.lane, held.token, Sent(message_id="message-1"))

    async def test_repeated_lease_spends_once(self, open_again: Opener) -> None:
        """A lost answer is asked for again without paying again."""
        store = await open_again(Limits(budget=2))
        await freeze(store, reply("k1", pair=PAIR), reply("k2", pair=PAIR))
        token = random_token()
        for _ in range(3):
            (held,) = (await store.lease(Side.OUT, [token])).taken
        await store.settle(held.lane, held.token, Sent())

        assert len(await _spend(store)) == 1

    async def test_free_actions_pass(self, open_again: Opener) -> None:
        """0 units need no budget and spend none."""
        store = await open_again(Limits(budget=1))
        await freeze(
            store, *(reply(f"free-{number}", pair=PAIR, units=0) for number in range(5)), reply("k1", pair=PAIR)
        )

        assert len(await _spend(store)) == 6

    async def test_free_actions_pass_an_overdrawn_budget(self, open_again: Opener) -> None:
        """Also after a reply that cost more than the whole budget."""
        store = await open_again(_three())
        await freeze(store, reply("large", pair=PAIR, units=9), reply("free", pair=PAIR, units=0))

        assert len(await _spend(store)) == 2

    async def test_replies_without_a_pair_are_not_counted(self, open_again: Opener) -> None:
        """An empty pair has no budget."""
        store = await open_again(Limits(budget=1))
        await freeze(store, *(reply(f"k{number}") for number in range(5)))

        assert len(await _spend(store)) == 5

    async def test_budget_of_zero_is_no_limit(self, open_again: Opener) -> None:
        """0 turns it off."""
        store = await open_again(Limits(budget=0))
        await freeze(store, *(reply(f"k{number}", pair=PAIR) for number in range(60)))

        assert len(await _spend(store)) == 60

    async def test_units_add_up(self, open_again: Opener) -> None:
        """A reply that costs more than is left waits, even behind a smaller sum."""
        store = await open_again(_three())
        await freeze(store, reply("k1", pair=PAIR, units=2), reply("k2", pair=PAIR, units=2))

        assert len(await _spend(store)) == 1

    async def test_large_reply_passes_when_the_window_is_empty(self, open_again: Opener, clock: TurnedClock) -> None:
        """More units than the whole budget must not wait for ever, but nothing follows it within the window."""
        store = await open_again(_three())
        await freeze(store, reply("k1", pair=PAIR), reply("large", pair=PAIR, units=9), reply("k2", pair=PAIR))
        first = await _spend(store)
        clock.advance(seconds=61)
        second = await _spend(store)
        clock.advance(seconds=61)
        third = await _spend(store)

        assert [len(some) for some in (first, second, third)] == [1, 1, 1]
