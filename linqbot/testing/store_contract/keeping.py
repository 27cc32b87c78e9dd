"""a store -> what operators see and repair."""

from __future__ import annotations

from dataclasses import replace

from linqbot.records import Limits, Sent, Side, Stats, TimerWrite, Wait
from linqbot.store.base import Store
from linqbot.testing.clock import TurnedClock
from linqbot.testing.store_contract.opening import Opener, StoreFixtures
from linqbot.testing.store_contract.samples import arrival, drain, event, freeze, lanes, lease, letter, reply, turn


async def _busy(store: Store, clock: TurnedClock) -> None:
    """A store with a lane in every place on both sides, letters, timers and a sent message."""
    await freeze(store, *(reply(f"k{number}", f"chat:{number}") for number in range(4)))
    sent, waiting, _ = [await lease(store, Side.OUT) for _ in range(3)]
    await store.settle(sent.lane, sent.token, Sent(message_id="message-1"))
    await store.settle(waiting.lane, waiting.token, Wait(delay_ms=60_000, reason="busy"))
    for number in range(4):
        await store.accept(arrival(f"event-{number}", f"lane-{number}"))
    failed, timed, _ = [await lease(store) for _ in range(3)]
    await store.retry(failed.lane, failed.token, delay_ms=60_000)
    timer = TimerWrite(key="t", due_ms=clock.now_ms() + 3_600_000, item=event("timer-1"))
    await store.commit(replace(turn(timed, dead=[letter("event-9")]), timers=(timer,)))


class KeeperContract(StoreFixtures):
    """What operators, health and the sweeper may rely on."""

    async def test_empty_store_counts_nothing(self, store: Store) -> None:
        """All zero."""
        assert await store.stats() == Stats(inbox=0, outbox=0, dead=0, timers=0)

    async def test_stats_are_exact(self, store: Store, clock: TurnedClock) -> None:
        """Ready, leased and delayed all count; ended ones do not."""
        await _busy(store, clock)

        assert await store.stats() == Stats(inbox=3, outbox=3, dead=1, timers=1)

    async def test_stats_return_to_zero(self, store: Store) -> None:
        """After everything ended nothing is left over."""
        for number in range(20):
            await store.accept(arrival(f"event-{number}", f"lane-{number % 3}"))
            await store.accept(arrival(f"event-{number}", f"lane-{number % 3}"))
        await drain(store)

        assert await store.stats() == Stats(inbox=0, outbox=0, dead=0, timers=0)

    async def test_newest_letters_come_first(self, store: Store) -> None:
        """The last thing that went wrong is what one looks for."""
        for number in range(4):
            await store.bury(letter(f"event-{number}"))

        assert [one.id for one in await store.dead(2)] == ["event-3", "event-2"]
        assert list(await store.dead(0)) == []

    async def test_dropped_letter_is_gone(self, store: Store) -> None:
        """Named by kind and id; a second time it is not there."""
        await store.bury(letter("event-1", "event"))
        await store.bury(letter("event-1", "payload"))

        answers = [await store.drop("event", "event-1"), await store.drop("event", "event-1")]

        assert answers == [True, False]
        assert [one.kind for one in await store.dead()] == ["payload"]
        assert (await store.stats()).dead == 1

    async def test_dropped_letters_make_room(self, open_again: Opener) -> None:
        """A letter taken away does not count for the cap."""
        store = await open_again(Limits(dead_cap=2))
        await store.bury(letter("event-1"))
        await store.bury(letter("event-2"))
        await store.drop("event", "event-2")
        await store.bury(letter("event-3"))

        assert [one.id for one in await store.dead()] == ["event-3", "event-1"]

    async def test_healthy_store_needs_no_repair(self, store: Store, clock: TurnedClock) -> None:
        """With lanes in every place, a sweep repairs nothing and changes nothing."""
        await _busy(store, clock)
        before = await store.stats()

        assert [await store.sweep(), await store.sweep()] == [0, 0]

        assert await store.stats() == before

    async def test_expiries_are_no_repairs(self, store: Store, clock: TurnedClock) -> None:
        """What grew old is tidied without a count, and what waits still waits."""
        await _busy(store, clock)
        clock.advance(hours=100)

        assert [await store.sweep(), await store.sweep()] == [0, 0]

        assert (await store.stats()).inbox == 3

    async def test_sweep_does_not_disturb_holders(self, store: Store) -> None:
        """A held lane stays held."""
        await store.accept(arrival("event-1"))
        held = await lease(store)

        await store.sweep()

        assert await store.beat(Side.IN, [(held.lane, held.token)]) == frozenset()

    async def test_lease_far_in_the_future_is_cut(self, open_again: Opener, clock: TurnedClock) -> None:
        """Later than twice `Limits.lease_ms` from now is cut to one, so that no lane is lost to a clock."""
        wild = await open_again(Limits(lease_ms=10_000_000))
        store = await open_again()
        await wild.accept(arrival("event-1"))
        await lease(wild)

        repairs = await store.sweep()
        clock.advance(seconds=31)

        assert repairs == 1
        assert await lanes(store, 1) == ["chat:a"]

    async def test_ping_answers(self, store: Store) -> None:
        """A store that reads and writes says so by returning."""
        await store.ping()

    async def test_durability_is_graded(self, store: Store) -> None:
        """One of the four classes, with its reason."""
        durability = await store.durability()

        assert durability.grade in {"D0", "D1", "D2", "D3"}
        assert durability.reason
