"""What handlers answer, to whom, and under which name: rows A3, A5, A6, A11 and A12 of the catalogue."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linqbot import NEXT, Bot, Message, Router
from linqbot.clock import Clock, SystemClock
from linqbot.emulator.app import Emulator
from linqbot.emulator.world import LINES
from linqbot.engine.worker import Worker
from linqbot.events import Event
from linqbot.handling.runner import Runner
from linqbot.records import Arrival, InboxItem, Stats
from linqbot.settings import load_settings
from linqbot.store.base import Store
from linqbot.store.open import open_store
from linqbot.testing import Sim, TurnedClock
from tests.handling.conftest import received
from tests.store.redis_server import KINDS, empty, session_url

TOGETHER = 8


class Rude:
    """Raises whatever is done with it."""

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("not comparable")

    def __hash__(self) -> int:
        raise RuntimeError("not hashable")

    def __repr__(self) -> str:
        raise RuntimeError("not printable")


ODD = st.sampled_from([object(), Bot, len, ..., NotImplemented, NEXT, range(3), iter([]), Exception("no"), 1j])
TEXTS = st.text(st.characters(exclude_categories=()), max_size=20)
PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.binary() | st.dates() | TEXTS | ODD
GARBAGE = st.recursive(
    PLAIN,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=3), inner, max_size=2)
        | st.builds(lambda one: {"parts": one}, inner)
    ),
    max_leaves=6,
)


def phone_of(number: int) -> str:
    """Somebody's number."""
    return f"+1202555{number:04}"


@settings(max_examples=30, deadline=None)
@given(st.lists(GARBAGE, min_size=1, max_size=TOGETHER))
def test_a3_whatever_a_handler_returns_its_chat_goes_on(answers: list[Any]) -> None:
    """Anything at all may come back from a handler: its event ends, as a reply or in the dead letters, and the next
    message of the chat is answered.

    Held by this: what is no reply is refused when the turn is frozen, before anything is stored, and the turn then
    commits a dead letter.
    """
    asyncio.run(every_chat_goes_on(answers))


async def every_chat_goes_on(answers: list[Any]) -> None:
    """Let a handler return each of these, in a chat of its own."""
    bot = Bot()

    @bot.message(regex=r"^give (?P<number>\d+)$")
    async def give(number: int) -> Any:
        return answers[number]

    @bot.message("after")
    async def after() -> str:
        return "goes on"

    async with Sim(bot) as sim:
        for number in range(len(answers)):
            await sim.user(phone_of(number)).writes(f"give {number}")
            await sim.user(phone_of(number)).writes("after")
        for _ in range(4):
            await sim.settled()
            sim.clock.advance(minutes=1)

        heard = [[bubble.text for bubble in sim.said_to(phone_of(number))] for number in range(len(answers))]
        assert [texts[-1:] for texts in heard] == [["goes on"]] * len(answers)
        stats = await sim.bot.store.stats()
        assert (stats.inbox, stats.outbox) == (0, 0)


def circle() -> list[Any]:
    """A list that holds itself."""
    found: list[Any] = ["x"]
    found.append(found)
    return found


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (["x"] * 10_000, "at most 100 are sent"),
        ({"text": "x"}, "of type dict"),
        (b"x", "of type bytes"),
        ((one for one in "x"), "of type generator"),
        (circle(), "RecursionError"),
        (Rude(), "of type Rude"),
        ([Rude(), "x"], "of type Rude"),
    ],
    ids=["10,000 replies", "dict", "bytes", "generator", "circle", "rude", "rude among others"],
)
async def test_a3_what_is_no_answer_is_a_dead_letter_that_says_why(answer: Any, why: str) -> None:
    """Nothing of it is sent, and the letter names the handler and what is wrong.

    Held by checking an answer when the turn is frozen; what it raises is part of the check.
    """
    bot = Bot()

    @bot.message()
    async def odd() -> Any:
        return answer

    async with Sim(bot) as sim:
        await sim.user().writes("hello")
        for _ in range(4):
            await sim.settled()
            sim.clock.advance(minutes=1)

        (letter,) = await sim.bot.store.dead()
        assert (sim.replies, letter.handler.rpartition(".")[2]) == ([], "odd")
        assert why in letter.reason


async def test_a3_a_stream_that_breaks_off_says_each_bubble_once() -> None:
    """A generator that raises after its first bubble is run three times; the bubble is sent once.

    Held by this: a bubble is frozen under the key of its place when it is yielded, and a run that comes later finds it
    frozen.
    """
    bot, runs = Bot(), []

    @bot.message("story")
    async def story() -> AsyncIterator[str]:
        runs.append(1)
        yield "once upon a time"
        raise RuntimeError("the book is torn")

    @bot.message()
    async def echo(message: Message) -> str:
        return message.text

    async with Sim(bot) as sim:
        await sim.user().writes("story")
        await sim.user().writes("and then?")
        for _ in range(5):
            await sim.settled()
            sim.clock.advance(minutes=1)

        assert [bubble.text for bubble in sim.replies] == ["once upon a time", "and then?"]
        assert len(runs) == 3


class Hosts(httpx.AsyncBaseTransport):
    """Several apps, each under a host of its own."""

    def __init__(self, apps: Mapping[str, Any]) -> None:
        self._ways = {host: httpx.ASGITransport(app=app) for host, app in apps.items()}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self._ways[request.url.host].handle_async_request(request)


class TwoBots:
    """Two bots with a line each, on one Linq that carries their messages to one another."""

    def __init__(self, **options: Any) -> None:
        self.clock = TurnedClock()
        self.bots = (self._echo(**options), self._echo(**options))
        hosts = {f"bot{number}.test": bot for number, bot in enumerate(self.bots)}
        self.emulator = Emulator(clock=self.clock, transport=Hosts(hosts))
        self._carried = 0

    def _echo(self, **options: Any) -> Bot:
        bot = Bot(**options)

        @bot.message()
        async def echo(message: Message) -> str:
            return message.text

        return bot

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run both."""
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self.emulator)
            for number, (bot, line) in enumerate(zip(self.bots, LINES, strict=True)):
                url = f"http://bot{number}.test/webhooks/linq?version=2026-02-03"
                secret = self.emulator.subscribe(url, phone_numbers=[line]).secret
                given = {"api_key": "token", "webhook_secret": secret, "base_url": "http://linq.test/api/partner"}
                bot.configure(
                    settings=load_settings(env_file=None, store="sqlite:///:memory:", **given),
                    clock=self.clock,
                    transport=httpx.ASGITransport(app=self.emulator.app),
                )
                await stack.enter_async_context(bot)
            yield

    async def settled(self, *, carry: bool = True) -> list[Stats]:
        """Carry messages over until nobody says anything more before the clock is turned; what each bot has waiting."""
        async with asyncio.timeout(30):
            quiet = 0
            while quiet < 4:
                await self.emulator.quiet()
                moved = carry and await self.carry()
                quiet = quiet + 1 if all(bot.idle for bot in self.bots) and not moved else 0
                await asyncio.sleep(0.005)  # the bots run in tasks of their own; there is no event for "nothing comes"
        return [await bot.store.stats() for bot in self.bots]

    async def carry(self) -> bool:
        """What arrived on a bot's line is what somebody, the other bot, wrote to it."""
        arrived = self.emulator.messages()[self._carried :]
        self._carried += len(arrived)
        for one in arrived:
            sender = LINES[1 - LINES.index(one.to)]
            await self.emulator.inbound(sender, to=one.to, text=one.parts[0]["value"])
        return bool(arrived)


def most_in_a_minute(requests: list[dict[str, Any]]) -> int:
    """The most sends of one chat in any 60 seconds."""
    most = 0
    windows: dict[str, deque[float]] = {}
    for one in requests:
        if one["operation"] == "sendMessageToChat":
            window, at = windows.setdefault(one["path"], deque()), datetime.fromisoformat(one["at"]).timestamp()
            window.append(at)
            while window[0] <= at - 60:
                window.popleft()
            most = max(most, len(window))
    return most


async def test_a5_two_bots_that_answer_each_other_fall_silent() -> None:
    """Two bots that echo one another at a machine's pace end it after 25 turns, and nothing waits or was refused.

    Held by `LoopGuard`, which every bot has unless it is taken off; its rules: `tests/handling/test_policies.py`.
    """
    two = TwoBots()
    async with two.running():
        await two.emulator.inbound(LINES[1], to=LINES[0], text="hello")
        said = []
        for _ in range(70):
            await two.settled(carry=False)
            two.clock.advance(seconds=1.4)
            await two.carry()
            said.append(len(two.emulator.messages()))

        assert 40 <= said[-1] <= 60
        assert said[-10] == said[-1]
        assert {one["status"] for one in two.emulator.requests} == {202}
        assert [await bot.store.dead() for bot in two.bots] == [[], []]


async def test_a5_without_a_guard_two_bots_stay_within_linqs_limits() -> None:
    """Two bots that echo one another for five minutes never meet a 429 and pile nothing up.

    Held by the budget of 25 messages in 60 s for each line and chat, spent in the store before a send. It slows a loop and
    does not end it.
    """
    two = TwoBots(loop_guard=None)
    async with two.running():
        await two.emulator.inbound(LINES[1], to=LINES[0], text="hello")
        for _ in range(60):
            waiting = await two.settled()
            assert all(stats.inbox + stats.outbox <= 2 for stats in waiting)
            two.clock.advance(seconds=5)

        statuses = [one["status"] for one in two.emulator.requests if one["operation"] == "sendMessageToChat"]
        assert set(statuses) == {202}
        assert len(statuses) > 100, "the loop goes on"
        assert most_in_a_minute(two.emulator.requests) <= 25
        assert [await bot.store.dead() for bot in two.bots] == [[], []]


async def test_a6_a_bot_that_answers_news_of_its_own_messages_stays_within_linqs_limits() -> None:
    """A handler of `message.sent` that answers makes one more `message.sent`, and so on: no 429, nothing piles up. A
    handler of messages never hears the bot's own.

    Held by this: outbound messages are not handed to message handlers; what a handler of other events answers is paced
    by the budget of its chat.
    """
    bot, heard = Bot(), []

    @bot.message()
    async def echo(message: Message) -> str:
        heard.append(message.text)
        return message.text

    @bot.event("message.sent")
    async def again(event: Event) -> str:
        return "sent!"

    async with Sim(bot) as sim:
        await sim.user().writes("hello")
        for _ in range(60):
            await sim.settled()
            stats = await sim.bot.store.stats()
            assert stats.inbox + stats.outbox <= 3
            sim.clock.advance(seconds=5)

        assert heard == ["hello"]
        assert {one["status"] for one in sim.emulator.requests} == {202}
        assert len(sim.replies) > 25
        assert most_in_a_minute(sim.emulator.requests) <= 25


class Skewed(SystemClock):
    """The clock of a machine that is set wrong."""

    def __init__(self, hours: int) -> None:
        self._ahead_ms = hours * 3_600_000

    def now_ms(self) -> int:
        """What this machine believes."""
        return super().now_ms() + self._ahead_ms


@pytest.mark.parametrize("hours", [1, -1])
async def test_a11_a_machine_whose_clock_is_wrong_takes_nobodys_chat(hours: int) -> None:
    """A worker whose machine is an hour ahead, or behind, takes what is free and leaves what another one holds.

    Held by this: leases begin and end by the store's clock alone; a machine's clock is not asked.
    """
    url, namespace = session_url(KINDS[0]), "skewed"
    await empty(url, (namespace,))
    router, held, go, runs = Router(), asyncio.Event(), asyncio.Event(), []

    @router.message("hold")
    async def hold() -> None:
        runs.append("hold")
        held.set()
        await go.wait()

    @router.message()
    async def other(message: Message) -> None:
        runs.append(message.text)

    async with AsyncExitStack() as stack:
        store, right = await start_worker(stack, url, namespace, router, SystemClock())
        await arrive(store, "hold", chat="a")
        await asyncio.wait_for(held.wait(), 10)
        await start_worker(stack, url, namespace, router, Skewed(hours))
        for number in range(5):
            await arrive(store, f"free {number}", chat=f"b{number}")
        async with asyncio.timeout(10):
            while (await store.stats()).inbox > 1:  # noqa: ASYNC110  # the other worker moves, and tells nobody here
                await asyncio.sleep(0.01)
        go.set()
        right.stop()

    assert sorted(runs) == [*(f"free {number}" for number in range(5)), "hold"]


async def start_worker(
    stack: AsyncExitStack, url: str, namespace: str, router: Router, clock: Clock
) -> tuple[Store, Worker]:
    """One more worker with a hand for one chat, on a store of its own making."""
    store = await stack.enter_async_context(open_store(url, clock=clock, namespace=namespace))
    runner = await stack.enter_async_context(Runner(router, namespace=namespace, clock=clock))
    worker = Worker(store, runner, clock=clock, random=lambda: 0.0, hands=1)
    running = asyncio.create_task(worker.run())

    async def end() -> None:
        worker.stop()
        await running

    stack.push_async_callback(end)
    return store, worker


async def arrive(store: Store, text: str, *, chat: str) -> None:
    """Somebody writes in a chat."""
    item = received(text, event_id=f"{chat}-{text}")
    body = InboxItem(event_id=item.event_id, lane=f"chat:{chat}", type=item.type, body=item.body)
    await store.accept(Arrival(item=body))


class Refusing(httpx.AsyncBaseTransport):
    """A way to Linq that is closed until it is opened."""

    def __init__(self, app: Any) -> None:
        self._inner = httpx.ASGITransport(app=app)
        self.open = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if not self.open:
            raise httpx.ConnectError("closed")
        return await self._inner.handle_async_request(request)


async def test_a12_under_another_namespace_work_waits_until_its_own_is_back(tmp_path: Path) -> None:
    """A bot started under a wrong namespace finds an empty store and starts: several bots may share one, so a new name
    is no mistake that can be seen. What was accepted under the old name is untouched, and is answered once when the name
    is back.

    Held by this: the namespace is a part of every row and key, and of every idempotency key.
    """
    bot = Bot()

    @bot.message()
    async def echo(message: Message) -> str:
        return message.text

    async with Sim(bot, store=f"sqlite:///{tmp_path}/bot.db", namespace="right") as sim:
        way = Refusing(sim.emulator.app)
        await go_on_under(sim, "right", way)
        await sim.user().says("hello")

        way.open = True
        await go_on_under(sim, "wrong", way)
        sim.clock.advance(minutes=5)
        await sim.settled()
        assert (sim.replies, (await bot.store.stats()).outbox) == ([], 0)

        await go_on_under(sim, "right", way)
        sim.clock.advance(minutes=5)
        await sim.settled()
        assert [bubble.text for bubble in sim.replies] == ["hello"]


async def go_on_under(sim: Sim, namespace: str, way: httpx.AsyncBaseTransport) -> None:
    """Start the bot again under a namespace."""
    await sim.bot.__aexit__(None, None, None)
    sim.bot.configure(settings=sim.bot.settings.model_copy(update={"namespace": namespace}), transport=way)
    await sim.bot.__aenter__()
