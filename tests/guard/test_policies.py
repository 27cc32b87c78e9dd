"""Policies at work: on the real app, with what Linq sees of them, over restarts and through troubles."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from linqbot import Bot, Cooldown, LoopGuard, Message, Router, SendReadReceipts, ShowTyping
from linqbot.errors import RegistrationError
from linqbot.testing import Sim

ANN = "+12025559876"


def asked(sim: Sim) -> list[str]:
    """What was asked of Linq beside messages, in order."""
    paths = [(one["method"], one["path"].rpartition("/")[2]) for one in sim.emulator.requests]
    return [f"{method} {what}" for method, what in paths if what in ("typing", "read", "messages")]


async def test_typing_and_read_receipts_reach_linq_in_order() -> None:
    """On the bot's policies: read, typing, and typing no more; the answer as ever."""
    bot = Bot(policies=[SendReadReceipts(), ShowTyping()])

    @bot.message()
    async def echo(message: Message) -> str:
        return message.text

    async with Sim(bot) as sim:
        (reply,) = await sim.user(ANN).says("hello")

        assert reply.text == "hello"
        beside = [one for one in asked(sim) if one != "POST messages"]
        assert beside == ["POST read", "POST typing", "DELETE typing"]
        assert [deed["deed"] for deed in sim.emulator.deeds()][:1] == ["read"]


async def test_nothing_is_shown_unless_it_is_named() -> None:
    """A bot without policies asks Linq for messages alone."""
    bot = Bot()
    bot.message(lambda: "hello")

    async with Sim(bot) as sim:
        await sim.user(ANN).says("hi")

        assert asked(sim) == ["POST messages"]


async def test_a_linq_that_refuses_hints_changes_nothing() -> None:
    """Typing that fails, hangs or is refused neither delays nor fails an answer."""
    bot = Bot(policies=[SendReadReceipts(), ShowTyping()])
    bot.message(lambda: "hello")

    async with Sim(bot) as sim:
        sim.faults.add("503", match="POST /v3/chats/*/typing", count=None)
        sim.faults.add("timeout", match="POST /v3/chats/*/read", count=1)
        await sim.user(ANN).writes("hi")
        async with asyncio.timeout(5):
            while not sim.replies:  # noqa: ASYNC110  # a hint hangs, so the bot never settles
                await asyncio.sleep(0.01)

        assert [reply.text for reply in sim.replies] == ["hello"]
        assert await sim.bot.store.dead() == []


async def test_two_bots_that_text_each_other_come_to_an_end() -> None:
    """Each answer is met by another at once; after 25 met answers ours stops, and theirs has nothing left to answer."""
    bot = Bot()

    @bot.message()
    async def echo(message: Message) -> str:
        return message.text + "!"

    async with Sim(bot, pair_budget="1000/60s") as sim:
        other, text, turns = sim.user(ANN), "hello", 0
        while turns < 60 and (replies := await other.says(text)):
            text, turns = replies[-1].text, turns + 1
            sim.clock.advance(milliseconds=800)

        assert turns == 26
        sim.clock.advance(seconds=61)
        assert len(await other.says("still there?")) == 1


async def _paced(sim: Sim) -> None:
    """Until the turns are run and the answers that the pace lets through have left."""
    async with asyncio.timeout(20):
        while (await sim.bot.store.stats()).inbox or not sim.bot.idle:  # noqa: ASYNC110  # others wait for the clock
            await asyncio.sleep(0.01)


async def test_a_burst_of_messages_is_answered_to_the_last() -> None:
    """Somebody who writes 200 messages without waiting is no machine; paced, each gets its answer, and no 429."""
    bot = Bot()

    @bot.message()
    async def echo(message: Message) -> str:
        return message.text

    async with Sim(bot) as sim:
        person = sim.user(ANN)
        for number in range(200):
            await person.writes(str(number))
        await sim.emulator.quiet()
        async with asyncio.timeout(60):
            while len(sim.said_to(ANN)) < 200:
                await _paced(sim)
                sim.clock.advance(seconds=3)
        await sim.settled()

        assert sorted(int(reply.text) for reply in sim.said_to(ANN)) == list(range(200))
        assert {one["status"] for one in sim.emulator.requests} == {202}


@pytest.mark.parametrize(("guard", "turns"), [(LoopGuard(turns=3), 4), (None, 8)])
async def test_the_loop_guard_is_the_bots_to_choose(guard: LoopGuard | None, turns: int) -> None:
    """Another number of turns, or none at all."""
    bot = Bot(loop_guard=guard)
    bot.message(lambda: "hello")

    async with Sim(bot) as sim:
        answers = []
        for _ in range(8):
            answers += await sim.user(ANN).says("hi")
            sim.clock.advance(milliseconds=800)

    assert len(answers) == turns


async def test_a_chat_cools_down_over_restarts(tmp_path: Path) -> None:
    """The fallback answers once in 12 hours, whichever process it is, and other handlers go on."""
    bot, people = Bot(), Router("people", policies=[Cooldown("12h")])
    bot.message("price")(lambda: "$20")
    people.fallback(name="later")(lambda: "A person will read this.")
    bot.include_router(people)

    async with Sim(bot, store=f"sqlite:///{tmp_path}/bot.db") as sim:
        ann = sim.user(ANN)
        first = [await ann.says("hello"), await ann.says("hello?")]
        await sim.restart()
        second = [await ann.says("anybody?"), await ann.says("price"), await sim.user("+12025559877").says("hello")]
        sim.clock.advance(hours=12)
        third = await ann.says("hello again")

    later = ["A person will read this."]
    assert [[reply.text for reply in answers] for answers in first] == [later, []]
    assert [[reply.text for reply in answers] for answers in second] == [[], ["$20"], later]
    assert [reply.text for reply in third] == later


@pytest.mark.parametrize("options", [{"opt_out": "no"}, {"loop_guard": 5}, {"policies": [Cooldown]}, {"policies": "x"}])
def test_a_bot_takes_policies_and_nothing_else(options: dict[str, object]) -> None:
    """What is none is refused where it is written."""
    with pytest.raises(RegistrationError, match="Bot"):
        Bot(**options)  # type: ignore[arg-type]  # it is wrong on purpose
