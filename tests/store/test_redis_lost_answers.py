"""An answer is lost after the script ran: the client sends the script again, and nothing happens twice.

Held by tokens and ids: a script that ran before finds its own, and says so instead of doing it again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from linqbot.errors import StoreUnavailable
from linqbot.ids import random_token
from linqbot.records import (
    Accepted,
    Arrival,
    Commit,
    Committed,
    DeadLetter,
    Fact,
    InboxItem,
    Lease,
    Limits,
    OutboxItem,
    Receipt,
    Request,
    Sent,
    Side,
    StateWrite,
    Stats,
    TimerWrite,
    Wait,
)
from linqbot.store.redis.scripts import load_scripts
from linqbot.store.redis.store import RedisStore
from linqbot.testing.clock import TurnedClock
from tests.store.redis_server import KINDS, empty, leaks, raw, session_url
from tests.store.tls_proxy import Proxy

NAMESPACE = "lost"
LANE = "chat:a"
LIMITS = Limits(budget=1)


def event(event_id: str) -> Arrival:
    item = InboxItem(event_id=event_id, lane=LANE, type="message.received", body=b"{}")
    return Arrival(remember=(event_id,), item=item)


def reply(key: str, *, pair: str = "") -> OutboxItem:
    request = Request(method="POST", path="/v3/chats/a/messages", body=b"{}")
    return OutboxItem(key=key, lane=LANE, event_id="e1", handler="echo", position=0, request=request, pair=pair)


@pytest.fixture(params=KINDS)
async def line(request: pytest.FixtureRequest) -> AsyncIterator[Proxy]:
    """A line to the server that can be cut."""
    url = session_url(request.param)
    await empty(url, (NAMESPACE,))
    async with raw(url) as client:
        for script in load_scripts(LIMITS).values():
            await client.script_load(script.text)  # so that the first answer that is lost is not NOSCRIPT
    async with Proxy(int(url.rsplit(":", 1)[1].partition("/")[0])) as proxy:
        yield proxy
    assert await leaks(url, NAMESPACE) == []


@pytest.fixture
async def store(line: Proxy, clock: TurnedClock) -> AsyncIterator[RedisStore]:
    """A store at the other end, with a budget of one."""
    url = f"redis://127.0.0.1:{line.port}/0"
    async with RedisStore(url, clock=clock, namespace=NAMESPACE, limits=LIMITS) as opened:
        yield opened


async def held(store: RedisStore, side: Side = Side.IN) -> Lease:
    (lease,) = (await store.lease(side, [random_token()])).taken
    return lease


async def frozen(store: RedisStore, *replies: OutboxItem) -> None:
    await store.accept(event("e1"))
    lease = await held(store)
    assert (
        await store.commit(Commit(lane=LANE, token=lease.token, event_id="e1", replies=replies)) is Committed.COMMITTED
    )


async def test_s5_an_accept_whose_answer_was_lost_keeps_the_event_once(line: Proxy, store: RedisStore) -> None:
    """The repeat finds its own ids: DUPLICATE, and one event waits."""
    line.cuts = 1
    assert await store.accept(event("e1")) is Accepted.DUPLICATE
    assert await store.stats() == Stats(inbox=1, outbox=0, dead=0, timers=0)


async def test_s5_a_receipt_whose_answer_was_lost_ends_one_reply(line: Proxy, store: RedisStore) -> None:
    """The second reply of the lane stays."""
    await frozen(store, reply("k1"), reply("k2"))
    line.cuts = 1
    await store.accept(Arrival(receipt=Receipt(lane=LANE, key="k1", message_id="m1", status="sent")))
    assert (await store.stats()).outbox == 1


async def test_s5_a_fact_whose_answer_was_lost_is_learned(line: Proxy, store: RedisStore) -> None:
    """The repeat says the same once more."""
    fact = Fact(key="k", value=b"v", rank=7)
    line.cuts = 1
    await store.learn([fact])
    assert await store.facts(["k"]) == {"k": fact}


async def test_s5_a_post_whose_answer_was_lost_is_appended_once(line: Proxy, store: RedisStore) -> None:
    """The repeat finds its own name."""
    line.cuts = 1
    assert await store.post([replace(reply("k1"), once="send")]) is Accepted.DUPLICATE
    assert (await store.stats()).outbox == 1


async def test_s5_a_pass_whose_answer_was_lost_moves_the_lane_once(line: Proxy, store: RedisStore) -> None:
    """The repeat says False; what waited is in the chat's lane, once."""
    await store.post([replace(reply(key), lane="to:a") for key in ("k1", "k2")])
    lease = await held(store, Side.OUT)
    line.cuts = 1
    assert not await store.settle(lease.lane, lease.token, Sent(message_id="m1", passes_to=LANE))
    assert (await store.stats()).outbox == 1
    assert (await held(store, Side.OUT)).lane == LANE


async def test_s5_a_lease_whose_answer_was_lost_is_given_again(line: Proxy, store: RedisStore) -> None:
    """The lane comes under the same token, without a stall."""
    await store.accept(event("e1"))
    line.cuts = 1
    lease = await held(store)
    assert (lease.lane, lease.stalls) == (LANE, 0)


async def test_s5_a_lease_whose_answer_was_lost_spends_its_budget_once(line: Proxy, store: RedisStore) -> None:
    """A budget of one unit is enough for the lease and its repeat."""
    await frozen(store, reply("k1", pair="p"))
    line.cuts = 1
    lease = await held(store, Side.OUT)
    assert lease.reply is not None
    assert lease.reply.key == "k1"


async def test_s5_a_beat_whose_answer_was_lost_keeps_the_lease(line: Proxy, store: RedisStore) -> None:
    """Nothing is reported as lost."""
    await store.accept(event("e1"))
    lease = await held(store)
    line.cuts = 1
    assert await store.beat(Side.IN, [(LANE, lease.token)]) == frozenset()


async def test_s5_a_release_whose_answer_was_lost_is_done(line: Proxy, store: RedisStore) -> None:
    """The repeat says False; the lane is ready, once."""
    await store.accept(event("e1"))
    lease = await held(store)
    line.cuts = 1
    assert not await store.release(Side.IN, LANE, lease.token)
    taken = (await store.lease(Side.IN, [random_token(), random_token()])).taken
    assert [one.lane for one in taken] == [LANE]


async def test_s5_a_retry_whose_answer_was_lost_counts_once(line: Proxy, store: RedisStore) -> None:
    """The repeat says False; one attempt is burnt."""
    await store.accept(event("e1"))
    lease = await held(store)
    line.cuts = 1
    assert not await store.retry(LANE, lease.token, delay_ms=0)
    assert (await held(store)).attempts == 1


async def test_s5_a_commit_whose_answer_was_lost_is_done_once(
    line: Proxy, store: RedisStore, clock: TurnedClock
) -> None:
    """The repeat is STALE; replies, state and timers are there once."""
    await store.accept(event("e1"))
    lease = await held(store)
    line.cuts = 1
    commit = Commit(
        lane=LANE,
        token=lease.token,
        event_id="e1",
        replies=(reply("k1"),),
        state=(StateWrite(key="s", expected=0, value=b"v"),),
        timers=(TimerWrite(key="t", due_ms=clock.now_ms() + 60_000, item=event("t1").item),),
    )
    assert await store.commit(commit) is Committed.STALE
    assert await store.stats() == Stats(inbox=0, outbox=1, dead=0, timers=1)
    assert (await store.load(["s"]))["s"].value == b"v"


async def test_s5_a_bubble_whose_answer_was_lost_is_frozen_once(line: Proxy, store: RedisStore) -> None:
    """The repeat of a partial commit is COMMITTED and appends nothing."""
    await store.accept(event("e1"))
    lease = await held(store)
    line.cuts = 1
    bubble = Commit(lane=LANE, token=lease.token, event_id="e1", take=0, replies=(reply("k1"),))
    assert await store.commit(bubble) is Committed.COMMITTED
    assert (await store.stats()).outbox == 1


async def test_s5_a_note_whose_answer_was_lost_is_kept(line: Proxy, store: RedisStore) -> None:
    """The repeat returns the value of the first run."""
    await store.accept(event("e1"))
    lease = await held(store)
    line.cuts = 1
    assert await store.note(LANE, lease.token, "n", b"v") == b"v"


async def test_s5_a_settle_whose_answer_was_lost_ends_one_reply(line: Proxy, store: RedisStore) -> None:
    """The repeat says False; the next reply of the lane stays."""
    await frozen(store, reply("k1"), reply("k2"))
    lease = await held(store, Side.OUT)
    line.cuts = 1
    assert not await store.settle(LANE, lease.token, Sent(message_id="m1"))
    assert (await store.stats()).outbox == 1
    record = await store.sent("m1")
    assert record is not None
    assert record.key == "k1"


async def test_s5_a_wait_whose_answer_was_lost_burns_once(line: Proxy, store: RedisStore) -> None:
    """The repeat says False; one attempt is burnt."""
    await frozen(store, reply("k1"))
    lease = await held(store, Side.OUT)
    line.cuts = 1
    assert not await store.settle(LANE, lease.token, Wait(delay_ms=0, reason="later", burn=True))
    assert (await held(store, Side.OUT)).attempts == 1


async def test_s5_a_dead_letter_whose_answer_was_lost_is_kept_once(line: Proxy, store: RedisStore) -> None:
    """The repeat replaces it; a drop that is repeated finds nothing."""
    line.cuts = 1
    await store.bury(DeadLetter(id="d", kind="event", reason="gave up"))
    assert [letter.id for letter in await store.dead()] == ["d"]
    line.cuts = 1
    assert not await store.drop("event", "d")
    assert await store.dead() == []


async def test_s5_a_sweep_whose_answer_was_lost_does_no_harm(line: Proxy, store: RedisStore) -> None:
    """A leased lane stays leased."""
    await store.accept(event("e1"))
    lease = await held(store)
    line.cuts = 1
    assert await store.sweep() == 0
    assert await store.beat(Side.IN, [(LANE, lease.token)]) == frozenset()


async def test_s5_an_answer_lost_again_and_again_is_an_unavailable_store(line: Proxy, store: RedisStore) -> None:
    """After three losses the caller hears of it; the event is kept once all the same."""
    line.cuts = 3
    with pytest.raises(StoreUnavailable):
        await store.accept(event("e1"))
    assert await store.stats() == Stats(inbox=1, outbox=0, dead=0, timers=0)


async def test_s5_calls_of_one_turn_share_a_pipeline_and_its_fate(line: Proxy, store: RedisStore) -> None:
    """A lost answer is lost to all of them; each is repeated, none is done twice."""
    line.cuts = 1
    results = await asyncio.gather(*(store.accept(event(f"e{i}")) for i in range(20)))
    assert set(results) == {Accepted.DUPLICATE}
    assert (await store.stats()).inbox == 20
