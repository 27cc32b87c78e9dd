"""a lane that becomes ready -> somebody who waits for it wakes, wherever that was."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from linqbot.records import Limits, Sent, Side
from linqbot.store.base import Store
from linqbot.testing.clock import TurnedClock
from linqbot.testing.store_contract.opening import Opener, StoreFixtures
from linqbot.testing.store_contract.samples import arrival, drain, freeze, lease, nothing, reply, turn

LONG_MS = 60_000
SOON_S = 8.0
"""Real seconds in which a waiter must be awake: longer than any backend's slowest wake-up, far shorter than `LONG_MS`."""


@asynccontextmanager
async def _woken(store: Store, clock: TurnedClock, side: Side = Side.IN, waiters: int = 1) -> AsyncIterator[None]:
    """Somebody waits on this store before the body runs, and must be awake soon after it."""
    waiting = [asyncio.create_task(store.wait(side, LONG_MS)) for _ in range(waiters)]
    for _ in range(5):
        await clock.sleep(0)
    try:
        yield
        async with asyncio.timeout(SOON_S):
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


class WaitContract(StoreFixtures):
    """What stations may rely on while they sleep."""

    async def test_nothing_happens_for_the_whole_time(self, store: Store) -> None:
        """After `timeout_ms` of real time waiting is over."""
        async with asyncio.timeout(SOON_S):
            await store.wait(Side.IN, 20)

    async def test_wait_of_no_time_returns(self, store: Store) -> None:
        """0 is a look."""
        async with asyncio.timeout(SOON_S):
            await store.wait(Side.OUT, 0)

    async def test_accepted_event_wakes(self, store: Store, clock: TurnedClock) -> None:
        """In the same process."""
        async with _woken(store, clock):
            await store.accept(arrival("event-1"))

    async def test_accepted_event_wakes_across_handles(self, open_again: Opener, clock: TurnedClock) -> None:
        """Also when another handle accepted it."""
        mine, other = await open_again(), await open_again()
        async with _woken(mine, clock):
            await other.accept(arrival("event-1"))

    async def test_event_before_the_wait_wakes(self, store: Store) -> None:
        """Between looking and waiting nothing is missed."""
        assert await nothing(store)
        await store.accept(arrival("event-1"))

        async with asyncio.timeout(SOON_S):
            await store.wait(Side.IN, LONG_MS)

    async def test_frozen_reply_wakes_the_other_side(self, open_again: Opener, clock: TurnedClock) -> None:
        """A commit wakes dispatchers, also on another handle."""
        mine, other = await open_again(), await open_again()
        async with _woken(other, clock, Side.OUT):
            await freeze(mine, reply("key-1"))

    async def test_released_lane_wakes(self, store: Store, clock: TurnedClock) -> None:
        """What one gives back another may take."""
        await store.accept(arrival("event-1"))
        held = await lease(store)
        async with _woken(store, clock):
            await store.release(Side.IN, held.lane, held.token)

    async def test_retry_without_delay_wakes(self, store: Store, clock: TurnedClock) -> None:
        """The lane is ready at once."""
        await store.accept(arrival("event-1"))
        held = await lease(store)
        async with _woken(store, clock):
            await store.retry(held.lane, held.token, delay_ms=0)

    async def test_next_event_of_a_lane_wakes(self, store: Store, clock: TurnedClock) -> None:
        """The end of one turn makes the lane ready for the next."""
        await store.accept(arrival("event-1"))
        await store.accept(arrival("event-2"))
        held = await lease(store)
        async with _woken(store, clock):
            await store.commit(turn(held))

    async def test_next_reply_of_a_lane_wakes(self, store: Store, clock: TurnedClock) -> None:
        """The end of one send makes the lane ready for the next."""
        await freeze(store, reply("key-1"), reply("key-2"))
        held = await lease(store, Side.OUT)
        async with _woken(store, clock, Side.OUT):
            await store.settle(held.lane, held.token, Sent())

    async def test_one_of_several_waiters_wakes(self, store: Store, clock: TurnedClock) -> None:
        """At least one, for each lane."""
        async with _woken(store, clock, waiters=3):
            await store.accept(arrival("event-1"))

    async def test_cancelled_wait_loses_nothing(self, store: Store, clock: TurnedClock) -> None:
        """Who gave up waiting took nothing with it: the next waiter wakes, and the event is there."""
        for number in range(5):
            task = asyncio.create_task(store.wait(Side.IN, LONG_MS))
            for _ in range(number):
                await clock.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        async with _woken(store, clock):
            await store.accept(arrival("event-1"))

        assert await drain(store) == ["event-1"]

    async def test_expired_lease_wakes(self, store: Store, clock: TurnedClock) -> None:
        """A waiter who comes when a lease is over already does not wait for it."""
        await store.accept(arrival("event-1"))
        await lease(store)
        clock.advance(seconds=31)

        async with asyncio.timeout(SOON_S):
            await store.wait(Side.IN, LONG_MS)

    async def test_room_in_the_outbox_wakes_the_inbox(self, open_again: Opener, clock: TurnedClock) -> None:
        """A worker that was paused by a full outbox goes on when a reply has left."""
        store = await open_again(Limits(outbox_cap=1))
        await freeze(store, reply("key-1"))
        held = await lease(store, Side.OUT)
        await store.accept(arrival("event-1"))
        async with _woken(store, clock):
            await store.settle(held.lane, held.token, Sent())
