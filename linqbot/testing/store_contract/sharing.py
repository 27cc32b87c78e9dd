"""several handles on the same data -> one store; several namespaces on the same data -> strangers."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from linqbot.ids import random_token
from linqbot.records import Accepted, Sent, Side, StateWrite, Stats, TimerWrite
from linqbot.store.base import Store
from linqbot.testing.clock import TurnedClock
from linqbot.testing.store_contract.opening import Opener, StoreFixtures
from linqbot.testing.store_contract.samples import arrival, drain, event, freeze, lease, letter, nothing, reply, turn


async def _work(store: Store, done: list[tuple[str, str]]) -> None:
    """Handle one event after another until none is left."""
    while taken := (await store.lease(Side.IN, [random_token()])).taken:
        (held,) = taken
        done.append((held.lane, held.events[0].event_id))
        await store.commit(turn(held, replies=[reply(f"key-{held.events[0].event_id}", held.lane)]))


class SharingContract(StoreFixtures):
    """What several processes, restarts and several bots on one server may rely on."""

    async def test_other_handle_sees_what_was_stored(self, open_again: Opener) -> None:
        """Events, leases and ends are everybody's at once."""
        first, second = await open_again(), await open_again()
        await first.accept(arrival("event-1"))
        held = await lease(second)

        assert await nothing(first)
        assert await first.accept(arrival("event-1")) is Accepted.DUPLICATE
        await first.commit(turn(held))
        assert await nothing(second)

    async def test_everything_survives_a_restart(self, open_again: Opener, clock: TurnedClock) -> None:
        """Closed and opened again, nothing is missing: events, replies, letters, state, timers, ids, sent messages."""
        store = await open_again()
        await freeze(store, reply("key-1"), reply("key-2"))
        held = await lease(store, Side.OUT)
        await store.settle(held.lane, held.token, Sent(message_id="message-1"))
        await store.accept(arrival("event-1"))
        timer = TimerWrite(key="t", due_ms=clock.now_ms() + 3_600_000, item=event("timer-1"))
        write = StateWrite(key="profile", expected=0, value=b"1")
        await store.commit(replace(turn(await lease(store), dead=[letter("x")]), timers=(timer,), state=(write,)))
        await store.accept(arrival("event-2"))
        await store.__aexit__(None, None, None)

        again = await open_again()

        assert await again.stats() == Stats(inbox=1, outbox=1, dead=1, timers=1)
        assert await again.accept(arrival("event-1")) is Accepted.DUPLICATE
        assert (await again.load(["profile"]))["profile"].value == b"1"
        assert await again.sent("message-1") is not None
        assert await drain(again) == ["event-2"]

    async def test_lease_survives_the_restart_of_its_holder(self, open_again: Opener) -> None:
        """A token is good wherever it is shown: the lane is still held, and may be ended."""
        store = await open_again()
        await store.accept(arrival("event-1"))
        held = await lease(store)
        await store.__aexit__(None, None, None)
        again = await open_again()

        assert await nothing(again)
        assert await again.beat(Side.IN, [(held.lane, held.token)]) == frozenset()

    async def test_closing_twice_is_harmless(self, open_again: Opener) -> None:
        """Closing is safe in any state."""
        store = await open_again()
        await store.__aexit__(None, None, None)

        await store.__aexit__(None, None, None)

    async def test_many_workers_end_each_event_once_in_order(self, open_again: Opener) -> None:
        """Ten workers on two handles: every event once, every lane in its order, every reply frozen."""
        handles = [await open_again(), await open_again()]
        for number in range(60):
            await handles[number % 2].accept(arrival(f"{number:02}", f"lane-{number % 6}"))
        done: list[tuple[str, str]] = []

        await asyncio.gather(*(_work(handles[turn % 2], done) for turn in range(10)))
        for handle in handles:
            await _work(handle, done)

        assert len(done) == 60
        assert sorted(done, key=lambda one: one[0]) == sorted(done)
        assert (await handles[0].stats()).outbox == 60

    async def test_namespaces_are_strangers(self, open_again: Opener) -> None:
        """Two bots on one server share no events, replies, letters, state, timers, counts or sent messages."""
        mine, other = await open_again(namespace="mine"), await open_again(namespace="other")
        await freeze(mine, reply("key-1"), reply("key-2"))
        held = await lease(mine, Side.OUT)
        await mine.settle(held.lane, held.token, Sent(message_id="message-1"))
        await mine.accept(arrival("event-1"))
        write = StateWrite(key="profile", expected=0, value=b"1")
        timer = TimerWrite(key="t", due_ms=1, item=event("timer-1"))
        await mine.commit(replace(turn(await lease(mine), dead=[letter("x")]), timers=(timer,), state=(write,)))

        assert await other.stats() == Stats(inbox=0, outbox=0, dead=0, timers=0)
        assert await nothing(other)
        assert await nothing(other, Side.OUT)
        assert dict(await other.load(["profile"])) == {}
        assert await other.sent("message-1") is None
        assert list(await other.dead()) == []

    async def test_namespaces_remember_their_own_ids(self, open_again: Opener) -> None:
        """The same event for two bots is two events."""
        mine, other = await open_again(namespace="mine"), await open_again(namespace="other")
        await mine.accept(arrival("event-1"))

        assert await other.accept(arrival("event-1")) is Accepted.ACCEPTED

    async def test_namespaces_do_not_share_tokens(self, open_again: Opener) -> None:
        """A lease of one bot is nothing in the other."""
        mine, other = await open_again(namespace="mine"), await open_again(namespace="other")
        await mine.accept(arrival("event-1"))
        await other.accept(arrival("event-1"))
        held = await lease(mine)

        assert await other.beat(Side.IN, [(held.lane, held.token)]) == frozenset({held.lane})

    async def test_namespaces_do_not_drop_each_others_letters(self, open_again: Opener) -> None:
        """A letter is its own bot's."""
        mine, other = await open_again(namespace="mine"), await open_again(namespace="other")
        await mine.bury(letter("x"))

        assert not await other.drop("event", "x")

        assert (await mine.stats()).dead == 1
