"""news of a message of ours -> the reply it proves, ended or about to end."""

from __future__ import annotations

import pytest

from linqbot.ids import lane_fact
from linqbot.records import Accepted, Arrival, Dead, Fact, Limits, Receipt, Sent, Side, Wait
from linqbot.store.base import Store
from linqbot.testing.clock import TurnedClock
from linqbot.testing.store_contract.opening import Opener, StoreFixtures
from linqbot.testing.store_contract.samples import (
    LANE,
    arrival,
    event,
    freeze,
    lease,
    letter,
    news,
    nothing,
    reply,
)


class ReceiptContract(StoreFixtures):
    """What the outbox may rely on when Linq itself tells that a reply arrived."""

    @pytest.mark.parametrize("status", ["sent", "delivered", "read"])
    async def test_proven_reply_that_is_ready_ends(self, store: Store, status: str) -> None:
        """Whatever the news, the reply arrived: it is in the sent index and never leased."""
        await freeze(store, reply("key-1"))

        await store.accept(news("key-1", status=status))

        record = await store.sent("message-1")
        assert record is not None
        assert (record.key, record.event_id, record.handler, record.position) == ("key-1", "event-of-key-1", "echo", 3)
        assert await nothing(store, Side.OUT)
        assert (await store.stats()).outbox == 0

    async def test_receipt_names_the_plain_variant(self, store: Store) -> None:
        """The variant's key proves the same reply."""
        await freeze(store, reply("key-1"))

        await store.accept(news("key-1-plain"))

        assert (await store.stats()).outbox == 0

    async def test_receipt_finds_a_reply_in_the_lane_that_a_fact_tells(self, store: Store) -> None:
        """News of a message that made its chat names that one, not the lane in which the message waits."""
        await freeze(store, reply("key-1", "to:line:alice"), reply("key-2", "to:line:alice"))
        held = await lease(store, Side.OUT)
        await store.learn([Fact(key=lane_fact("key-1"), value=b"to:line:alice", ttl_ms=60_000)])
        await store.settle(held.lane, held.token, Wait(delay_ms=60_000, reason="timeout", ambiguous=True))

        await store.accept(news("key-1"))

        following = await lease(store, Side.OUT)
        assert following.reply is not None
        assert (following.lane, following.reply.key) == ("to:line:alice", "key-2")
        assert await store.sent("message-1") is not None

    async def test_receipt_of_a_held_reply_counts_in_the_lane_that_a_fact_tells(self, store: Store) -> None:
        """It may come before the answer, or before whoever waits for that gives up."""
        await freeze(store, reply("key-1", "to:line:alice"))
        held = await lease(store, Side.OUT)
        await store.learn([Fact(key=lane_fact("key-1"), value=b"to:line:alice", ttl_ms=60_000)])

        await store.accept(news("key-1"))
        assert await store.settle(held.lane, held.token, Wait(delay_ms=0, reason="timeout", ambiguous=True))

        assert (await store.stats()).outbox == 0

    async def test_fact_that_tells_a_wrong_lane_changes_nothing(self, store: Store) -> None:
        """Only the reply of that key ends."""
        await freeze(store, reply("key-1", "to:line:alice"))
        await store.learn([Fact(key=lane_fact("key-9"), value=b"to:line:alice", ttl_ms=60_000)])

        await store.accept(news("key-9"))

        assert (await store.stats()).outbox == 1

    async def test_proven_reply_that_waits_ends_at_once(self, store: Store) -> None:
        """A delay after an ambiguous attempt is over when the news comes; the next reply need not wait."""
        await freeze(store, reply("key-1"), reply("key-2"))
        held = await lease(store, Side.OUT)
        await store.settle(held.lane, held.token, Wait(delay_ms=60_000, reason="timeout", ambiguous=True))

        await store.accept(news("key-1"))

        following = await lease(store, Side.OUT)
        assert following.reply is not None
        assert (following.reply.key, following.ambiguous_ms, following.attempts) == ("key-2", None, 0)

    async def test_holder_of_a_proven_reply_may_settle_it_sent(self, store: Store) -> None:
        """The answer and the news of one send may cross."""
        await freeze(store, reply("key-1"))
        held = await lease(store, Side.OUT)
        await store.accept(news("key-1"))

        assert await store.settle(held.lane, held.token, Sent(message_id="message-1"))

        assert (await store.stats()).outbox == 0
        assert await store.sent("message-1") is not None

    async def test_holder_of_a_proven_reply_may_bury_it(self, store: Store) -> None:
        """The holder's word counts while it holds."""
        await freeze(store, reply("key-1"))
        held = await lease(store, Side.OUT)
        await store.accept(news("key-1"))

        assert await store.settle(held.lane, held.token, Dead(letter=letter("key-1", "reply")))

        assert [one.id for one in await store.dead()] == ["key-1"]
        assert (await store.stats()).outbox == 0

    async def test_proven_reply_ends_instead_of_waiting(self, store: Store) -> None:
        """An ambiguous answer after the news: the reply is not sent again, the lane goes on."""
        await freeze(store, reply("key-1"), reply("key-2"))
        held = await lease(store, Side.OUT)
        await store.accept(news("key-1"))

        assert await store.settle(held.lane, held.token, Wait(delay_ms=60_000, reason="timeout", ambiguous=True))

        following = await lease(store, Side.OUT)
        assert following.reply is not None
        assert (following.reply.key, following.ambiguous_ms) == ("key-2", None)
        assert await store.sent("message-1") is not None

    async def test_proven_reply_ends_instead_of_being_released(self, store: Store) -> None:
        """Given back after the news, it does not come again."""
        await freeze(store, reply("key-1"))
        held = await lease(store, Side.OUT)
        await store.accept(news("key-1"))

        assert await store.release(Side.OUT, held.lane, held.token)

        assert await nothing(store, Side.OUT)
        assert await store.sent("message-1") is not None
        assert (await store.stats()).outbox == 0

    async def test_proven_reply_ends_instead_of_expiring(self, store: Store, clock: TurnedClock) -> None:
        """A dispatcher that died after the send leaves nothing to do but the next reply, without its history."""
        await freeze(store, reply("key-1"), reply("key-2"))
        await lease(store, Side.OUT)
        await store.accept(news("key-1"))
        clock.advance(seconds=31)

        following = await lease(store, Side.OUT)

        assert following.reply is not None
        assert (following.reply.key, following.stalls, following.ambiguous_ms) == ("key-2", 0, None)
        assert await store.sent("message-1") is not None

    async def test_late_holder_of_a_proven_reply_is_stale(self, store: Store, clock: TurnedClock) -> None:
        """When the reply has ended with the lease, its holder's word touches nothing else."""
        await freeze(store, reply("key-1"), reply("key-2"))
        held = await lease(store, Side.OUT)
        await store.accept(news("key-1"))
        clock.advance(seconds=31)
        await lease(store, Side.OUT)

        assert not await store.settle(held.lane, held.token, Sent(message_id="message-1"))

        assert (await store.stats()).outbox == 1

    async def test_proof_on_an_expired_lane_that_is_ready(self, store: Store, clock: TurnedClock) -> None:
        """A lane that waits for a new holder is not leased: the reply ends, its old holder is stale."""
        await freeze(store, reply("key-a", "chat:a"), reply("key-b", "chat:b"))
        old = [await lease(store, Side.OUT), await lease(store, Side.OUT)]
        clock.advance(seconds=31)
        taken = await lease(store, Side.OUT)
        (left,) = (one for one in old if one.lane != taken.lane)
        assert left.reply is not None

        await store.accept(news(left.reply.key, left.lane))

        assert (await store.stats()).outbox == 1
        assert not await store.settle(left.lane, left.token, Sent(message_id="other"))

    async def test_receipt_for_a_later_reply_changes_nothing(self, store: Store) -> None:
        """Only the head can have been sent."""
        await freeze(store, reply("key-1"), reply("key-2"))

        assert await store.accept(news("key-2")) is Accepted.ACCEPTED

        assert (await store.stats()).outbox == 2
        assert await store.sent("message-1") is None

    async def test_receipt_for_an_unknown_key_changes_nothing(self, store: Store) -> None:
        """A message that linqbot did not send is none of the outbox's business."""
        await freeze(store, reply("key-1"))

        assert await store.accept(news("somebody-elses")) is Accepted.ACCEPTED

        assert (await store.stats()).outbox == 1

    async def test_receipt_for_another_lane_changes_nothing(self, store: Store) -> None:
        """Lane and key must both be right."""
        await freeze(store, reply("key-1", "chat:a"))

        await store.accept(news("key-1", "chat:b"))

        assert (await store.stats()).outbox == 1

    async def test_repeated_receipt_is_harmless(self, store: Store) -> None:
        """The second finds another head and leaves it alone."""
        await freeze(store, reply("key-1"), reply("key-2"))
        await store.accept(news("key-1"))

        await store.accept(news("key-1", status="delivered"))

        following = await lease(store, Side.OUT)
        assert following.reply is not None
        assert following.reply.key == "key-2"

    async def test_duplicate_applies_its_receipt(self, store: Store) -> None:
        """The event is known, the news may be needed nonetheless."""
        receipt = Receipt(lane=LANE, key="key-1", message_id="message-1", status="sent")
        await freeze(store, reply("key-1"))
        await store.accept(Arrival(remember=("event-1",)))

        again = await store.accept(Arrival(remember=("event-1",), receipt=receipt))

        assert again is Accepted.DUPLICATE
        assert (await store.stats()).outbox == 0

    async def test_refused_arrival_does_not_apply_its_receipt(self, open_again: Opener) -> None:
        """FULL changes nothing at all; the sender comes again."""
        store = await open_again(Limits(lane_cap=1))
        await freeze(store, reply("key-1"))
        await store.accept(arrival("event-1", "out:a"))
        receipt = Receipt(lane=LANE, key="key-1", message_id="message-1", status="sent")

        answer = await store.accept(Arrival(remember=("event-2",), item=event("event-2", "out:a"), receipt=receipt))

        assert answer is Accepted.FULL
        assert (await store.stats()).outbox == 1

    async def test_item_and_receipt_go_together(self, store: Store) -> None:
        """One arrival may end a reply and bring an event for a handler."""
        await freeze(store, reply("key-1"))
        receipt = Receipt(lane=LANE, key="key-1", message_id="message-1", status="delivered")

        await store.accept(Arrival(remember=("event-1",), item=event("event-1", "out:a"), receipt=receipt))

        stats = await store.stats()
        assert (stats.inbox, stats.outbox) == (1, 0)

    @pytest.mark.parametrize("keyed", [True, False], ids=["with the key", "by the message alone"])
    async def test_status_rises_with_the_news(self, store: Store, *, keyed: bool) -> None:
        """Sent, then delivered, then read, whether or not Linq says the key."""
        await freeze(store, reply("key-1"))
        held = await lease(store, Side.OUT)
        await store.settle(held.lane, held.token, Sent(message_id="message-1"))
        seen = [await _status(store)]
        for status in ("sent", "delivered", "read"):
            await store.accept(news("key-1" if keyed else "", status=status))
            seen.append(await _status(store))

        assert seen == ["sent", "sent", "delivered", "read"]

    @pytest.mark.parametrize(
        ("first", "second"),
        [("read", "delivered"), ("delivered", "failed"), ("failed", "sent"), ("read", "failed"), ("read", "surprise")],
    )
    async def test_status_never_falls(self, store: Store, first: str, second: str) -> None:
        """News may come in any order, also of a kind that nobody knows."""
        await freeze(store, reply("key-1"))
        await store.accept(news("key-1", status=first))

        await store.accept(news("", status=second))

        assert await _status(store) == first

    async def test_failed_may_still_be_delivered(self, store: Store) -> None:
        """Another way was found."""
        await freeze(store, reply("key-1"))
        await store.accept(news("key-1", status="failed"))
        before = await _status(store)

        await store.accept(news("", status="delivered"))

        assert (before, await _status(store)) == ("failed", "delivered")

    async def test_news_of_a_stranger_makes_no_record(self, store: Store) -> None:
        """Only what is ours has a status."""
        await freeze(store, reply("key-1"))

        await store.accept(news("", message_id="stranger", status="read"))

        assert await store.sent("stranger") is None
        assert (await store.stats()).outbox == 1

    async def test_proof_of_a_leased_reply_is_found_at_once(self, store: Store) -> None:
        """A handler of the news can ask which reply it was, before its holder has settled it; the settling keeps it."""
        await freeze(store, reply("key-1"))
        held = await lease(store, Side.OUT)

        await store.accept(news("key-1", status="delivered"))

        record = await store.sent("message-1")
        assert record is not None
        assert (record.key, record.event_id, record.status) == ("key-1", "event-of-key-1", "delivered")
        await store.settle(held.lane, held.token, Sent(message_id="message-1"))
        assert await store.sent("message-1") == record

    async def test_first_proof_of_a_leased_reply_counts(self, store: Store) -> None:
        """A second message under the same key is not what the reply is called."""
        await freeze(store, reply("key-1", names=["name"]))
        held = await lease(store, Side.OUT)
        await store.accept(news("key-1", message_id="message-1"))
        await store.accept(news("key-1", message_id="message-2"))
        await store.settle(held.lane, held.token, Wait(delay_ms=0, reason="no answer", ambiguous=True))

        assert (await store.facts(["name"]))["name"].value == b"message-1"

    async def test_repeated_news_of_a_leased_reply_changes_nothing(self, store: Store) -> None:
        """One record, one message counted."""
        await freeze(store, reply("key-1"))
        await lease(store, Side.OUT)
        await store.accept(news("key-1", status="delivered"))
        record = await store.sent("message-1")

        await store.accept(news("key-1", status="delivered"))

        assert await store.sent("message-1") == record


async def _status(store: Store) -> str:
    record = await store.sent("message-1")
    assert record is not None
    return record.status
