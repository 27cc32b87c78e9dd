"""Calls of one turn travel together; waiting costs a connection only while somebody waits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from linqbot.ids import random_token
from linqbot.records import Accepted, Arrival, Commit, InboxItem, Limits, OutboxItem, Request, Sent, Side
from linqbot.store.redis.bell import PASS_ON_S
from linqbot.store.redis.store import RedisStore
from linqbot.testing.clock import TurnedClock
from tests.store.redis_server import KINDS, empty, leaks, raw, session_url
from tests.store.tls_proxy import Proxy

NAMESPACE = "line"
REPLY = OutboxItem(
    key="k1",
    lane="chat:a",
    event_id="e1",
    handler="echo",
    position=0,
    request=Request(method="POST", path="/v3/chats/a/messages", body=b"{}"),
)


def event(event_id: str) -> Arrival:
    item = InboxItem(event_id=event_id, lane=f"chat:{event_id}", type="message.received", body=b"{}")
    return Arrival(remember=(event_id,), item=item)


@pytest.fixture(params=KINDS)
async def url(request: pytest.FixtureRequest) -> AsyncIterator[str]:
    """A server without keys of this namespace."""
    url = session_url(request.param)
    await empty(url, (NAMESPACE,))
    yield url
    assert await leaks(url, NAMESPACE) == []


def store_at(url: str, clock: TurnedClock) -> RedisStore:
    return RedisStore(url, clock=clock, namespace=NAMESPACE, limits=Limits())


@pytest.fixture
async def proxy(url: str) -> AsyncIterator[Proxy]:
    """A way to the server that can be watched and broken."""
    async with Proxy(int(url.rsplit(":", 1)[1].partition("/")[0])) as opened:
        yield opened


@pytest.fixture
async def store(url: str, clock: TurnedClock) -> AsyncIterator[RedisStore]:
    """An empty store."""
    async with store_at(url, clock) as opened:
        yield opened


async def blocked_clients(url: str, count: int) -> None:
    """Return when so many connections block."""
    async with raw(url) as client:
        while (await client.info("clients"))["blocked_clients"] != count:
            pass


async def test_calls_of_one_turn_are_one_request(proxy: Proxy, clock: TurnedClock) -> None:
    """Thirty-two callers, one write to the server."""
    async with store_at(f"redis://127.0.0.1:{proxy.port}/0", clock) as store:
        await store.accept(event("warm"))
        before = proxy.requests
        results = await asyncio.gather(*(store.accept(event(f"e{n}")) for n in range(32)))
        assert (set(results), proxy.requests - before) == ({Accepted.ACCEPTED}, 1)


async def test_calls_of_one_turn_run_in_their_order(store: RedisStore) -> None:
    """The first of two arrivals of one event is the accepted one."""
    results = await asyncio.gather(store.accept(event("e1")), store.accept(event("e1")))
    assert results == [Accepted.ACCEPTED, Accepted.DUPLICATE]


async def test_a_cancelled_caller_disturbs_nobody(store: RedisStore) -> None:
    """The others of its pipeline get their own answers."""
    calls = [asyncio.ensure_future(store.accept(event(f"e{n % 5}"))) for n in range(10)]
    await asyncio.wait(calls[:1], timeout=0)
    calls[2].cancel()
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert isinstance(results.pop(2), asyncio.CancelledError)
    assert results == [Accepted.ACCEPTED] * 4 + [Accepted.DUPLICATE] * 5


async def test_a_thousand_callers_are_all_answered(store: RedisStore) -> None:
    """More than a pipeline holds and more than are under way wait their turn."""
    results = await asyncio.gather(*(store.accept(event(f"e{n}")) for n in range(1_000)))
    assert results == [Accepted.ACCEPTED] * 1_000
    assert (await store.stats()).inbox == 1_000


async def test_text_that_cannot_be_encoded_fails_its_caller_only(store: RedisStore) -> None:
    """A lone surrogate in an id is one caller's error."""
    bad, good = await asyncio.gather(store.sent("\ud83d"), store.sent("m1"), return_exceptions=True)
    assert isinstance(bad, UnicodeEncodeError)
    assert good is None


async def test_a_look_travels_right_behind_what_it_looks_for(url: str, proxy: Proxy, clock: TurnedClock) -> None:
    """Who waits begins to look while the event is still on its way, finds it in the same round trip, and is not woken for
    it once more."""
    async with store_at(f"redis://127.0.0.1:{proxy.port}/0", clock) as store:
        waiting = asyncio.ensure_future(store.wait(Side.IN, 60_000))
        await blocked_clients(url, 1)
        proxy.answering.clear()
        accepting = asyncio.ensure_future(store.accept(event("e1")))
        await asyncio.wait_for(waiting, 4)
        looking = asyncio.ensure_future(store.lease(Side.IN, [random_token()]))
        await asyncio.wait([accepting, looking], timeout=0)
        assert not accepting.done()
        proxy.answering.set()
        assert (await accepting, len((await looking).taken)) == (Accepted.ACCEPTED, 1)
        done, _ = await asyncio.wait([asyncio.ensure_future(store.wait(Side.IN, 60_000))], timeout=0.05)
        assert done == set()


async def test_an_event_whose_connection_broke_wakes_again(url: str, proxy: Proxy, clock: TurnedClock) -> None:
    """The look may now come before the event: then the event wakes whoever looked in vain."""
    async with store_at(f"redis://127.0.0.1:{proxy.port}/0", clock) as store:
        for n in range(10):
            assert (await store.lease(Side.IN, [random_token()])).taken == ()  # a ring left over is forgotten
            waiting = asyncio.ensure_future(store.wait(Side.IN, 60_000))
            await blocked_clients(url, 1)
            proxy.losses = 1
            accepting = asyncio.ensure_future(store.accept(event(f"e{n}")))
            await asyncio.wait_for(waiting, 4)
            while not (await store.lease(Side.IN, [random_token()])).taken:
                await asyncio.wait_for(store.wait(Side.IN, 60_000), 4)
            assert await accepting is Accepted.ACCEPTED


async def test_an_event_whose_script_must_be_told_anew_wakes_again(store: RedisStore, url: str) -> None:
    """A server that restarted knows no script: the look may overtake the event, which then wakes whoever looked in vain."""
    async with raw(url) as client:
        await client.script_flush()
    assert (await store.lease(Side.IN, [random_token()])).taken == ()
    waiting = asyncio.ensure_future(store.wait(Side.IN, 60_000))
    await blocked_clients(url, 1)
    accepting = asyncio.ensure_future(store.accept(event("e1")))
    await asyncio.wait_for(waiting, 4)
    while not (await store.lease(Side.IN, [random_token()])).taken:
        await asyncio.wait_for(store.wait(Side.IN, 60_000), 4)
    assert await accepting is Accepted.ACCEPTED


async def test_another_process_wakes_a_waiter(store: RedisStore, url: str, clock: TurnedClock) -> None:
    """An event accepted elsewhere ends the wait, long before its time-out."""
    waiting = asyncio.ensure_future(store.wait(Side.IN, 60_000))
    await blocked_clients(url, 1)
    async with store_at(url, clock) as other:
        await other.accept(event("e1"))
        await asyncio.wait_for(waiting, 4)


async def test_a_wake_up_reaches_whoever_still_waits(store: RedisStore, url: str, clock: TurnedClock) -> None:
    """The connection of a process that no longer waits gives the wake-up back."""
    gone = asyncio.ensure_future(store.wait(Side.IN, 60_000))
    await blocked_clients(url, 1)
    gone.cancel()
    async with store_at(url, clock) as patient, store_at(url, clock) as third:
        waiting = asyncio.ensure_future(patient.wait(Side.IN, 60_000))
        await blocked_clients(url, 2)
        await third.accept(event("e1"))
        await asyncio.wait_for(waiting, 4)


async def test_what_was_taken_elsewhere_wakes_nobody_later(store: RedisStore, url: str, clock: TurnedClock) -> None:
    """A process that only takes webhooks does not tell of each of them twice: its own ring that nobody hears is no debt."""
    async with store_at(url, clock) as other:
        await store.accept(event("e1"))
        assert len((await other.lease(Side.IN, [random_token()])).taken) == 1
        done, _ = await asyncio.wait([asyncio.ensure_future(other.wait(Side.IN, 60_000))], timeout=6 * PASS_ON_S)
        assert done == set()


async def test_no_other_process_is_woken_for_who_is_just_looking(store: RedisStore, url: str) -> None:
    """Who looked in vain hears of the event that came meanwhile, and takes it."""
    looking = asyncio.ensure_future(store.lease(Side.IN, [random_token()]))
    accepting = asyncio.ensure_future(store.accept(event("e1")))
    assert (await looking).taken == ()
    assert await accepting is Accepted.ACCEPTED
    async with raw(url) as client:
        assert await client.exists("lb1:{line.0}:in:wake") == 0
    await asyncio.wait_for(store.wait(Side.IN, 60_000), 4)
    assert len((await store.lease(Side.IN, [random_token()])).taken) == 1


async def test_what_who_was_looking_leaves_is_passed_on(store: RedisStore, url: str, clock: TurnedClock) -> None:
    """If they do not come back, having their hands full, somebody else is woken, long before a time-out."""
    async with store_at(url, clock) as other:
        waiting = asyncio.ensure_future(other.wait(Side.IN, 60_000))
        await blocked_clients(url, 1)
        looking = asyncio.ensure_future(store.lease(Side.IN, [random_token()]))
        await asyncio.gather(looking, store.accept(event("e1")))
        assert looking.result().taken == ()
        await asyncio.wait_for(waiting, 4)


async def test_closing_passes_on_what_nobody_took(url: str, clock: TurnedClock) -> None:
    """A process that leaves right after it looked takes no wake-up along."""
    async with store_at(url, clock) as other:
        waiting = asyncio.ensure_future(other.wait(Side.IN, 60_000))
        await blocked_clients(url, 1)
        async with store_at(url, clock) as store:
            await asyncio.gather(store.lease(Side.IN, [random_token()]), store.accept(event("e1")))
        await asyncio.wait_for(waiting, 4)


async def test_lanes_left_behind_wake_the_next(store: RedisStore, url: str, clock: TurnedClock) -> None:
    """Who takes one of several ready lanes leaves a wake-up for the others."""
    await asyncio.gather(*(store.accept(event(f"e{n}")) for n in range(3)))
    async with store_at(url, clock) as other:
        await other.lease(Side.IN, [random_token() for _ in range(3)])
        await asyncio.gather(*(store.accept(event(f"f{n}")) for n in range(2)))
        await store.lease(Side.IN, [random_token()])
        await asyncio.wait_for(other.wait(Side.IN, 60_000), 4)
        assert len((await other.lease(Side.IN, [random_token()])).taken) == 1


async def test_a_lease_that_leaves_nothing_leaves_no_wake_ups(store: RedisStore, url: str) -> None:
    """Stale wake-ups would make an idle process spin."""
    await asyncio.gather(*(store.accept(event(f"e{n}")) for n in range(3)))
    await store.lease(Side.IN, [random_token() for _ in range(3)])
    async with raw(url) as client:
        assert await client.exists("lb1:{line.0}:in:wake") == 0


async def test_closing_ends_waits(url: str, clock: TurnedClock) -> None:
    """A store that is closed keeps nobody waiting."""
    store = store_at(url, clock)
    async with store:
        waiting = asyncio.ensure_future(store.wait(Side.OUT, 60_000))
        await blocked_clients(url, 1)
    await asyncio.wait_for(waiting, 4)


async def test_a_full_outbox_does_not_make_waiters_spin(url: str, clock: TurnedClock) -> None:
    """With the inbox held back there is nothing to wake for, until the outbox has room again."""
    async with RedisStore(url, clock=clock, namespace=NAMESPACE, limits=Limits(outbox_cap=1)) as store:
        await store.accept(event("e1"))
        (held,) = (await store.lease(Side.IN, [random_token()])).taken
        await store.commit(Commit(lane=held.lane, token=held.token, event_id="e1", replies=(REPLY,)))
        await store.accept(event("e2"))
        assert (await store.lease(Side.IN, [random_token()])).taken == ()
        async with raw(url) as client:
            assert await client.exists("lb1:{line.0}:in:wake") == 0
        waiting = asyncio.ensure_future(store.wait(Side.IN, 60_000))
        await blocked_clients(url, 1)
        (sending,) = (await store.lease(Side.OUT, [random_token()])).taken
        await store.settle(sending.lane, sending.token, Sent())
        await asyncio.wait_for(waiting, 4)
        assert len((await store.lease(Side.IN, [random_token()])).taken) == 1


async def test_closing_right_after_a_wait_began_is_quick(url: str, clock: TurnedClock) -> None:
    """Also when the waiting connection is just being made."""
    async with store_at(url, clock) as store:
        await store.wait(Side.IN, 0)
        await asyncio.wait_for(store.__aexit__(None, None, None), 2)
