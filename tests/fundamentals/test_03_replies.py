"""What a handler may return."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from linqbot import Bot, Link, Media, Message, Reply
from linqbot.testing import Sim


@pytest.fixture
def bot() -> Bot:
    """A handler for each kind of answer."""
    bot = Bot()

    @bot.message("nothing")
    async def nothing() -> None:
        return None

    @bot.message("party")
    async def party() -> Reply:
        return Reply("Hooray!", effect="confetti")

    @bot.message("photo")
    async def photo() -> Reply:
        return Reply("Here:", Media(url="https://example.com/cat.jpg"), "A cat.")

    @bot.message("several")
    async def several() -> list[str | Reply]:
        return ["One.", Reply(Link("https://example.com")), "Three."]

    @bot.message("slowly")
    async def slowly(message: Message) -> AsyncIterator[str]:
        yield "First this,"
        yield "then that."

    return bot


async def test_none_says_nothing(sim: Sim) -> None:
    """A handler that returns None took the message and answers nothing."""
    assert await sim.user().says("nothing") == []


async def test_an_effect_goes_with_the_reply(sim: Sim) -> None:
    """Effects are named in Linq's words."""
    [reply] = await sim.user().says("party")

    assert reply.effect == "confetti"


async def test_a_reply_may_have_several_parts(sim: Sim) -> None:
    """Text and media share a bubble."""
    [reply] = await sim.user().says("photo")

    assert [part["type"] for part in reply.parts] == ["text", "media", "text"]


async def test_a_list_is_several_bubbles_in_order(sim: Sim) -> None:
    """Only the first of a turn is threaded by default."""
    replies = await sim.user().says("several")

    assert [reply.text for reply in replies] == ["One.", "https://example.com", "Three."]
    assert [reply.reply_to is not None for reply in replies] == [True, False, False]


async def test_a_generator_says_each_bubble_as_it_comes(sim: Sim) -> None:
    """Each yielded value is committed by itself, so that it is on its way while the handler goes on."""
    replies = await sim.user().says("slowly")

    assert [reply.text for reply in replies] == ["First this,", "then that."]
