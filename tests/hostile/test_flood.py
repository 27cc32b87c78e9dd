"""More than a process can take, from people who proved nothing: memory, time and log lines stay bounded.

Held by counting before working: connections, webhooks at once, bytes and log lines have caps of their own.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.routing import Route

from linqbot.engine.ingress import Ingress, IngressLimits
from linqbot.protocol.sampling import Sampler
from linqbot.protocol.signature import parse_secrets
from linqbot.records import Accepted, Arrival, Limits
from linqbot.store.base import Store
from linqbot.store.open import open_store
from linqbot.testing.clock import TurnedClock
from tests.hostile.door import PATH
from tests.hostile.letters import SECRET, encoded, message, signature
from tests.store.redis_server import KINDS, session_url

BODY = encoded(message())


@asynccontextmanager
async def gate(
    limits: IngressLimits, clock: TurnedClock, seen: Callable[[Store], Any] = lambda store: store
) -> AsyncIterator[httpx.AsyncClient]:
    """Ingress alone, with limits small enough to meet, on a real store, or on what stands before it."""
    store = open_store(session_url(KINDS[0]), clock=clock, namespace="hostile-gate", limits=Limits())
    async with store:
        ingress = Ingress(
            seen(store),
            clock=clock,
            secrets=parse_secrets(SECRET),
            wanted=lambda _: True,
            random=lambda: 0.5,
            limits=limits,
        )
        app = Starlette(routes=[Route(PATH, ingress.receive, methods=["POST"])])
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://bot.test") as client:
            yield client


class Counted:
    """A store that counts who is with it, and lets them go when it is told."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.now = self.most = 0
        self.begun = asyncio.Event()
        self.full = asyncio.Event()
        self.goes_on = asyncio.Event()

    async def accept(self, arrival: Arrival) -> Accepted:
        """As the store does, later."""
        self.now += 1
        self.begun.set()
        self.most = max(self.most, self.now)
        if self.now == IngressLimits().stored_at_once:
            self.full.set()
        await self.goes_on.wait()
        self.now -= 1
        return await self._store.accept(arrival)


async def test_a_flood_of_genuine_webhooks_leaves_room_for_the_work_on_them(clock: TurnedClock) -> None:
    """So many at a time are with the store, the others wait for their turn, and all of them are kept."""
    stores: list[Counted] = []

    def seen(store: Store) -> Counted:
        stores.append(Counted(store))
        return stores[0]

    bodies = [encoded(message()) for _ in range(100)]
    async with gate(IngressLimits(), clock, seen) as client:
        proofs = [
            signature(body, now_ms=clock.now_ms(), webhook_id=f"w-{number}") for number, body in enumerate(bodies)
        ]
        posts = [client.post(PATH, content=body, headers=proof) for body, proof in zip(bodies, proofs, strict=True)]
        answers = asyncio.gather(*posts)
        await stores[0].full.wait()
        for _ in range(10):
            await asyncio.sleep(0)
        stores[0].goes_on.set()

        assert {answer.status_code for answer in await answers} == {200}
    assert stores[0].most == IngressLimits().stored_at_once


async def test_a_webhook_does_not_wait_long_for_its_turn(clock: TurnedClock) -> None:
    """A slow store makes a long queue, and Linq waits 10 seconds for an answer: who has no turn soon is to come again."""
    stores: list[Counted] = []

    def seen(store: Store) -> Counted:
        stores.append(Counted(store))
        return stores[0]

    first, second = encoded(message()), encoded(message())
    async with gate(IngressLimits(stored_at_once=1, turn_s=0.05), clock, seen) as client:
        proofs = [signature(body, now_ms=clock.now_ms(), webhook_id="w") for body in (first, second)]
        kept = asyncio.ensure_future(client.post(PATH, content=first, headers=proofs[0]))
        await stores[0].begun.wait()
        late = await client.post(PATH, content=second, headers=proofs[1])
        stores[0].goes_on.set()

        assert (late.status_code, (await kept).status_code) == (503, 200)
        assert int(late.headers["retry-after"]) > 0


class Drip:
    """A body that comes in pieces, the next one when it is let."""

    def __init__(self, *pieces: bytes) -> None:
        self._pieces = pieces
        self.begun = asyncio.Event()
        self.let = asyncio.Event()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            yield piece
            self.begun.set()
        await self.let.wait()


async def test_h6_a_body_that_never_ends_is_408(clock: TurnedClock) -> None:
    """One deadline runs over the whole body, not over each piece of it, so no drip keeps a place for ever."""
    async with gate(IngressLimits(body_s=0.05), clock) as client:
        answer = await client.post(PATH, content=Drip(b"{"))

    assert answer.status_code == 408
    assert answer.headers["connection"] == "close"


async def test_h6_linq_gets_ten_seconds() -> None:
    """The deadline that production runs with is the one that Linq itself has."""
    assert IngressLimits().body_s == 10.0


async def test_h5_all_bodies_together_are_bounded(clock: TurnedClock) -> None:
    """Bodies share one room of memory while they are read: who finds it full is told 503, at once."""
    async with gate(IngressLimits(bytes_at_once=1_000), clock) as client:
        slow = Drip(b"x" * 600)
        first = asyncio.create_task(client.post(PATH, content=slow))
        await slow.begun.wait()
        crowded = await client.post(PATH, content=b"x" * 600)
        slow.let.set()
        answered = await first

    assert crowded.status_code == 503
    assert crowded.headers["connection"] == "close"
    assert answered.status_code == 401


async def test_h5_room_is_given_back_however_a_body_ends(clock: TurnedClock) -> None:
    """Refused, too large, too slow, too much or whole: afterwards there is as much room as before."""
    async with gate(IngressLimits(bytes_at_once=1_000, body_bytes=900, body_s=0.05), clock) as client:
        for _ in range(3):
            await client.post(PATH, content=b"x" * 800)
            await client.post(PATH, content=b"x" * 950)
            await client.post(PATH, content=Drip(b"x" * 500))
            await client.post(PATH, content=Drip(b"x" * 600, b"x" * 600))
        proof = signature(b"x" * 899, now_ms=clock.now_ms())
        last = await client.post(PATH, content=b"x" * 899, headers=proof)

    assert last.status_code == 200


async def test_h15_one_more_than_fit_is_503(clock: TurnedClock) -> None:
    """The count of webhooks in hand has a cap, checked before anything is read."""
    async with gate(IngressLimits(at_once=2), clock) as client:
        slow = [Drip(b"x"), Drip(b"x")]
        waiting = [asyncio.create_task(client.post(PATH, content=one)) for one in slow]
        await asyncio.gather(*(one.begun.wait() for one in slow))
        crowded = await client.post(PATH, content=BODY, headers=signature(BODY, now_ms=clock.now_ms()))
        for one in slow:
            one.let.set()
        await asyncio.gather(*waiting)
        later = await client.post(PATH, content=BODY, headers=signature(BODY, now_ms=clock.now_ms()))

    assert crowded.status_code == 503
    assert later.status_code == 200


def test_h15_lines_of_one_name_are_bounded_and_counted() -> None:
    """Five lines a second pass for each reason; the next one that passes tells how many did not."""
    sampler = Sampler()

    passed = [sampler.take("forged", at) for at in range(0, 3_000, 10)]

    assert [left_out for left_out in passed if left_out is not None] == [0] * 5 + [95] + [0] * 4 + [95] + [0] * 4


def test_h15_names_do_not_hide_one_another() -> None:
    """Each reason has its own count: a genuine webhook that comes too late is told among any number of forged ones."""
    sampler = Sampler()
    for _ in range(100):
        sampler.take("forged", 0)

    assert sampler.take("stale", 0) == 0


def test_h15_a_window_begins_anew_when_a_clock_was_set_back() -> None:
    """Lines are never silenced for longer than a window, whatever the clock does."""
    sampler = Sampler(most=1, window_ms=1_000)

    assert [sampler.take("a", at) for at in (5_000, 5_500, 100, 200, 1_200)] == [0, None, 1, None, 1]
