"""Reactions, edits, typing and who comes and goes: as little to write as for a message."""

from __future__ import annotations

import pytest

from linqbot import Bot, Message, Reply
from linqbot.events import MessageEdited, Participation, Reaction
from linqbot.testing import Sim

ALICE = "+12025559876"
BOB = "+12025559877"


@pytest.fixture
def bot() -> Bot:
    """A bot that looks beside the messages."""
    bot = Bot()

    @bot.message()
    async def echo(message: Message) -> str:
        return message.text

    @bot.reaction("dislike", on="bot")
    async def sorry(reaction: Reaction) -> Reply:
        return Reply("What went wrong?", reply_to=reaction.message)

    @bot.edited
    async def noticed(edit: MessageEdited) -> str:
        return f"Oh, {edit.text}."

    @bot.typing()
    async def patient() -> str:
        return "Take your time."

    @bot.member_joined
    async def welcome(member: Participation) -> str:
        return "Welcome!"

    @bot.member_left
    async def farewell() -> str:
        return "Farewell!"

    return bot


def texts(sim: Sim, handle: str = ALICE) -> list[str]:
    """What somebody read."""
    return [bubble.text for bubble in sim.said_to(handle)]


async def test_a_reaction_on_the_bots_words_is_answered_in_their_thread(sim: Sim) -> None:
    """Also on words of which the answer of Linq was lost: the webhook told whose they were."""
    sim.faults.lose_answer()
    await sim.user(ALICE).says("hi")
    sim.clock.advance(seconds=5)
    await sim.settled()
    [hi] = sim.said_to(ALICE)

    sim.emulator.people.reacts(ALICE, hi.message_id, "dislike")
    await sim.settled()

    assert [(bubble.text, bubble.reply_to) for bubble in sim.said_to(ALICE)][1:] == [
        ("What went wrong?", hi.message_id)
    ]


async def test_a_reaction_on_other_words_is_not_the_bots_business(sim: Sim) -> None:
    """Alice dislikes what she wrote herself."""
    written = await sim.user(ALICE).writes("hi")
    await sim.settled()

    sim.emulator.people.reacts(ALICE, written, "dislike")
    await sim.settled()

    assert texts(sim) == ["hi"]


async def test_edits_typing_and_members_are_noticed(sim: Sim) -> None:
    """Each by its own decorator."""
    written = await sim.user(ALICE).writes("hi", group=[BOB])
    await sim.settled()
    [hi] = sim.said_to(ALICE)

    sim.emulator.people.edits(written, "hello")
    await sim.settled()
    sim.emulator.people.types(ALICE, hi.chat_id)
    await sim.settled()
    sim.emulator.people.joins("+12025559878", hi.chat_id)
    await sim.settled()
    sim.emulator.people.leaves("+12025559878", hi.chat_id)
    await sim.settled()

    assert texts(sim) == ["hi", "Oh, hello.", "Take your time.", "Welcome!", "Farewell!"]
