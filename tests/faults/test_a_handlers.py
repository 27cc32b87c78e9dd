"""Faults of handlers, rows A of the catalogue that no other test tries."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from types import FrameType
from typing import Any

import httpx
import pytest

from linqbot import Bot, Message, Router
from linqbot.engine.worker import Worker
from linqbot.handling.runner import Runner
from linqbot.records import Arrival, InboxItem, Limits
from linqbot.store.base import Store
from linqbot.store.open import open_store
from linqbot.testing import Sim, TurnedClock
from tests.handling.conftest import received

THREADS = 2
LONG = Limits(lease_ms=3_600_000)
"""Tests turn the clock by minutes, faster than any heart beats."""
SOON_S = 10.0
"""How long a test waits for what must come."""


class Process:
    """A worker on a store, as one process has it; several may follow one another on one store."""

    def __init__(self, store: Store, router: Router, clock: TurnedClock) -> None:
        self.store = store
        self._clock = clock
        self._runner = Runner(router, namespace="bot", clock=clock, threads=THREADS)

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[Worker]:
        """Run turns, and leave as a process does at the end of its drain."""
        async with self._runner as runner:
            worker = Worker(
                self.store, runner, clock=self._clock, random=lambda: 0.0, threads=THREADS, lease_ms=LONG.lease_ms
            )
            running = asyncio.create_task(worker.run())
            try:
                yield worker
            finally:
                worker.stop()
                await asyncio.wait_for(worker.leave(), SOON_S)
                await running


async def arrive(store: Store, text: str, *, chat: str) -> None:
    """Somebody writes in a chat."""
    item = received(text, event_id=f"{chat}-{text}")
    lane = f"chat:{chat}"
    await store.accept(Arrival(item=InboxItem(event_id=item.event_id, lane=lane, type=item.type, body=item.body)))


async def until(true: Callable[[], Any], clock: TurnedClock, *, step_s: float = 0) -> None:
    """Turn the clock step by step until something is so."""
    async with asyncio.timeout(SOON_S):
        while not await true():
            clock.advance(seconds=step_s)
            await asyncio.sleep(0.005)  # another thread or task has to move; there is no event to wait for


@pytest.fixture
async def store(clock: TurnedClock) -> AsyncIterator[Store]:
    """A store on the turned clock."""
    async with open_store("sqlite:///:memory:", clock=clock, limits=LONG) as store:
        yield store


async def test_a2_a_handler_that_hangs_is_cut_off_and_its_chat_goes_on() -> None:
    """A handler that waits for ever is cancelled after 60 s, tried three times and given up; the next message of the
    chat is answered.

    Held by this: each run has a deadline on the clock, and a timeout is a failure like any other.
    """
    bot, ended = Bot(), []

    @bot.message("hang")
    async def hang() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("cancelled")

    @bot.message()
    async def echo(message: Message) -> str:
        return message.text

    async with Sim(bot, lease="1h") as sim:
        await sim.user().writes("hang")
        await sim.user().writes("hello")
        await until(lambda: said(sim, "hello"), sim.clock, step_s=5)

        letters = await sim.bot.store.dead()
        assert ended == ["cancelled"] * 3
        assert ["overran its time" in letter.reason for letter in letters] == [True]


async def said(sim: Sim, text: str) -> bool:
    """Whether the bot has said something."""
    return any(bubble.text == text for bubble in sim.replies)


class Stubborn:
    """Handlers that do not end when they are told to, until the test lets them go."""

    def __init__(self) -> None:
        self.begun = asyncio.Semaphore(0)
        self.runs = 0
        self.router = Router()
        self.let_go = threading.Event()
        self._loop = asyncio.get_running_loop()
        self.router.message("coroutine")(self.coroutine)
        self.router.message("thread")(self.thread)
        self.router.message(self.echo)

    async def coroutine(self) -> str:
        """Swallows every cancellation."""
        self._begin()
        while not self.let_go.is_set():
            try:
                await asyncio.sleep(0.01)
            except asyncio.CancelledError:
                continue
        return "late"

    def thread(self) -> str:
        """Blocks."""
        self._loop.call_soon_threadsafe(self._begin)
        self.let_go.wait(60)
        return "late"

    async def echo(self, message: Message) -> str:
        """Answers at once."""
        return message.text

    def _begin(self) -> None:
        self.runs += 1
        self.begun.release()


@pytest.fixture
async def stubborn() -> AsyncIterator[Stubborn]:
    """Handlers that do not end before the test does."""
    handlers = Stubborn()
    yield handlers
    handlers.let_go.set()


@pytest.mark.parametrize("kind", ["coroutine", "thread"])
async def test_a2_a_handler_that_cannot_be_stopped_keeps_its_chat_and_no_other(
    kind: str, store: Store, stubborn: Stubborn, clock: TurnedClock
) -> None:
    """A coroutine that swallows its cancellation, or a thread that blocks, holds its own chat until it ends, so that no
    second run overtakes it; other chats are answered meanwhile; what it returns late is not said.

    Held by this: the timeout hands the run to the worker, which keeps the lease alive until it ends and then counts a
    failed attempt.
    """
    async with Process(store, stubborn.router, clock).at_work():
        await arrive(store, kind, chat="a")
        await stubborn.begun.acquire()
        await arrive(store, "after", chat="a")
        await pass_by(clock, minutes=2)
        await arrive(store, "hello", chat="b")
        await until(lambda: holds(store, outbox=1), clock)
        assert stubborn.runs == 1
        stubborn.let_go.set()
        await until(lambda: holds(store, outbox=3), clock, step_s=5)

        assert stubborn.runs == 2, "the second run says what the first said too late"
        assert await store.dead() == []


async def pass_by(clock: TurnedClock, *, minutes: int) -> None:
    """Let time pass step by step, much more than a handler has."""
    for _ in range(minutes * 12):
        clock.advance(seconds=5)
        await asyncio.sleep(0.005)  # whoever waited for the clock moves


async def holds(store: Store, *, outbox: int) -> bool:
    """Whether so many replies wait to be sent."""
    return (await store.stats()).outbox == outbox


@pytest.mark.parametrize("kind", ["coroutine", "thread"])
async def test_a2_an_event_that_is_left_running_again_and_again_is_given_up(
    kind: str, store: Store, stubborn: Stubborn, clock: TurnedClock
) -> None:
    """When a process leaves while a handler that overran its time still runs, the leaving ends, and the run counts: the
    third one is the last, and the chat goes on.

    Held by this: the worker ends the lease with the failure that it waited to tell, instead of giving the chat back as
    if nothing had happened.
    """
    await arrive(store, kind, chat="a")
    await arrive(store, "after", chat="a")
    for _ in range(3):
        async with Process(store, stubborn.router, clock).at_work():
            await until(lambda: begun(stubborn), clock, step_s=5)
            await pass_by(clock, minutes=2)

    async with Process(store, stubborn.router, clock).at_work():
        await until(lambda: holds(store, outbox=1), clock, step_s=5)
        assert stubborn.runs == 3
        assert [letter.handler for letter in await store.dead()] == [f"Stubborn.{kind}"]


async def begun(stubborn: Stubborn) -> bool:
    """Whether one more run has begun."""
    if stubborn.begun.locked():
        return False
    return await stubborn.begun.acquire()


@pytest.fixture
def terminations() -> Iterator[list[int]]:
    """The SIGTERMs that reach this process while a server, as it were, handles them."""
    seen: list[int] = []

    def note(number: int, _: FrameType | None) -> None:
        seen.append(number)

    before = signal.signal(signal.SIGTERM, note)
    yield seen
    signal.signal(signal.SIGTERM, before)


async def test_a2_a_process_that_lost_all_its_threads_is_not_ready_and_leaves(
    terminations: list[int], stubborn: Stubborn
) -> None:
    """When every thread for plain `def` handlers runs a handler that does not end, `/readyz` fails and the process asks
    its server to end it, once; `async def` handlers work until then.

    Held by this: the worker counts the runs that it waits for, and at as many as there are threads calls
    `bot.ask_to_leave`.
    """
    bot = Bot()
    bot.include_router(stubborn.router)
    async with Sim(bot, lease="1h") as sim, client_of(bot) as door:
        for number in range(16):
            await sim.user(f"+120255500{number:02}").writes("thread")
        for _ in range(16):
            await asyncio.wait_for(stubborn.begun.acquire(), SOON_S)
        assert (await door.get("/readyz")).status_code == 200
        await until(lambda: asked(terminations), sim.clock, step_s=5)

        ready = await door.get("/readyz")
        assert (ready.status_code, sorted(ready.json()["troubles"])) == (503, ["process", "threads"])
        assert (await door.get("/healthz")).status_code == 200
        stubborn.let_go.set()
    assert terminations == [signal.SIGTERM]


async def asked(terminations: list[int]) -> bool:
    """Whether the process was asked to leave."""
    return bool(terminations)


def client_of(app: Any) -> httpx.AsyncClient:
    """A client of an ASGI app."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://bot.test")
