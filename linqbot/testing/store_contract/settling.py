"""leased replies -> sent, waiting or dead, in the order of their lane."""

from __future__ import annotations

from linqbot.ids import random_token
from linqbot.records import Dead, Lease, Limits, OutboxItem, Outcome, Sent, Side, Wait
from linqbot.store.base import Store
from linqbot.testing.clock import TurnedClock
from linqbot.testing.store_contract.opening import Opener, StoreFixtures
from linqbot.testing.store_contract.samples import (
    arrival,
    drain,
    end,
    freeze,
    lanes,
    lease,
    letter,
    nothing,
    reply,
)

WAIT = Wait(delay_ms=0, reason="busy")


async def _settle(store: Store, outcome: Outcome) -> Lease:
    """Lease the next out lane and settle it; the lease that was settled."""
    held = await lease(store, Side.OUT)
    assert await store.settle(held.lane, held.token, outcome)
    return held


async def _send_all(store: Store) -> list[str]:
    """The keys of all replies that are ready, in the order in which one dispatcher sends them."""
    keys: list[str] = []
    while taken := (await store.lease(Side.OUT, [random_token()])).taken:
        assert taken[0].reply is not None
        keys.append(taken[0].reply.key)
        await store.settle(taken[0].lane, taken[0].token, Sent(message_id=f"message-{taken[0].reply.key}"))
    return keys


class OutboxContract(StoreFixtures):
    """What the dispatcher may rely on."""

    async def test_fresh_reply_has_no_history(self, store: Store) -> None:
        """Never tried, surely not sent, threaded."""
        await freeze(store, reply("key-1"))

        held = await lease(store, Side.OUT)

        assert (held.side, held.attempts, held.stalls, held.ambiguous_ms, held.use_plain) == (
            Side.OUT,
            0,
            0,
            None,
            False,
        )
        assert held.events == ()

    async def test_replies_of_a_lane_leave_in_order(self, store: Store) -> None:
        """One at a time, as they were committed."""
        await freeze(store, *(reply(f"k{number}") for number in range(5)))

        assert await _send_all(store) == ["k0", "k1", "k2", "k3", "k4"]

    async def test_out_lanes_take_turns(self, store: Store) -> None:
        """A chat with many bubbles does not hold up the others."""
        await freeze(store, reply("a1", "a"), reply("a2", "a"), reply("b1", "b"), reply("b2", "b"))

        assert await _send_all(store) == ["a1", "b1", "a2", "b2"]

    async def test_sent_reply_ends(self, store: Store) -> None:
        """It is in the sent index with all its names, and no longer in the outbox."""
        await freeze(store, reply("key-1"))
        held = await _settle(store, Sent(message_id="message-1"))

        record = await store.sent("message-1")

        assert record is not None
        assert (record.message_id, record.key, record.event_id) == ("message-1", "key-1", "event-of-key-1")
        assert (record.handler, record.position, record.ref) == ("echo", 3, "greeting")
        assert record.sent_ms >= held.now_ms
        assert (await store.stats()).outbox == 0

    async def test_sent_without_an_id_ends_too(self, store: Store) -> None:
        """Known to have arrived is enough."""
        await freeze(store, reply("key-1"))

        await _settle(store, Sent())

        assert await nothing(store, Side.OUT)
        assert (await store.stats()).outbox == 0

    async def test_repeated_settle_is_refused(self, store: Store) -> None:
        """The first has done it; the next reply is untouched."""
        await freeze(store, reply("key-1"), reply("key-2"))
        held = await _settle(store, Sent(message_id="message-1"))

        assert not await store.settle(held.lane, held.token, Sent(message_id="message-1"))

        assert (await store.stats()).outbox == 1

    async def test_waiting_reply_has_no_holder(self, store: Store) -> None:
        """Once told to wait, a reply can neither be settled nor beaten back by the same token."""
        await freeze(store, reply("key-1"))
        held = await _settle(store, Wait(delay_ms=60_000, reason="rate limited"))

        assert not await store.settle(held.lane, held.token, Sent(message_id="message-1"))
        assert await store.beat(Side.OUT, [(held.lane, held.token)]) == frozenset({held.lane})

    async def test_waiting_reply_stays_the_head(self, store: Store, clock: TurnedClock) -> None:
        """Not sent before its time, and nothing of the lane overtakes it."""
        await freeze(store, reply("key-1"), reply("key-2"))
        await _settle(store, Wait(delay_ms=60_000, reason="rate limited"))
        early = await nothing(store, Side.OUT)
        clock.advance(seconds=61)

        assert early
        assert await _send_all(store) == ["key-1", "key-2"]

    async def test_wait_without_delay_goes_to_the_rear(self, store: Store) -> None:
        """0 means at once, but after the others, and before those that come later."""
        await freeze(store, reply("a1", "a"), reply("b1", "b"))
        await _settle(store, WAIT)
        await freeze(store, reply("c1", "c"))

        assert await lanes(store, 3, Side.OUT) == ["b", "a", "c"]

    async def test_next_ms_tells_when_a_wait_is_over(self, store: Store) -> None:
        """A sleeping dispatcher knows when to wake."""
        await freeze(store, reply("key-1"))
        await _settle(store, Wait(delay_ms=40_000, reason="rate limited"))

        next_ms = (await store.lease(Side.OUT, [random_token()])).next_ms

        assert next_ms is not None
        assert 30_000 < next_ms <= 40_000

    async def test_only_burning_waits_count(self, store: Store) -> None:
        """A refusal that says "later" is no attempt, a failure is."""
        await freeze(store, reply("key-1"))
        await _settle(store, WAIT)
        await _settle(store, Wait(delay_ms=0, reason="failed", burn=True))
        await _settle(store, Wait(delay_ms=0, reason="failed", burn=True))

        assert (await lease(store, Side.OUT)).attempts == 2

    async def test_definite_wait_is_no_ambiguity(self, store: Store) -> None:
        """Refused means not sent."""
        await freeze(store, reply("key-1"))
        await _settle(store, WAIT)

        assert (await lease(store, Side.OUT)).ambiguous_ms is None

    async def test_first_ambiguous_wait_starts_the_clock(self, store: Store, clock: TurnedClock) -> None:
        """`ambiguous_ms` is when it began, whatever comes after."""
        await freeze(store, reply("key-1"))
        first = await _settle(store, Wait(delay_ms=0, reason="timeout", ambiguous=True))
        clock.advance(minutes=5)
        second = await _settle(store, Wait(delay_ms=0, reason="timeout", ambiguous=True))
        await _settle(store, WAIT)

        third = await lease(store, Side.OUT)

        assert second.ambiguous_ms is not None
        assert first.now_ms <= second.ambiguous_ms < first.now_ms + 60_000
        assert third.ambiguous_ms == second.ambiguous_ms

    async def test_silent_dispatcher_leaves_ambiguity(self, store: Store, clock: TurnedClock) -> None:
        """Nobody knows what it did before it died: the clock starts when the lease is seen to expire."""
        await freeze(store, reply("key-1"))
        await lease(store, Side.OUT)
        clock.advance(seconds=31)

        held = await lease(store, Side.OUT)

        assert (held.ambiguous_ms, held.stalls) == (held.now_ms, 1)

    async def test_second_silence_keeps_the_first_time(self, store: Store, clock: TurnedClock) -> None:
        """An expired lease sets the clock only if it was not set."""
        await freeze(store, reply("key-1"))
        for _ in range(2):
            held = await lease(store, Side.OUT)
            clock.advance(seconds=31)

        again = await lease(store, Side.OUT)

        assert (again.ambiguous_ms, again.stalls) == (held.now_ms, 2)

    async def test_plain_variant_is_used_from_then_on(self, store: Store, clock: TurnedClock) -> None:
        """Later leases say so, through waits and silence."""
        await freeze(store, reply("key-1"))
        await _settle(store, Wait(delay_ms=0, reason="target gone", use_plain=True))
        held = [await _settle(store, WAIT)]
        held.append(await lease(store, Side.OUT))
        clock.advance(seconds=31)
        held.append(await lease(store, Side.OUT))

        assert [one.use_plain for one in held] == [True, True, True]

    async def test_plain_variant_was_never_sent(self, store: Store) -> None:
        """With the new variant the ambiguity of the old one is forgotten."""
        await freeze(store, reply("key-1"))
        await _settle(store, Wait(delay_ms=0, reason="timeout", ambiguous=True))
        await _settle(store, Wait(delay_ms=0, reason="target gone", use_plain=True))

        assert (await lease(store, Side.OUT)).ambiguous_ms is None

    async def test_dead_reply_is_buried_with_its_bytes(self, store: Store) -> None:
        """The letter holds the reply for a replay, and the lane goes on."""
        await freeze(store, reply("key-1"), reply("key-2"))
        held = await _settle(store, Dead(letter=letter("key-1", "reply", item=b"")))

        (kept,) = await store.dead()

        assert OutboxItem.from_bytes(kept.item) == held.reply
        assert (kept.id, kept.kind, kept.at_ms >= held.now_ms) == ("key-1", "reply", True)
        assert await _send_all(store) == ["key-2"]

    async def test_next_reply_starts_afresh(self, store: Store) -> None:
        """History belongs to the head and ends with it."""
        await freeze(store, reply("key-1"), reply("key-2"))
        await _settle(store, Wait(delay_ms=0, reason="x", burn=True, use_plain=True))
        await _settle(store, Wait(delay_ms=0, reason="x", burn=True, ambiguous=True))
        await _settle(store, Sent())

        held = await lease(store, Side.OUT)

        assert held.reply is not None
        assert (held.reply.key, held.attempts, held.ambiguous_ms, held.use_plain) == ("key-2", 0, None, False)

    async def test_unknown_message_is_not_ours(self, store: Store) -> None:
        """None, no error."""
        assert await store.sent("message-of-somebody") is None

    async def test_sent_index_remembers_for_its_time(self, store: Store, clock: TurnedClock) -> None:
        """Known just before `Limits.sent_ms`, forgotten after, sweeps or not."""
        await freeze(store, reply("key-1"))
        await _settle(store, Sent(message_id="message-1"))
        clock.advance(hours=23, minutes=59)
        await store.sweep()
        known = await store.sent("message-1")
        clock.advance(minutes=2)

        assert known is not None
        assert await store.sent("message-1") is None

    async def test_sent_index_keeps_the_newest(self, open_again: Opener) -> None:
        """Above `Limits.sent_cap` the oldest are forgotten."""
        store = await open_again(Limits(sent_cap=3))
        await freeze(store, *(reply(f"k{number}") for number in range(5)))
        await _send_all(store)

        known = [await store.sent(f"message-k{number}") is not None for number in range(5)]

        assert known == [False, False, True, True, True]

    async def test_full_outbox_pauses_the_inbox(self, open_again: Opener) -> None:
        """At `Limits.outbox_cap` no event is leased; below it they are again."""
        store = await open_again(Limits(outbox_cap=2))
        await freeze(store, reply("key-1"), reply("key-2"))
        await store.accept(arrival("event-1"))
        paused = await nothing(store)
        await _settle(store, Sent())

        assert paused
        assert await drain(store) == ["event-1"]

    async def test_full_outbox_does_not_stop_who_holds_work(self, open_again: Opener) -> None:
        """A turn that runs may end, whatever it adds."""
        store = await open_again(Limits(outbox_cap=1))
        await store.accept(arrival("event-1"))
        held = await lease(store)
        await freeze(store, reply("key-1"))

        await end(store, held)

        assert await nothing(store)
        assert await _send_all(store) == ["key-1"]
