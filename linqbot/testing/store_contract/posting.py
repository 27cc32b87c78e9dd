"""items of nobody's turn -> their out lanes, once; lanes -> the chats that they become."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from linqbot.ids import fact_key
from linqbot.records import Accepted, Committed, Limits, Sent, Side, Wait
from linqbot.store.base import Store
from linqbot.testing.clock import TurnedClock
from linqbot.testing.store_contract.opening import Opener, StoreFixtures
from linqbot.testing.store_contract.samples import (
    LANE,
    arrival,
    freeze,
    lease,
    nothing,
    reply,
    send_all,
    turn,
)

UNNAMED = "to:line:alice"


class PostContract(StoreFixtures):
    """What whoever sends unasked may rely on."""

    async def test_posted_items_are_leased_in_order(self, store: Store) -> None:
        """As they are, each in its lane."""
        items = [reply("key-1"), replace(reply("key-2"), broadcast=True), reply("key-3", "chat:b")]

        assert await store.post(items) is Accepted.ACCEPTED

        assert (await store.stats()).outbox == 3
        held = await lease(store, Side.OUT)
        assert (held.lane, held.reply) == (LANE, items[0])
        await store.settle(held.lane, held.token, Sent())
        assert set(await send_all(store)) == {"key-2", "key-3"}

    async def test_posting_wakes_a_dispatcher(self, open_again: Opener) -> None:
        """Whoever waits for a lane hears of it."""
        store = await open_again()
        waiting = asyncio.create_task(store.wait(Side.OUT, 60_000))
        await store.stats()

        await store.post([reply("key-1")])

        await asyncio.wait_for(waiting, 5)
        assert not await nothing(store, Side.OUT)

    async def test_item_is_posted_once(self, store: Store) -> None:
        """The second time it is known, also when the first is sent and gone."""
        await store.post([reply("key-1", once="send-1")])
        again = [await store.post([reply("key-1", once="send-1")])]
        sent = await send_all(store)
        again.append(await store.post([reply("key-1", once="send-1")]))

        assert sent == ["key-1"]
        assert again == [Accepted.DUPLICATE, Accepted.DUPLICATE]
        assert (await store.stats()).outbox == 0

    async def test_only_what_is_known_is_left_out(self, store: Store) -> None:
        """The others are appended."""
        await store.post([reply("key-1", once="send-1")])

        answer = await store.post([reply("key-1", once="send-1"), reply("key-2", once="send-2"), reply("key-3")])

        assert answer is Accepted.ACCEPTED
        assert await send_all(store) == ["key-1", "key-2", "key-3"]

    async def test_two_of_one_name_in_one_call_are_one(self, store: Store) -> None:
        """The first is appended."""
        assert await store.post([reply("key-1", once="s"), reply("key-2", once="s")]) is Accepted.ACCEPTED

        assert await send_all(store) == ["key-1"]

    async def test_nothing_to_post_is_a_duplicate(self, store: Store) -> None:
        """Nothing was appended."""
        assert await store.post([]) is Accepted.DUPLICATE

    async def test_item_without_a_name_is_posted_again(self, store: Store) -> None:
        """Whoever wants it once says so."""
        await store.post([reply("key-1")])

        assert await store.post([reply("key-1")]) is Accepted.ACCEPTED

        assert (await store.stats()).outbox == 2

    async def test_name_is_known_as_long_as_an_id(self, store: Store, clock: TurnedClock) -> None:
        """At least `Limits.dedupe_ms`, at most three times that."""
        await store.post([reply("key-1", once="send-1")])
        clock.advance(hours=23, minutes=59)
        early = await store.post([reply("key-1", once="send-1")])
        clock.advance(hours=49)

        assert early is Accepted.DUPLICATE
        assert await store.post([reply("key-1", once="send-1")]) is Accepted.ACCEPTED

    async def test_name_is_no_id_of_an_event(self, store: Store) -> None:
        """An event of the same name is another thing."""
        await store.post([reply("key-1", once="same")])

        assert await store.accept(arrival("same")) is Accepted.ACCEPTED

    async def test_full_outbox_takes_nothing(self, open_again: Opener) -> None:
        """All or none, and nothing is known that was refused; room comes with what is sent."""
        store = await open_again(Limits(outbox_cap=3))
        await store.post([reply("key-1", once="send-1"), reply("key-2")])

        answers = [await store.post([reply("key-3", once="send-3")]), await store.post([reply("key-1", once="send-1")])]

        assert answers == [Accepted.FULL, Accepted.DUPLICATE]
        assert await send_all(store) == ["key-1", "key-2"]
        assert await store.post([reply("key-3", once="send-3")]) is Accepted.ACCEPTED

    async def test_last_room_takes_a_whole_call(self, open_again: Opener) -> None:
        """What counts is what was there before."""
        store = await open_again(Limits(outbox_cap=3))
        await store.post([reply("key-1")])

        assert await store.post([reply("key-2"), reply("key-3"), reply("key-4")]) is Accepted.ACCEPTED

    async def test_posted_items_leave_room_for_answers(self, open_again: Opener) -> None:
        """At four fifths of `Limits.outbox_cap` no more are taken, so that they never keep events from being leased."""
        store = await open_again(Limits(outbox_cap=10))
        answers = [await store.post([reply(f"key-{number}")]) for number in range(9)]

        await store.accept(arrival("e1"))

        assert answers == [Accepted.ACCEPTED] * 8 + [Accepted.FULL]
        assert (await lease(store, Side.IN)).events

    async def test_concurrent_posts_of_one_name_append_once(self, open_again: Opener) -> None:
        """Two scripts on two handles."""
        handles = [await open_again(), await open_again()]

        answers = await asyncio.gather(
            *(handles[number % 2].post([reply("key-1", once="send-1")]) for number in range(6))
        )

        assert sorted(answers) == [Accepted.ACCEPTED] + [Accepted.DUPLICATE] * 5
        assert (await handles[0].stats()).outbox == 1

    async def test_turn_freezes_what_is_not_known(self, store: Store) -> None:
        """A name holds over posts and turns alike; what was left out changes nothing else of the turn."""
        await store.post([reply("key-1", once="send-1")])

        await freeze(store, reply("key-1", once="send-1"), reply("key-2", once="send-2"))
        answer = await store.post([reply("key-2", once="send-2")])

        assert answer is Accepted.DUPLICATE
        assert await send_all(store) == ["key-1", "key-2"]

    async def test_repeated_bubble_is_frozen_once(self, store: Store) -> None:
        """Also when it has a name."""
        await store.accept(arrival("event-1"))
        held = await lease(store)
        for _ in range(2):
            bubble = turn(held, take=0, replies=[reply("key-1", once="send-1")])
            assert await store.commit(bubble) is Committed.COMMITTED

        assert (await store.stats()).outbox == 1

    async def test_lane_passes_into_the_chat(self, store: Store) -> None:
        """What waits behind the first goes on in the chat's lane, in order, behind what waits there."""
        await store.post([reply("key-1", UNNAMED), reply("key-2", UNNAMED), reply("key-3", UNNAMED)])
        held = await lease(store, Side.OUT)
        await store.post([reply("key-a", LANE)])

        assert await store.settle(held.lane, held.token, Sent(message_id="message-1", passes_to=LANE))

        assert await store.sent("message-1") is not None
        assert (await store.stats()).outbox == 3
        assert (await lease(store, Side.OUT)).lane == LANE
        assert await nothing(store, Side.OUT)

    async def test_lane_that_passed_keeps_its_order(self, store: Store) -> None:
        """One after the other, in a chat that was silent."""
        await store.post([reply(f"key-{number}", UNNAMED) for number in range(5)])
        held = await lease(store, Side.OUT)
        await store.settle(held.lane, held.token, Sent(message_id="message-1", passes_to=LANE))

        assert await send_all(store) == ["key-1", "key-2", "key-3", "key-4"]
        assert (await store.stats()).outbox == 0

    @pytest.mark.parametrize("by", ["post", "commit"])
    async def test_later_items_follow_into_the_chat(self, store: Store, by: str) -> None:
        """Whoever still writes to the old lane writes to the chat's."""
        await store.post([reply("key-1", UNNAMED), reply("key-2", UNNAMED)])
        held = await lease(store, Side.OUT)
        await store.settle(held.lane, held.token, Sent(message_id="message-1", passes_to=LANE))

        later = reply("key-3", UNNAMED)
        await (store.post([later]) if by == "post" else freeze(store, later))

        first = await lease(store, Side.OUT)
        assert (first.lane, await nothing(store, Side.OUT)) == (LANE, True)
        await store.settle(first.lane, first.token, Sent())
        second = await lease(store, Side.OUT)
        assert (second.lane, second.reply) == (LANE, later)

    async def test_fact_tells_what_the_lane_became(self, store: Store, clock: TurnedClock) -> None:
        """The id of the chat, for `Limits.passed_ms`; then the lane is one like any other."""
        key = fact_key("lane", UNNAMED)
        await store.post([reply("key-1", UNNAMED)])
        held = await lease(store, Side.OUT)
        await store.settle(held.lane, held.token, Sent(passes_to="chat:abc"))
        clock.advance(days=29)
        known = await store.facts([key])
        clock.advance(days=2)
        await store.post([reply("key-2", UNNAMED)])

        assert known[key].value == b"abc"
        assert known[key].rank >= held.now_ms
        assert await store.facts([key]) == {}
        assert (await lease(store, Side.OUT)).lane == UNNAMED

    async def test_lane_that_passed_spends_the_budget_of_its_chat(self, open_again: Opener) -> None:
        """One pair has one budget, under whichever name its items were frozen."""
        store = await open_again(Limits(budget=3))
        await store.post([replace(reply(f"key-{number}", UNNAMED), pair=UNNAMED) for number in range(4)])
        held = await lease(store, Side.OUT)
        await store.settle(held.lane, held.token, Sent(passes_to="chat:abc"))
        await store.post([replace(reply(f"key-{number}", "chat:abc"), pair="abc") for number in range(4, 6)])

        assert await send_all(store) == ["key-1", "key-2", "key-3"]
        assert await nothing(store, Side.OUT)

    async def test_other_lanes_stay_where_they_are(self, store: Store) -> None:
        """One lane's chat is nobody else's."""
        await store.post([reply("key-1", UNNAMED), reply("key-2", "to:line:bob")])
        held = await lease(store, Side.OUT)
        await store.settle(held.lane, held.token, Sent(passes_to=LANE))

        assert (await lease(store, Side.OUT)).lane == "to:line:bob"

    async def test_repeated_pass_is_stale(self, store: Store) -> None:
        """The token went with the lane; nothing moves twice."""
        await store.post([reply("key-1", UNNAMED), reply("key-2", UNNAMED)])
        held = await lease(store, Side.OUT)
        outcome = Sent(message_id="message-1", passes_to=LANE)
        await store.settle(held.lane, held.token, outcome)

        assert not await store.settle(held.lane, held.token, outcome)

        assert (await store.stats()).outbox == 1
        assert await store.sweep() == 0

    async def test_stale_holder_passes_nothing(self, store: Store, clock: TurnedClock) -> None:
        """Only the lane's holder may say what it became."""
        await store.post([reply("key-1", UNNAMED), reply("key-2", UNNAMED)])
        old = await lease(store, Side.OUT)
        clock.advance(seconds=31)
        new = await lease(store, Side.OUT)

        assert not await store.settle(old.lane, old.token, Sent(passes_to=LANE))

        assert new.lane == UNNAMED
        assert await store.facts([fact_key("lane", UNNAMED)]) == {}

    async def test_order_holds_while_others_post(self, open_again: Opener) -> None:
        """Whether an item came before the lane passed or after, it leaves after those that were posted earlier."""
        handles = [await open_again(), await open_again()]
        await handles[0].post([reply("key-0", UNNAMED)])
        held = await lease(handles[0], Side.OUT)

        async def write() -> None:
            for number in range(1, 30):
                await handles[1].post([reply(f"key-{number}", UNNAMED)])

        writing = asyncio.create_task(write())
        while (await handles[0].stats()).outbox < 5:
            pass
        assert await handles[0].settle(held.lane, held.token, Sent(message_id="message-0", passes_to=LANE))
        await writing

        assert await send_all(handles[0]) == [f"key-{number}" for number in range(1, 30)]
        assert await handles[0].sweep() == 0

    async def test_lane_passes_beside_a_leased_chat(self, store: Store) -> None:
        """The chat's holder keeps it; what moved comes after what it holds."""
        await store.post([reply("key-a", LANE), reply("key-1", UNNAMED), reply("key-2", UNNAMED)])
        chat, unnamed = await lease(store, Side.OUT), await lease(store, Side.OUT)
        await store.settle(unnamed.lane, unnamed.token, Sent(passes_to=LANE))

        assert await nothing(store, Side.OUT)
        assert await store.settle(chat.lane, chat.token, Wait(delay_ms=0, reason="later"))
        assert await send_all(store) == ["key-a", "key-2"]
