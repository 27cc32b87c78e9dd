"""The text that a message quotes: read from Linq when a handler asks, soon or not at all."""

from __future__ import annotations

import asyncio

import pytest

from linqbot import Bot, Message, Turn
from linqbot.engine.quoting import QUOTE_S
from linqbot.testing import Sim

ALICE = "+12025559876"


@pytest.fixture
def bot() -> Bot:
    """A bot that tells what somebody answered."""
    bot = Bot()

    @bot.message("what")
    async def what(turn: Turn) -> str:
        quoted = [await turn.quoted(), await turn.quoted()]
        return f"You answered {quoted[0]!r}." if quoted[0] == quoted[1] else "Different each time?"

    @bot.message()
    async def echo(message: Message) -> str:
        return message.text

    return bot


def reads(sim: Sim) -> int:
    """How often a message was read back."""
    return sum(seen["operation"] == "getMessage" for seen in sim.emulator.requests)


async def test_the_quoted_text_is_read_back_once(sim: Sim) -> None:
    """However often a run asks for it; whose words they are does not matter."""
    alice = sim.user(ALICE)
    [hello] = await alice.says("hello")

    [answer] = await alice.says("what?", reply_to=hello.message_id)

    assert answer.text == "You answered 'hello'."
    assert reads(sim) == 1


async def test_a_message_that_quotes_nothing_has_no_quoted_text(sim: Sim) -> None:
    """And Linq is not asked."""
    [answer] = await sim.user(ALICE).says("what?")

    assert answer.text == "You answered None."
    assert reads(sim) == 0


async def test_a_quoted_message_that_is_gone_has_no_text(sim: Sim) -> None:
    """Linq forgets within a day (linq-api-v3.md section 9.5)."""
    alice = sim.user(ALICE)
    [hello] = await alice.says("hello")
    await sim.bot.client.messages.delete(hello.message_id)

    [answer] = await alice.says("what?", reply_to=hello.message_id)

    assert answer.text == "You answered None."


async def test_linq_that_does_not_answer_is_not_waited_for(sim: Sim) -> None:
    """A person waits behind it."""
    alice = sim.user(ALICE)
    [hello] = await alice.says("hello")
    sim.faults.add("timeout", match="getMessage", count=None)

    await alice.writes("what?", reply_to=hello.message_id)
    async with asyncio.timeout(10):
        while not reads(sim):  # noqa: ASYNC110  # the emulator has no event for that
            await asyncio.sleep(0.002)
    sim.clock.advance(seconds=QUOTE_S)
    await sim.settled()

    assert sim.said_to(ALICE)[-1].text == "You answered None."
