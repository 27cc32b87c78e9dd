"""keys.py is the truth about what lies in Redis, and the checker of leaks can find leaks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from linqbot.ids import random_token
from linqbot.records import (
    Arrival,
    Commit,
    DeadLetter,
    Fact,
    InboxItem,
    Limits,
    OutboxItem,
    Request,
    Sent,
    Side,
    StateWrite,
    TimerWrite,
    Wait,
)
from linqbot.store.redis.entries import bucket_count
from linqbot.store.redis.keys import KEYS, prefix, spec_of
from linqbot.store.redis.store import RedisStore
from linqbot.testing.clock import TurnedClock
from tests.store.redis_server import KINDS, Server, empty, leaks, raw, session_url

NAMESPACE = "keys"


@pytest.fixture(params=KINDS)
async def url(request: pytest.FixtureRequest) -> str:
    """A server without keys of this namespace."""
    url = session_url(request.param)
    await empty(url, (NAMESPACE,))
    return url


@pytest.fixture
async def store(url: str, clock: TurnedClock) -> AsyncIterator[RedisStore]:
    """An empty store."""
    limits = Limits(line_budget=100, line_day_budget=1_000)
    async with RedisStore(url, clock=clock, namespace=NAMESPACE, limits=limits) as opened:
        yield opened


async def kinds_of_keys(url: str) -> set[str]:
    """The patterns of all keys that are there."""
    found = set()
    async with raw(url) as client:
        async for key in client.scan_iter(match=prefix(NAMESPACE) + "*"):
            spec = spec_of(key.decode(), NAMESPACE)
            assert spec is not None, key
            found.add(spec.pattern)
    return found


def item(event_id: str) -> InboxItem:
    return InboxItem(event_id=event_id, lane="chat:a", type="message.received", body=b"{}")


async def journey(store: RedisStore, clock: TurnedClock) -> None:
    """One of everything: an event, its reply under a budget, state, a timer, a dead letter, a delay, a wake-up."""
    for event_id in ("e1", "e2"):
        await store.accept(Arrival(remember=(event_id,), item=item(event_id)))
    (held,) = (await store.lease(Side.IN, [random_token()])).taken
    await store.note(held.lane, held.token, "n", b"v")
    request = Request(method="POST", path="/v3/chats/a/messages", body=b"{}")
    replies = tuple(
        OutboxItem(
            key=key,
            lane=lane,
            event_id="e1",
            handler="h",
            position=0,
            request=request,
            pair=f"pair:{lane}",
            line="line",
        )
        for key, lane in (("k1", "chat:a"), ("k2", "chat:b"))
    )
    await store.commit(
        Commit(
            lane=held.lane,
            token=held.token,
            event_id="e1",
            replies=replies,
            dead=(DeadLetter(id="e1", kind="reply", reason="refused"),),
            state=(StateWrite(key="s", expected=0, value=b"v"),),
            timers=(TimerWrite(key="t", due_ms=clock.now_ms() + 60_000, item=item("t1")),),
        )
    )
    (held,) = (await store.lease(Side.IN, [random_token()])).taken
    await store.retry(held.lane, held.token, delay_ms=1_000)
    await store.lease(Side.OUT, [random_token()])
    await store.learn([Fact(key="f", value=b"v")])
    await store.ping()


async def test_every_key_of_a_journey_is_in_the_list(store: RedisStore, url: str, clock: TurnedClock) -> None:
    """With its type, and with a TTL exactly where the list says so."""
    await journey(store, clock)
    assert await leaks(url, NAMESPACE) == []


async def test_every_kind_of_the_list_exists(store: RedisStore, url: str, clock: TurnedClock) -> None:
    """The list names nothing that no script writes."""
    await journey(store, clock)
    seen = await kinds_of_keys(url)
    await store.accept(Arrival(remember=("e3",), item=replace(item("e3"), lane="chat:b")))
    await store.accept(Arrival(remember=("e4",), item=replace(item("e4"), lane="chat:c")))
    await store.lease(Side.IN, [random_token()])
    (held,) = (await store.lease(Side.OUT, [random_token()])).taken
    await store.settle(held.lane, held.token, Wait(delay_ms=1_000, reason="later"))
    seen |= await kinds_of_keys(url)
    clock.advance(minutes=2)
    (held,) = (await store.lease(Side.OUT, [random_token()])).taken
    await store.settle(held.lane, held.token, Sent(message_id="m1"))
    seen |= await kinds_of_keys(url)
    assert {spec.pattern for spec in KEYS} == seen


async def test_idle_lanes_leave_no_keys(store: RedisStore, url: str, clock: TurnedClock) -> None:
    """When all is done and forgotten, counters are all that is left for good, beside what its writer wants kept."""
    await journey(store, clock)
    clock.advance(minutes=2)
    while (taken := (await store.lease(Side.IN, [random_token()])).taken) != ():
        await store.commit(Commit(lane=taken[0].lane, token=taken[0].token, event_id="e"))
    while (taken := (await store.lease(Side.OUT, [random_token()])).taken) != ():
        await store.settle(taken[0].lane, taken[0].token, Sent(message_id=f"m-{taken[0].lane}"))
    await store.drop("reply", "e1")
    forever = {spec.pattern for spec in KEYS if spec.ttl is False}
    assert await kinds_of_keys(url) & forever == {"meta"}


async def test_a_cooldown_leaves_no_key(store: RedisStore, url: str) -> None:
    """What is written for a time goes by itself."""
    await store.accept(Arrival(remember=("e1",), item=item("e1")))
    (held,) = (await store.lease(Side.IN, [random_token()])).taken
    write = StateWrite(key="cooldown", expected=0, value=b"1", ttl_ms=60_000)
    await store.commit(Commit(lane=held.lane, token=held.token, event_id="e1", state=(write,)))

    async with raw(url) as client:
        assert 0 < await client.pttl(prefix(NAMESPACE) + "state:cooldown") <= 60_000


async def test_a_key_that_is_not_in_the_list_is_a_leak(store: RedisStore, url: str) -> None:
    """The checker sees a stranger."""
    async with raw(url) as client:
        await client.set(prefix(NAMESPACE) + "surprise", "x")
    assert await leaks(url, NAMESPACE) == ["lb1:{keys.0}:surprise is not in keys.py"]


async def test_a_key_without_its_ttl_is_a_leak(store: RedisStore, url: str) -> None:
    """The checker sees what would stay for ever."""
    async with raw(url) as client:
        await client.rpush(prefix(NAMESPACE) + "in:wake", "1")
    assert await leaks(url, NAMESPACE) == ["lb1:{keys.0}:in:wake lacks its TTL"]


async def test_namespaces_share_nothing(store: RedisStore, url: str, clock: TurnedClock) -> None:
    """All keys of a store lie under its own prefix and hash tag."""
    await empty(url, ("other",))
    async with raw(url) as client:
        before = await client.dbsize()
        async with RedisStore(url, clock=clock, namespace="other", limits=Limits()) as other:
            await other.accept(Arrival(remember=("e1",), item=item("e1")))
        added = await client.dbsize() - before
        assert added == len([key async for key in client.scan_iter(match="lb1:{other.0}:*", count=1000)])
    await empty(url, ("other",))


@pytest.mark.parametrize("kind", KINDS)
async def test_a_remembered_id_costs_at_most_forty_bytes(kind: str, clock: TurnedClock) -> None:
    """Measured on the server at 100,000 ids with the default capacity."""
    with Server(kind) as server:
        async with RedisStore(server.url, clock=clock, namespace=NAMESPACE, limits=Limits()) as store:
            await store.accept(Arrival(remember=("warm",)))
            async with raw(server.url) as client:
                before = (await client.info("memory"))["used_memory"]
                for start in range(0, 100_000, 500):
                    await store.accept(Arrival(remember=tuple(f"event-{n}" for n in range(start, start + 500))))
                grown = (await client.info("memory"))["used_memory"] - before
    assert grown / 100_000 <= 40


async def test_full_buckets_are_compact(url: str, clock: TurnedClock) -> None:
    """At the capacity they were sized for, buckets are packed blocks, not hash tables."""
    async with RedisStore(url, clock=clock, namespace=NAMESPACE, limits=Limits(dedupe_capacity=10_000)) as store:
        for start in range(0, 10_000, 500):
            await store.accept(Arrival(remember=tuple(f"event-{n}" for n in range(start, start + 500))))
    async with raw(url) as client:
        keys = [key async for key in client.scan_iter(match=prefix(NAMESPACE) + "id:*", count=1000)]
        encodings = {(await client.object("encoding", key)).decode() for key in keys}
    assert len(keys) == bucket_count(10_000)
    assert encodings <= {"listpack", "ziplist"}


def test_a_million_ids_get_8192_buckets() -> None:
    """122 ids in each, under the 128 that the strictest servers keep packed."""
    assert bucket_count(1_000_000) == 8_192
