"""A bot answers what it hears. Read these files in order: they are the tutorial."""

from __future__ import annotations

import pytest

from linqbot import Bot, Message
from linqbot.testing import Sim


@pytest.fixture
def bot() -> Bot:
    """The six-line bot."""
    bot = Bot()

    @bot.message()
    async def echo(message: Message) -> str:
        return message.text

    return bot


async def test_what_a_handler_returns_is_sent(sim: Sim) -> None:
    """A returned string is one text, sent as it is."""
    [reply] = await sim.user().says("2*3*4 is *not* italic")

    assert reply.text == "2*3*4 is *not* italic"


async def test_the_reply_is_threaded_on_the_message_it_answers(sim: Sim) -> None:
    """By default the first bubble of a turn is a reply to the inbound message."""
    alice = sim.user()

    message_id = await alice.writes("Hello?")
    await sim.settled()

    assert [reply.reply_to for reply in sim.replies] == [message_id]


async def test_everybody_has_a_chat_of_their_own(sim: Sim) -> None:
    """Replies go where the message came from."""
    alice, bob = sim.user("+12025559876"), sim.user("+12025559877")

    await alice.says("I am Alice")
    await bob.says("I am Bob")

    assert [reply.text for reply in sim.said_to(alice.handle)] == ["I am Alice"]
    assert [reply.text for reply in sim.said_to(bob.handle)] == ["I am Bob"]
