"""Events that an earlier release wanted and this one has no handler for: they wait for a release that has, and are never
dropped in silence.

Held by a note of when the event was first met without a handler, kept with the event, and by delays that burn no
attempt.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from linqbot import Event, Message, Router
from linqbot.engine.worker import Worker
from linqbot.handling.runner import Runner
from linqbot.protocol.parking import PARKED_MS
from linqbot.records import Arrival, Limits
from linqbot.store.base import Store
from linqbot.store.open import open_store
from linqbot.testing import TurnedClock
from tests.handling.conftest import received

LONG = Limits(lease_ms=3_600_000)
"""Tests turn the clock by minutes, faster than any heart beats."""
SOON_S = 10.0

REMOVED = "reaction.added"
"""What the old release has a handler for, and the new one has not."""


class Deploy:
    """Releases on one store, side by side or one after another."""

    def __init__(self, store: Store, clock: TurnedClock) -> None:
        self.store = store
        self.clock = clock
        self.handled: list[str] = []
        self.failures = 0
        """How many more runs of the old release's handler fail."""

    @asynccontextmanager
    async def old(self) -> AsyncIterator[None]:
        """The release that has the handler, for two attempts."""
        router = Router()

        @router.event(REMOVED, attempts=2)
        async def reacted(event: Event) -> None:
            self.failures -= 1
            if self.failures >= 0:
                raise RuntimeError("not yet")
            self.handled.append(event.event_id)

        async with self._at_work(router):
            yield

    @asynccontextmanager
    async def new(self) -> AsyncIterator[None]:
        """The release that answers messages only."""
        router = Router()

        @router.message()
        async def answered(message: Message) -> None:
            self.handled.append(message.event_id)

        async with self._at_work(router):
            yield

    async def queue(self, event_id: str, event_type: str = REMOVED) -> None:
        """An event that waits in the chat."""
        body = {"chat": {"id": "c"}} if event_type == REMOVED else None
        await self.store.accept(Arrival(item=received("hi", event_id=event_id, event_type=event_type, body=body)))

    async def until(self, true: Callable[[], Awaitable[object]], *, step_s: float = 0.0) -> None:
        """Turn the clock step by step until something is so."""
        async with asyncio.timeout(SOON_S):
            while not await true():
                self.clock.advance(seconds=step_s)
                await asyncio.sleep(0.002)  # another task has to move; there is no event to wait for

    async def passes(self, seconds: float) -> None:
        """Let time go by, slowly enough for everybody to do what falls due."""
        end_ms = self.clock.now_ms() + seconds * 1000

        async def over() -> bool:
            return self.clock.now_ms() >= end_ms

        await self.until(over, step_s=1.0)

    async def given_up(self) -> list[str]:
        """Why events went to the dead letters."""
        return [letter.reason for letter in await self.store.dead()]

    @asynccontextmanager
    async def _at_work(self, router: Router) -> AsyncIterator[None]:
        async with Runner(router, namespace="bot", clock=self.clock) as runner:
            worker = Worker(self.store, runner, clock=self.clock, random=lambda: 0.0, lease_ms=LONG.lease_ms)
            running = asyncio.create_task(worker.run())
            try:
                yield
            finally:
                worker.stop()
                await asyncio.wait_for(worker.leave(), SOON_S)
                await running


@pytest.fixture
async def deploy(clock: TurnedClock) -> AsyncIterator[Deploy]:
    """A store that several releases share."""
    async with open_store("sqlite:///:memory:", clock=clock, limits=LONG) as store:
        yield Deploy(store, clock)


async def test_a7_an_event_without_a_handler_waits(deploy: Deploy) -> None:
    """A release that has no handler for a queued event leaves it where it is, for one that has."""
    async with deploy.new():
        await deploy.queue("e1")
        await deploy.passes(PARKED_MS / 1000 - 10)

        assert (await deploy.store.stats()).inbox == 1
        assert await deploy.given_up() == []


async def test_a7_the_old_release_beside_takes_what_the_new_one_parked(deploy: Deploy) -> None:
    """While two releases run at once, the one that has the handler runs it, whoever saw the event first."""

    async def is_handled() -> bool:
        return deploy.handled == ["e1"]

    async with deploy.new():
        await deploy.queue("e1")
        await deploy.passes(5)
        async with deploy.old():
            await deploy.until(is_handled, step_s=0.5)

    assert await deploy.given_up() == []


async def test_a7_parking_is_no_failed_attempt(deploy: Deploy) -> None:
    """However often an event was parked, its handler has all its attempts."""
    deploy.failures = 1

    async def is_handled() -> bool:
        return deploy.handled == ["e1"]

    async with deploy.new():
        await deploy.queue("e1")
        await deploy.passes(60)
    async with deploy.old():
        await deploy.until(is_handled, step_s=0.5)

    assert await deploy.given_up() == []


async def test_a7_what_no_release_takes_moves_to_the_dead_letters_and_the_chat_goes_on(deploy: Deploy) -> None:
    """After five minutes the event is given up, with a reason that names its type, and the next message is handled."""

    async def is_answered() -> bool:
        return deploy.handled == ["m1"]

    async with deploy.new():
        await deploy.queue("e1")
        await deploy.queue("m1", "message.received")
        await deploy.passes(PARKED_MS / 1000 - 10)
        assert deploy.handled == []
        await deploy.until(is_answered, step_s=1.0)

    [letter] = await deploy.store.dead()
    assert (letter.kind, letter.event_id) == ("event", "e1")
    assert REMOVED in letter.reason
    assert letter.item


async def test_a7_an_event_that_waited_long_still_gets_its_time_after_a_deploy(deploy: Deploy) -> None:
    """The five minutes count from the start of the release that lacks the handler: a roll-back may come as late."""
    await deploy.queue("e1")
    deploy.clock.advance(hours=1)

    async with deploy.new():
        await deploy.passes(PARKED_MS / 1000 - 10)
        assert await deploy.given_up() == []

        async def is_given_up() -> bool:
            return len(await deploy.given_up()) == 1

        await deploy.until(is_given_up, step_s=1.0)
