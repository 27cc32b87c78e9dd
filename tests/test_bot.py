"""The one object a user builds: as an ASGI app, mounted, started and drained."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import structlog
from fastapi import FastAPI

from linqbot import Bot, ConfigurationError, Message, RegistrationError, Reply, Turn
from linqbot.emulator.app import Emulator
from linqbot.settings import load_settings
from linqbot.testing import Sim, TurnedClock


def echo_bot() -> Bot:
    """A bot that says what it hears."""
    bot = Bot()

    @bot.message()
    async def echo(message: Message) -> str:
        return message.text

    return bot


async def test_a_bot_mounted_in_fastapi_answers(clock: TurnedClock) -> None:
    """`async with bot` in the host's lifespan starts and drains it; the path is below the mount."""
    bot = echo_bot()

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with bot:
            yield

    app = FastAPI(lifespan=lifespan)
    app.mount("/linq", bot)
    emulator = Emulator(clock=clock, transport=httpx.ASGITransport(app=app))
    secret = emulator.subscribe("http://host.test/linq/webhooks/linq?version=2026-02-03").secret
    settings = load_settings(
        env_file=None,
        api_key="token",
        webhook_secret=secret,
        base_url="http://linq.test/api/partner",
        store="sqlite:///:memory:",
    )
    bot.configure(settings=settings, clock=clock, transport=httpx.ASGITransport(app=emulator.app))

    async with emulator, app.router.lifespan_context(app):
        await emulator.inbound("+12025559876", text="Hello?")
        while not emulator.messages():
            await emulator.linq.agenda.changed()

    assert [heard.parts[0]["value"] for heard in emulator.messages()] == ["Hello?"]


async def test_sigterm_starts_the_drain_before_the_server_acts(clock: TurnedClock) -> None:
    """A mounted bot drains from SIGTERM on, not from its host's shutdown; the server's own handler still runs."""
    served: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _frame: served.append(number))
    try:
        async with Sim(echo_bot()) as sim:
            signal.raise_signal(signal.SIGTERM)
            await asyncio.wait_for(sim.bot.draining.wait(), timeout=5)
        assert served == [signal.SIGTERM]
    finally:
        signal.signal(signal.SIGTERM, before)


async def test_a_turn_that_runs_when_the_drain_begins_is_answered() -> None:
    """Draining takes nothing new, but what was begun is finished and its reply is sent."""
    bot, begun, go_on = Bot(), asyncio.Event(), asyncio.Event()

    @bot.message()
    async def slow(message: Message) -> str:
        begun.set()
        await go_on.wait()
        return message.text

    sim = Sim(bot)
    async with sim:
        await sim.user().writes("Hello?")
        await begun.wait()
        bot.begin_drain()
        go_on.set()

    assert [reply.text for reply in sim.replies] == ["Hello?"]


async def test_a_drain_does_not_wait_for_a_linq_that_takes_nothing() -> None:
    """Replies held because the key was refused stay in the store, and the process leaves at once."""
    async with Sim(echo_bot()) as sim:
        sim.faults.answer(401, code=2004, count=None)
        for number in range(5):
            await sim.user(f"+1202555987{number}").writes("Hello?")
        await sim.settled()

        async with asyncio.timeout(10):
            await sim.bot.__aexit__(None, None, None)
            await sim.bot.__aenter__()


async def test_events_accepted_before_a_restart_are_answered_after_it(tmp_path: object) -> None:
    """What a stopped process left in the inbox is there when it comes back."""
    async with Sim(echo_bot(), store=f"sqlite:///{tmp_path}/bot.db") as sim:
        sim.bot.begin_drain()
        await sim.bot.draining.wait()
        await sim.user().writes("Hello?")
        await sim.restart()
        sim.clock.advance(minutes=1)
        await sim.settled()

        assert [reply.text for reply in sim.replies] == ["Hello?"]


async def test_a_bot_in_somebody_elses_program_logs_as_safely(capsys: pytest.CaptureFixture[str]) -> None:
    """Served by any ASGI server or mounted, with structlog as it comes: no locals and no words of people in a traceback."""
    structlog.reset_defaults()
    bot = Bot(attempts=1)

    @bot.message()
    async def count(message: Message) -> str:
        words = message.text
        return str(int(words))

    async with Sim(bot) as sim:
        await sim.user().says("zanzibar")

    said = capsys.readouterr().out
    assert "handler failed" in said
    assert "zanzibar" not in said


async def test_every_line_about_a_message_names_its_event_and_its_chat(capsys: pytest.CaptureFixture[str]) -> None:
    """One id is enough to find all that happened to it, whatever station tells: taken, tried, given up, answered, sent."""
    structlog.reset_defaults()
    bot = Bot(attempts=1)

    @bot.message("boom")
    async def boom(turn: Turn) -> None:
        turn.log.info("about to fail")
        raise ValueError

    @bot.message("wrong")
    async def wrong() -> Reply:
        return Reply()

    @bot.fallback
    async def otherwise() -> str:
        return "hi"

    async with Sim(bot, log_level="debug") as sim:
        [reply] = await sim.user().says("Hello?")
        await sim.user().says("boom")
        await sim.user().says("wrong")

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    about = [line for line in lines if "event_id" in line and line["event"] != "webhook not wanted"]
    assert {line["event"] for line in about} >= {
        "webhook kept",
        "turn committed",
        "reply sent",
        "about to fail",
        "handler failed",
        "handler made a reply that cannot be sent",
        "moved to the dead letters",
    }
    assert [line for line in about if line.get("chat_id") != reply.chat_id] == []


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"thread": "sometimes"}, "first, every, auto, never"),
        ({"attempts": 0}, "attempts"),
        ({"attempts": "3"}, "attempts"),
    ],
)
def test_a_bot_that_cannot_be_meant_so_is_refused(given: dict[str, Any], named: str) -> None:
    """Where it is written, not at the first message."""
    with pytest.raises(RegistrationError, match=named):
        Bot(**given)


async def test_a_bot_without_an_api_key_does_not_start() -> None:
    """The error names the variable to set."""
    bot = echo_bot()
    bot.configure(settings=load_settings(env_file=None, store="sqlite:///:memory:", api_key=None))

    with pytest.raises(ConfigurationError, match="LINQ_API_V3_API_KEY"):
        await bot.__aenter__()


async def test_two_handlers_of_one_name_refuse_to_start() -> None:
    """The name is part of every idempotency key."""
    bot = Bot()

    @bot.message("one", name="same")
    async def one() -> str:
        return "1"

    @bot.message("two", name="same")
    async def two() -> str:
        return "2"

    bot.configure(settings=load_settings(env_file=None, api_key="token", store="sqlite:///:memory:"))
    with pytest.raises(RegistrationError, match="same"):
        await bot.__aenter__()


async def test_configured_attempts_hold_for_every_handler() -> None:
    """`configure(attempts=1)` is what `dev` does: who develops wants to see the first error, not the third."""
    bot, runs = Bot(attempts=5), []

    @bot.message(attempts=3)
    async def fail(message: Message) -> None:
        runs.append(message.id)
        raise ValueError

    bot.configure(attempts=1)
    async with Sim(bot) as sim:
        await sim.user().says("Hello?")
        [letter] = await bot.store.dead()

    assert (len(runs), letter.handler) == (1, "fail")


async def test_a_running_bot_is_not_configured_again() -> None:
    """What runs keeps its settings."""
    async with Sim(echo_bot()) as sim:
        with pytest.raises(ConfigurationError, match="running"):
            sim.bot.configure(attempts=1)
