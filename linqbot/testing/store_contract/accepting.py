"""arrivals -> the inbox: ids are remembered, items kept in order, caps refuse without a trace."""

from __future__ import annotations

import asyncio

from linqbot.records import Accepted, Arrival, Limits, Side
from linqbot.store.base import Store
from linqbot.testing.clock import TurnedClock
from linqbot.testing.store_contract.opening import Opener, StoreFixtures
from linqbot.testing.store_contract.samples import arrival, drain, end, event, lanes, lease, letter, noise, nothing


class InboxContract(StoreFixtures):
    """What ingress may rely on."""

    async def test_accepted_event_is_leased_as_it_came(self, store: Store) -> None:
        """Id, lane, type and body are what was given."""
        given = event("event-1", "chat:a", body=b'{"text":"h\xc3\xa9"}')

        assert await store.accept(Arrival(remember=("event-1",), item=given)) is Accepted.ACCEPTED

        held = (await lease(store)).events[0]
        assert (held.event_id, held.lane, held.type, held.body) == ("event-1", "chat:a", given.type, given.body)

    async def test_accepted_event_bears_store_time(self, store: Store, clock: TurnedClock) -> None:
        """`accepted_ms` is the time of acceptance, whatever the item said before."""
        clock.advance(hours=5)
        before = clock.now_ms()

        await store.accept(arrival("event-1"))

        held = await lease(store)
        assert before - 1_000 <= held.events[0].accepted_ms <= held.now_ms

    async def test_any_bytes_survive(self, store: Store) -> None:
        """A body is bytes: line feeds, zeros, invalid UTF-8 and a megabyte come back as they are."""
        bodies = [b"", b"\n\n", b"\x00\xff\xfe", noise(1_000_000)]
        for position, body in enumerate(bodies):
            await store.accept(arrival(f"event-{position}", body=body))

        held = await lease(store, take=4)

        assert [one.body for one in held.events] == bodies

    async def test_lane_names_are_opaque(self, store: Store) -> None:
        """Names that look alike or odd are lanes of their own."""
        names = [
            "chat:a",
            "chat:A",
            "chat:a ",
            "chat:{a}",
            "type:ünknown",
            "to:+1:a,b",
            "chat:a\n",
            "x" * 300,
            "%_*",
            "",
        ]
        for position, name in enumerate(names):
            await store.accept(arrival(f"event-{position}", name))

        assert await lanes(store, len(names) + 1) == names

    async def test_events_of_a_lane_keep_their_order(self, store: Store) -> None:
        """First accepted, first handled."""
        ids = [f"event-{position}" for position in range(30)]
        for event_id in ids:
            await store.accept(arrival(event_id))

        assert await drain(store) == ids

    async def test_repeated_event_is_accepted_once(self, store: Store) -> None:
        """The same arrival again is a duplicate, and nothing is stored twice."""
        await store.accept(arrival("event-1"))

        assert await store.accept(arrival("event-1")) is Accepted.DUPLICATE

        assert await drain(store) == ["event-1"]

    async def test_ended_event_is_still_a_duplicate(self, store: Store) -> None:
        """Ids are remembered whatever becomes of the event."""
        await store.accept(arrival("event-1"))
        await drain(store)

        assert await store.accept(arrival("event-1")) is Accepted.DUPLICATE

        assert await nothing(store)

    async def test_any_known_id_makes_a_duplicate(self, store: Store) -> None:
        """One shared id is enough, in whatever position."""
        await store.accept(Arrival(remember=("event-1", "message-1"), item=event("event-1")))

        again = await store.accept(Arrival(remember=("event-2", "message-1"), item=event("event-2")))

        assert again is Accepted.DUPLICATE
        assert await drain(store) == ["event-1"]

    async def test_duplicate_remembers_its_new_ids(self, store: Store) -> None:
        """An id first seen on a duplicate is known from then on."""
        await store.accept(arrival("event-1"))
        await store.accept(Arrival(remember=("event-1", "alias"), item=event("event-1")))

        assert await store.accept(arrival("alias")) is Accepted.DUPLICATE

    async def test_id_named_twice_is_not_its_own_duplicate(self, store: Store) -> None:
        """An arrival is compared with earlier ones only."""
        twice = Arrival(remember=("event-1", "event-1"), item=event("event-1"))

        assert await store.accept(twice) is Accepted.ACCEPTED

    async def test_same_id_in_another_lane_is_a_duplicate(self, store: Store) -> None:
        """Ids are the namespace's, not the lane's."""
        await store.accept(arrival("event-1", "chat:a"))

        assert await store.accept(arrival("event-1", "chat:b")) is Accepted.DUPLICATE

    async def test_arrival_without_ids_is_never_a_duplicate(self, store: Store) -> None:
        """What nobody can recognise is kept each time."""
        nameless = Arrival(item=event("event-1"))

        assert [await store.accept(nameless), await store.accept(nameless)] == [Accepted.ACCEPTED] * 2

        assert (await store.stats()).inbox == 2

    async def test_arrival_without_item_remembers_its_ids(self, store: Store) -> None:
        """Nothing to handle, but a repeat is known."""
        empty = Arrival(remember=("event-1",))

        assert [await store.accept(empty), await store.accept(empty)] == [Accepted.ACCEPTED, Accepted.DUPLICATE]

        assert (await store.stats()).inbox == 0

    async def test_ids_are_remembered_for_the_promised_time(self, store: Store, clock: TurnedClock) -> None:
        """Just before `Limits.dedupe_ms` is over, a repeat is a duplicate still, sweeps or not."""
        await store.accept(arrival("event-1"))
        clock.advance(hours=11)
        await store.sweep()
        await store.accept(arrival("event-2"))
        clock.advance(hours=12, minutes=59)
        await store.sweep()

        assert await store.accept(arrival("event-1")) is Accepted.DUPLICATE

    async def test_ids_are_not_remembered_for_ever(self, store: Store, clock: TurnedClock) -> None:
        """Long after `Limits.dedupe_ms` an id is free again, so that memory stays bounded."""
        await store.accept(arrival("event-1"))
        await drain(store)
        clock.advance(hours=72)

        assert await store.accept(arrival("event-1")) is Accepted.ACCEPTED

    async def test_concurrent_duplicates_are_accepted_once(self, open_again: Opener) -> None:
        """Of many deliveries at once, over two handles, one wins."""
        handles = [await open_again(), await open_again()]

        answers = await asyncio.gather(*(handles[turn % 2].accept(arrival("event-1")) for turn in range(20)))

        assert sorted(answers) == [Accepted.ACCEPTED] + [Accepted.DUPLICATE] * 19
        assert (await handles[0].stats()).inbox == 1

    async def test_full_lane_refuses(self, open_again: Opener) -> None:
        """Above `Limits.lane_cap` an event is not kept; other lanes go on."""
        store = await open_again(Limits(lane_cap=2))
        answers = [await store.accept(arrival(f"event-{number}", "chat:a")) for number in range(3)]

        elsewhere = await store.accept(arrival("event-9", "chat:b"))

        assert answers == [Accepted.ACCEPTED, Accepted.ACCEPTED, Accepted.FULL]
        assert elsewhere is Accepted.ACCEPTED

    async def test_refused_event_leaves_no_trace(self, open_again: Opener) -> None:
        """FULL remembers no id: when there is room again, the same event is accepted."""
        store = await open_again(Limits(lane_cap=1))
        await store.accept(arrival("event-1"))
        assert await store.accept(arrival("event-2")) is Accepted.FULL
        await end(store, await lease(store))

        assert await store.accept(arrival("event-2")) is Accepted.ACCEPTED

        assert await drain(store) == ["event-2"]

    async def test_leased_events_count_for_the_cap(self, open_again: Opener) -> None:
        """An event waits until its turn is committed, so a lease makes no room."""
        store = await open_again(Limits(lane_cap=1))
        await store.accept(arrival("event-1"))
        await lease(store)

        assert await store.accept(arrival("event-2")) is Accepted.FULL

    async def test_full_inbox_refuses_in_every_lane(self, open_again: Opener) -> None:
        """`Limits.inbox_cap_bytes` counts all lanes together, and ending events makes room."""
        store = await open_again(Limits(inbox_cap_bytes=1_000))
        await store.accept(arrival("event-1", "chat:a", body=noise(1_200)))
        assert await store.accept(arrival("event-2", "chat:b")) is Accepted.FULL
        await end(store, await lease(store))

        assert await store.accept(arrival("event-2", "chat:b")) is Accepted.ACCEPTED

    async def test_known_event_is_a_duplicate_also_when_full(self, open_again: Opener) -> None:
        """A sender who repeats an event that is kept is told so, not asked to try again."""
        store = await open_again(Limits(lane_cap=1))
        await store.accept(arrival("event-1"))

        assert await store.accept(arrival("event-1")) is Accepted.DUPLICATE

    async def test_arrival_without_item_is_never_refused(self, open_again: Opener) -> None:
        """What takes no room needs none."""
        store = await open_again(Limits(inbox_cap_bytes=1))
        await store.accept(arrival("event-1"))

        assert await store.accept(Arrival(remember=("event-2",))) is Accepted.ACCEPTED

    async def test_full_store_still_lets_work_end(self, open_again: Opener) -> None:
        """At the caps, leasing and committing work as ever."""
        store = await open_again(Limits(lane_cap=1, inbox_cap_bytes=1))
        await store.accept(arrival("event-1"))
        assert await store.accept(arrival("event-2", "chat:b")) is Accepted.FULL

        assert await drain(store) == ["event-1"]

    async def test_events_do_not_cross_to_the_other_side(self, store: Store) -> None:
        """What came in is not what goes out."""
        await store.accept(arrival("event-1"))

        assert await nothing(store, Side.OUT)

    async def test_buried_letter_is_kept_whole(self, store: Store, clock: TurnedClock) -> None:
        """All of a letter comes back; only its time is the store's."""
        given = letter("webhook-1", "payload", item=b"\x00\xff{")
        before = clock.now_ms()

        await store.bury(given)

        (kept,) = await store.dead()
        assert before - 1_000 <= kept.at_ms <= clock.now_ms() + 1_000
        assert (kept.id, kept.kind, kept.reason, kept.item) == ("webhook-1", "payload", given.reason, b"\x00\xff{")
        assert (kept.lane, kept.event_id, kept.handler) == (given.lane, given.event_id, given.handler)

    async def test_buried_again_replaces(self, store: Store) -> None:
        """Same id and kind: one letter, with the newer words."""
        await store.bury(letter("event-1", reason="first"))
        await store.bury(letter("event-1", reason="second"))

        assert [one.reason for one in await store.dead()] == ["second"]
        assert (await store.stats()).dead == 1

    async def test_letters_of_two_kinds_live_side_by_side(self, store: Store) -> None:
        """The kind is part of the name."""
        await store.bury(letter("same", "event"))
        await store.bury(letter("same", "payload"))

        assert sorted(one.kind for one in await store.dead()) == ["event", "payload"]

    async def test_oldest_letters_make_room(self, open_again: Opener) -> None:
        """Above `Limits.dead_cap` the newest stay."""
        store = await open_again(Limits(dead_cap=3))
        for number in range(5):
            await store.bury(letter(f"event-{number}"))

        assert [one.id for one in await store.dead()] == ["event-4", "event-3", "event-2"]
        assert (await store.stats()).dead == 3
