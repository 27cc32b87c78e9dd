"""a turn -> replies, letters and the end of its events, all or nothing; a stream's bubbles before that."""

from __future__ import annotations

import asyncio

from linqbot.records import Committed, Side
from linqbot.store.base import Store
from linqbot.testing.clock import TurnedClock
from linqbot.testing.store_contract.opening import Opener, StoreFixtures
from linqbot.testing.store_contract.samples import arrival, drain, end, lanes, lease, letter, nothing, reply, turn


class DeskContract(StoreFixtures):
    """What a turn may rely on."""

    async def test_committed_event_has_left(self, store: Store) -> None:
        """Its turn is over: the lane is free and empty."""
        await store.accept(arrival("event-1"))

        assert await store.commit(turn(await lease(store))) is Committed.COMMITTED

        assert await nothing(store)
        assert (await store.stats()).inbox == 0

    async def test_repeated_commit_is_stale(self, store: Store) -> None:
        """The first run has done it: nothing is frozen twice, the next event is untouched."""
        await store.accept(arrival("event-1"))
        await store.accept(arrival("event-2"))
        commit = turn(await lease(store), replies=[reply("key-1")])
        await store.commit(commit)

        assert await store.commit(commit) is Committed.STALE

        stats = await store.stats()
        assert (stats.inbox, stats.outbox) == (1, 1)

    async def test_concurrent_commits_of_one_turn_count_once(self, open_again: Opener) -> None:
        """Of several at once, over two handles, one is the turn."""
        handles = [await open_again(), await open_again()]
        await handles[0].accept(arrival("event-1"))
        commit = turn(await lease(handles[0]), replies=[reply("key-1")])

        answers = await asyncio.gather(*(handles[run % 2].commit(commit) for run in range(8)))

        assert sorted(answers) == [Committed.COMMITTED] + [Committed.STALE] * 7
        assert (await handles[0].stats()).outbox == 1

    async def test_frozen_reply_comes_back_as_it_is(self, store: Store) -> None:
        """Request, keys, variant, budget and names: every field, untouched."""
        given = reply("key-1", pair="line/chat", units=2)
        await store.accept(arrival("event-1"))
        await store.commit(turn(await lease(store), replies=[given]))

        assert (await lease(store, Side.OUT)).reply == given

    async def test_replies_leave_in_the_order_of_the_commit(self, store: Store) -> None:
        """Also over several turns."""
        for event_id in ("event-1", "event-2"):
            await store.accept(arrival(event_id, f"lane-of-{event_id}"))
        for names in (("k1", "k2"), ("k3", "k4")):
            await store.commit(turn(await lease(store), replies=[reply(name) for name in names]))
        held = await lease(store, Side.OUT)

        assert held.reply is not None
        assert held.reply.key == "k1"
        assert (await store.stats()).outbox == 4

    async def test_replies_to_several_lanes(self, store: Store) -> None:
        """A turn may speak to several chats; each becomes ready, in the order of their first reply."""
        await store.accept(arrival("event-1"))

        await store.commit(turn(await lease(store), replies=[reply("k1", "b"), reply("k2", "a"), reply("k3", "b")]))

        assert await lanes(store, 3, Side.OUT) == ["b", "a"]

    async def test_letters_of_a_turn_are_buried(self, store: Store) -> None:
        """What the turn gave up lies in the dead letters, at store time."""
        await store.accept(arrival("event-1"))
        held = await lease(store)

        await store.commit(turn(held, dead=[letter("event-1"), letter("key-9", "reply")]))

        kept = await store.dead()
        assert [one.id for one in kept] == ["key-9", "event-1"]
        assert kept[0].at_ms >= held.now_ms

    async def test_several_events_end_together(self, store: Store) -> None:
        """A merged turn takes its events off the head; the rest of the lane goes on."""
        for number in range(4):
            await store.accept(arrival(f"event-{number}"))
        held = await lease(store, take=3)

        assert await store.commit(turn(held, take=3)) is Committed.COMMITTED

        assert await drain(store) == ["event-3"]

    async def test_fewer_events_may_end_than_were_leased(self, store: Store) -> None:
        """What a turn did not take is the next turn's."""
        for number in range(3):
            await store.accept(arrival(f"event-{number}"))

        await store.commit(turn(await lease(store, take=3), take=1))

        assert await drain(store) == ["event-1", "event-2"]

    async def test_lane_with_more_goes_to_the_rear(self, store: Store) -> None:
        """After a turn the others come first."""
        for event_id, lane in (("a1", "a"), ("a2", "a"), ("b1", "b")):
            await store.accept(arrival(event_id, lane))
        await end(store, await lease(store))

        assert await lanes(store, 2) == ["b", "a"]

    async def test_commit_is_not_refused_by_a_full_outbox(self, open_again: Opener) -> None:
        """What was handled is stored, however much waits already."""
        store = await open_again()
        await store.accept(arrival("event-1"))
        many = [reply(f"key-{number}") for number in range(300)]

        assert await store.commit(turn(await lease(store), replies=many)) is Committed.COMMITTED

        assert (await store.stats()).outbox == 300

    async def test_bubble_is_frozen_before_the_turn_ends(self, store: Store) -> None:
        """A partial commit sends its reply on the way; lease and event stay."""
        await store.accept(arrival("event-1"))
        held = await lease(store)

        assert await store.commit(turn(held, take=0, replies=[reply("bubble-1")])) is Committed.COMMITTED

        stats = await store.stats()
        assert (stats.inbox, stats.outbox) == (1, 1)
        assert await nothing(store)
        await end(store, held)

    async def test_repeated_bubble_is_frozen_once(self, store: Store) -> None:
        """The same partial commit again gives COMMITTED and appends nothing."""
        await store.accept(arrival("event-1"))
        commit = turn(await lease(store), take=0, replies=[reply("bubble-1")])

        assert [await store.commit(commit), await store.commit(commit)] == [Committed.COMMITTED] * 2

        assert (await store.stats()).outbox == 1

    async def test_next_run_learns_what_is_frozen(self, store: Store, clock: TurnedClock) -> None:
        """A run that takes over gets the keys of the bubbles, and freezing them again appends nothing."""
        await store.accept(arrival("event-1"))
        first = await lease(store)
        await store.commit(turn(first, take=0, replies=[reply("bubble-1")]))
        await store.commit(turn(first, take=0, replies=[reply("bubble-2")]))
        clock.advance(seconds=31)

        second = await lease(store)
        await store.commit(turn(second, replies=[reply("bubble-1"), reply("bubble-2"), reply("bubble-3")]))

        assert second.frozen == frozenset({"bubble-1", "bubble-2"})
        assert (await store.stats()).outbox == 3

    async def test_frozen_stays_after_a_failed_run(self, store: Store) -> None:
        """A retry forgets neither bubbles nor notes."""
        await store.accept(arrival("event-1"))
        held = await lease(store)
        await store.commit(turn(held, take=0, replies=[reply("bubble-1")]))
        await store.note(held.lane, held.token, "step", b"done")
        await store.retry(held.lane, held.token, delay_ms=0)

        again = await lease(store)

        assert (again.frozen, dict(again.notes)) == (frozenset({"bubble-1"}), {"step": b"done"})

    async def test_stale_bubble_is_refused(self, store: Store, clock: TurnedClock) -> None:
        """A stream whose lane was taken over may not go on."""
        await store.accept(arrival("event-1"))
        old = await lease(store)
        clock.advance(seconds=31)
        await lease(store)

        assert await store.commit(turn(old, take=0, replies=[reply("bubble-1")])) is Committed.STALE

        assert (await store.stats()).outbox == 0

    async def test_next_event_knows_nothing_of_the_last(self, store: Store) -> None:
        """Bubbles and notes end with their event."""
        await store.accept(arrival("event-1"))
        await store.accept(arrival("event-2"))
        held = await lease(store)
        await store.commit(turn(held, take=0, replies=[reply("bubble-1")]))
        await store.note(held.lane, held.token, "step", b"done")
        await end(store, held)

        following = await lease(store)

        assert (following.events[0].event_id, following.frozen, dict(following.notes)) == ("event-2", frozenset(), {})

    async def test_lane_that_was_empty_knows_nothing_of_the_last(self, store: Store) -> None:
        """Also when the lane ended in between."""
        await store.accept(arrival("event-1"))
        held = await lease(store)
        await store.note(held.lane, held.token, "step", b"done")
        await end(store, held)
        await store.accept(arrival("event-2"))

        assert dict((await lease(store)).notes) == {}

    async def test_old_marks_do_not_come_back(self, store: Store) -> None:
        """When the next event gets notes and bubbles of its own, those of the last are not among them."""
        for event_id in ("event-1", "event-2"):
            await store.accept(arrival(event_id))
        for name in ("old", "new"):
            held = await lease(store)
            await store.note(held.lane, held.token, name, b"x")
            await store.commit(turn(held, take=0, replies=[reply(name)]))
            if name == "old":
                await end(store, held)
        await store.retry(held.lane, held.token, delay_ms=0)

        again = await lease(store)

        assert (dict(again.notes), again.frozen) == ({"new": b"x"}, frozenset({"new"}))

    async def test_first_note_wins(self, store: Store) -> None:
        """A step's result is what its first run said, for ever."""
        await store.accept(arrival("event-1"))
        held = await lease(store)

        values = [await store.note(held.lane, held.token, "step", value) for value in (b"\x00one", b"two")]

        assert values == [b"\x00one", b"\x00one"]

    async def test_notes_of_two_names_are_two(self, store: Store, clock: TurnedClock) -> None:
        """Each name has its own value, and the next holder gets all."""
        await store.accept(arrival("event-1"))
        held = await lease(store)
        await store.note(held.lane, held.token, "one", b"1")
        await store.note(held.lane, held.token, "two", b"")
        clock.advance(seconds=31)

        assert dict((await lease(store)).notes) == {"one": b"1", "two": b""}

    async def test_note_without_a_lease_is_refused(self, store: Store) -> None:
        """No token, no note."""
        await store.accept(arrival("event-1"))

        assert await store.note("chat:a", "nobody", "step", b"x") is None
