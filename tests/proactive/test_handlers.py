"""Messages to somebody else, returned by handlers."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from linqbot import Bot, Link, Message, Reply, Send
from linqbot.protocol.proactive import chat_fact
from linqbot.records import Fact, Limits
from linqbot.testing import Sim
from linqbot.testing.harness import LINE, Bubble

ALICE, BOB, CAROL = "+12025559876", "+12025559877", "+12025559878"


@pytest.fixture
def bot() -> Bot:
    """A bot that passes messages on."""
    bot = Bot()

    @bot.message("pass")
    async def passed(message: Message) -> list[str | Send]:
        return ["Passed on.", Send(BOB, f"For you: {message.text}")]

    @bot.message("tell")
    async def told() -> Send:
        return Send(BOB, ["One", Reply("Two", effect="echo"), "Three"], key="tell:1")

    @bot.message("party")
    async def party() -> Send:
        return Send([CAROL, BOB], "Party!")

    @bot.message("back")
    async def back(message: Message) -> Send:
        return Send(message.chat.id, "In this chat", key="back")

    @bot.message("link")
    async def linked() -> list[str | Send]:
        return ["Here.", Send(BOB, Link("https://example.com")), Send(CAROL, ["Look:", Link("https://example.com")])]

    @bot.message("slowly")
    async def slowly() -> AsyncIterator[str | Send]:
        yield "First this,"
        yield Send(BOB, "that")
        yield "then that."

    @bot.message("known")
    async def known() -> list[str | Send]:
        return ["Sure.", Send(BOB, Reply("Hooray!", effect="confetti")), Send(BOB, Link("https://example.com"))]

    @bot.message("mine")
    async def mine(message: Message) -> Send:
        return Send(message.sender.handle, Link("https://example.com/yours"))

    @bot.message("other line")
    async def elsewhere() -> Send:
        return Send(BOB, "hi", line="+12025550101")

    return bot


def line_of(sim: Sim, bubble: Bubble) -> str:
    """The line that a bubble came from."""
    return sim.emulator.linq.world.chats[bubble.chat_id].line


async def test_a_message_to_somebody_else_goes_out_with_the_answer(sim: Sim) -> None:
    """It opens a chat from the line that the event came to."""
    [answer] = await sim.user(ALICE).says("pass it")

    [sent] = sim.said_to(BOB)
    assert answer.text == "Passed on."
    assert (sent.text, sent.reply_to) == ("For you: pass it", None)
    assert line_of(sim, sent) == LINE


async def test_several_bubbles_arrive_in_order(sim: Sim) -> None:
    """The first opens the chat, the others follow into it."""
    await sim.user(ALICE).says("tell him")

    sent = sim.said_to(BOB)
    assert [bubble.text for bubble in sent] == ["One", "Two", "Three"]
    assert len({bubble.chat_id for bubble in sent}) == 1
    assert [bubble.effect for bubble in sent] == [None, "echo", None]


async def test_a_key_is_for_once_whoever_asks(sim: Sim) -> None:
    """Two events ask for the same message: it is sent once."""
    await sim.user(ALICE).says("tell him")
    await sim.user(CAROL).says("tell him")

    assert [bubble.text for bubble in sim.said_to(BOB)] == ["One", "Two", "Three"]


async def test_a_group_is_opened_once(sim: Sim) -> None:
    """The same people are the same chat."""
    await sim.user(ALICE).says("party")
    await sim.user(ALICE).says("party")

    assert len({bubble.chat_id for bubble in sim.said_to(BOB)}) == 1
    assert [bubble.text for bubble in sim.said_to(CAROL)] == ["Party!", "Party!"]


async def test_a_chat_may_be_named_by_its_id(sim: Sim) -> None:
    """Nothing is threaded on the message that caused it."""
    [sent] = await sim.user(ALICE).says("back")

    assert (sent.text, sent.reply_to) == ("In this chat", None)


async def test_what_cannot_be_sent_is_a_dead_letter_and_the_rest_goes_out(sim: Sim) -> None:
    """A link alone cannot open a chat: no request leaves, and the reason says so."""
    [answer] = await sim.user(ALICE).says("link")

    [letter] = await sim.bot.store.dead()
    assert answer.text == "Here."
    assert sim.said_to(BOB) == []
    assert [bubble.text for bubble in sim.said_to(CAROL)] == ["Look:", "https://example.com"]
    assert (letter.kind, letter.handler) == ("reply", "linked")
    assert "may hold no link" in letter.reason
    assert BOB not in repr(letter)


async def test_a_stream_may_send_to_others_in_between(sim: Sim) -> None:
    """What is yielded is committed as it comes."""
    answers = await sim.user(ALICE).says("slowly")

    assert [bubble.text for bubble in answers] == ["First this,", "then that."]
    assert [bubble.text for bubble in sim.said_to(BOB)] == ["that"]


async def test_it_may_leave_from_another_line(sim: Sim) -> None:
    """What a send says about itself is nearest."""
    await sim.user(ALICE).says("other line")

    [sent] = sim.said_to(BOB)
    assert line_of(sim, sent) == "+12025550101"


async def test_to_a_chat_that_is_known_nothing_is_held_back(sim: Sim) -> None:
    """Effects and links are only kept from first messages."""
    await sim.user(BOB).says("nobody answers this")
    [chat_id] = [chat.id for chat in sim.emulator.linq.world.chats_with(BOB)]
    await sim.bot.store.learn([Fact(key=chat_fact(Send(BOB, "x"), LINE) or "", value=chat_id.encode())])

    await sim.user(ALICE).says("known")

    sent = sim.said_to(BOB)
    assert [(bubble.text, bubble.effect) for bubble in sent] == [("Hooray!", "confetti"), ("https://example.com", None)]
    assert {bubble.chat_id for bubble in sent} == {chat_id}
    assert {request["path"] for request in sim.emulator.requests if chat_id in request["path"]} != set()


async def test_whoever_wrote_is_not_somebody_new(sim: Sim) -> None:
    """A send to the person who is answered goes into their chat, links and all; in a group it does not."""
    [sent] = await sim.user(ALICE).says("what is mine?")
    await sim.user(BOB).says("what is mine?", group=[ALICE, CAROL])

    [letter] = await sim.bot.store.dead()
    assert sent.text == "https://example.com/yours"
    assert "may hold no link" in letter.reason


async def test_a_chat_that_is_gone_is_opened_anew(sim: Sim) -> None:
    """What was known of it is out of date: the message goes to its recipients all the same, once."""
    gone = "0b0c2f6e-6a10-4a1d-9d51-9a1f6c0a7b11"
    await sim.bot.store.learn([Fact(key=chat_fact(Send(BOB, "x"), LINE) or "", value=gone.encode())])

    await sim.user(ALICE).says("tell him")

    assert [bubble.text for bubble in sim.said_to(BOB)] == ["One", "Two", "Three"]
    assert len({bubble.chat_id for bubble in sim.said_to(BOB)}) == 1


async def test_the_chat_that_was_opened_anew_is_known_for_its_time(sim: Sim) -> None:
    """As long as a first one: the next message goes there, and what is known of people does not grow for ever."""
    key = chat_fact(Send(BOB, "x"), LINE) or ""
    await sim.bot.store.learn([Fact(key=key, value=b"0b0c2f6e-6a10-4a1d-9d51-9a1f6c0a7b11")])
    await sim.user(ALICE).says("tell him")

    known = (await sim.bot.store.facts([key]))[key]

    assert known.value == sim.said_to(BOB)[0].chat_id.encode()
    assert known.ttl_ms == Limits().passed_ms


@pytest.mark.parametrize("line", [None, LINE], ids=["linq picks", "named"])
async def test_a_lost_answer_to_somebody_new_is_made_up_for_by_the_news(sim: Sim, line: str | None) -> None:
    """The webhook names the chat, where the message did not wait: it is found by its key, and no second request leaves."""
    sim.faults.lose_answer()
    await sim.bot.send(BOB, "Hi", key="1", line=line)
    await sim.settled()
    sim.clock.advance(seconds=5)
    await sim.settled()

    assert [bubble.text for bubble in sim.said_to(BOB)] == ["Hi"]
    assert [seen["method"] for seen in sim.emulator.requests].count("POST") == 1


async def test_a_lost_answer_opens_no_second_chat(sim: Sim) -> None:
    """Linq took it and the connection broke: the same key again, and one message is there."""
    sim.faults.lose_answer()
    await sim.user(ALICE).writes("tell him")
    await sim.settled()
    sim.clock.advance(seconds=5)
    await sim.settled()

    assert [bubble.text for bubble in sim.said_to(BOB)] == ["One", "Two", "Three"]
