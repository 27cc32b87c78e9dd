"""What should never happen is done to the keys by hand; a sweep puts the lanes in order again, and events flow."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from linqbot.ids import random_token
from linqbot.records import Limits, Side
from linqbot.store.redis.store import RedisStore
from linqbot.testing.clock import TurnedClock
from linqbot.testing.store_contract.samples import LANE, arrival, drain, lease
from tests.store.redis_server import KINDS, empty, lane_keys, leaks, raw, session_url

NAMESPACE = "sweep"
PREFIX = "lb1:{sweep.0}:"


@pytest.fixture(params=KINDS)
async def url(request: pytest.FixtureRequest) -> AsyncIterator[str]:
    """A server without keys of this namespace."""
    url = session_url(request.param)
    await empty(url, (NAMESPACE,))
    yield url
    assert await leaks(url, NAMESPACE) == []


@pytest.fixture
async def store(url: str, clock: TurnedClock) -> AsyncIterator[RedisStore]:
    """An empty store."""
    async with RedisStore(url, clock=clock, namespace=NAMESPACE, limits=Limits()) as opened:
        yield opened


@pytest.fixture
async def client(url: str) -> AsyncIterator[Redis]:
    """A hand that breaks things."""
    async with raw(url) as opened:
        yield opened


async def test_a_lane_in_no_place_becomes_ready(store: RedisStore, client: Redis) -> None:
    """Its events are handled after all."""
    await store.accept(arrival("e1"))
    await client.zrem(f"{PREFIX}in:ready", LANE)
    assert await store.sweep() == 1
    assert await drain(store) == ["e1"]


async def test_many_lanes_in_no_place_are_found_bit_by_bit(store: RedisStore, client: Redis) -> None:
    """A sweep does a bounded amount and goes on where it stopped."""
    for number in range(500):
        await store.accept(arrival(f"e{number}", f"chat:{number}"))
    await client.delete(f"{PREFIX}in:ready")
    repaired = [await store.sweep() for _ in range(12)]
    assert max(repaired) < 500
    assert sum(repaired) == 500
    assert len(await drain(store)) == 500


async def test_a_lane_without_events_is_removed(store: RedisStore, client: Redis, url: str) -> None:
    """Nothing of it stays."""
    await store.accept(arrival("e1"))
    await lease(store)
    await client.delete(f"{PREFIX}in:q:{LANE}")
    assert await store.sweep() >= 1
    assert await lane_keys(url, NAMESPACE) == set()
    assert await store.sweep() == 0


async def test_a_lane_that_nobody_registered_is_found_in_its_place(store: RedisStore, client: Redis) -> None:
    """The register of lanes is made whole."""
    await store.accept(arrival("e1"))
    await client.delete(f"{PREFIX}in:lanes")
    assert await store.sweep() == 1
    assert await client.smembers(f"{PREFIX}in:lanes") == {LANE.encode()}


async def test_a_lane_in_two_places_stays_in_one(store: RedisStore, client: Redis) -> None:
    """A lease counts more than readiness, so that nobody else takes the lane."""
    await store.accept(arrival("e1"))
    held = await lease(store)
    await client.zadd(f"{PREFIX}in:ready", {LANE: 0})
    assert await store.sweep() == 1
    assert (await store.lease(Side.IN, [random_token()])).taken == ()
    assert await store.release(Side.IN, LANE, held.token)


async def test_a_lease_far_in_the_future_is_cut_to_one(store: RedisStore, client: Redis, clock: TurnedClock) -> None:
    """A clock that jumped back would hold the chat for hours otherwise."""
    await store.accept(arrival("e1"))
    held = await lease(store)
    await client.zadd(f"{PREFIX}in:leased", {LANE: held.until_ms + 3_600_000})
    assert await store.sweep() == 1
    clock.advance(seconds=31)
    assert (await lease(store)).stalls == 1


async def test_a_token_of_no_lease_is_forgotten(store: RedisStore, client: Redis) -> None:
    """Tokens do not pile up."""
    await store.accept(arrival("e1"))
    await client.hset(f"{PREFIX}in:tokens", "stray", LANE)
    assert await store.sweep() == 1
    assert await client.exists(f"{PREFIX}in:tokens") == 0
