"""What a handler may have done beside saying something."""

from __future__ import annotations

from typing import Any

import pytest

from linqbot import AddOptions, Bot, Event, MarkRead, Message, Poll, React, Typing, Unreact, Unvote, Vote
from linqbot.replies import Answer
from linqbot.testing import Sim

ALICE, BOB = "+12025559876", "+12025559877"

ANSWERS: dict[str, Answer] = {
    "love": React("love"),
    "thumb": [React("👍"), "Done."],
    "no love": [React("love"), Unreact("love")],
    "typing": [Typing(), Typing(on=False)],
    "read": MarkRead(),
    "poll": Poll("Pizza", "Sushi", ref="lunch"),
}


@pytest.fixture
def bot() -> Bot:
    """Does what is asked for."""
    bot = Bot()

    @bot.message()
    async def anything(message: Message) -> Answer:
        return ANSWERS[message.text]

    @bot.event("poll.received")
    async def choose(event: Event) -> Answer:
        first, second = event.raw["data"]["poll"]["options"]
        return [Vote(first["option_id"]), Vote(second["option_id"]), Unvote(first["option_id"])]

    @bot.event("poll.vote.added")
    async def longer(event: Event) -> Answer:
        return AddOptions("Tacos")

    return bot


def deeds(sim: Sim) -> list[dict[str, Any]]:
    """What the bot's line did besides sending messages, without the times."""
    return [{name: value for name, value in deed.items() if name != "at"} for deed in sim.emulator.deeds()]


async def test_a_tapback_goes_on_the_message_that_is_answered(sim: Sim) -> None:
    """On the part whose text matched; nothing is said."""
    message_id = await sim.user().writes("love")
    await sim.settled()

    [deed] = deeds(sim)
    assert (deed["deed"], deed["message_id"], deed["type"]) == ("reaction.added", message_id, "love")
    assert sim.replies == []


async def test_an_emoji_goes_on_it_before_the_answer_is_said(sim: Sim) -> None:
    """Actions and bubbles keep their order, and the bubble is threaded as if it were alone."""
    [reply] = await sim.user().says("thumb")

    assert deeds(sim)[0]["custom_emoji"] == "👍"
    assert (reply.text, reply.reply_to is not None) == ("Done.", True)


async def test_a_tapback_is_taken_away(sim: Sim) -> None:
    """Unreact takes away what React put on."""
    await sim.user().says("no love")

    assert [deed["deed"] for deed in deeds(sim)] == ["reaction.added", "reaction.removed"]


async def test_typing_is_shown_and_ended(sim: Sim) -> None:
    """Where the service has it."""
    await sim.user().says("typing")

    assert [deed["deed"] for deed in deeds(sim)] == ["typing.started", "typing.stopped"]


async def test_what_was_written_is_marked_as_read(sim: Sim) -> None:
    """On request."""
    await sim.user().says("read")

    assert [deed["deed"] for deed in deeds(sim)] == ["read"]


async def test_a_poll_is_made(sim: Sim) -> None:
    """It is a message of the chat, sent under a key, once."""
    [poll] = await sim.user().says("poll")

    made = sim.emulator.linq.world.messages[poll.message_id].poll
    assert made is not None
    assert [option.text for option in made.options] == ["Pizza", "Sushi"]
    assert (poll.idempotency_key or "").startswith("lb1_")


async def test_a_poll_is_voted_in_and_made_longer(sim: Sim) -> None:
    """Votes and options go to the poll that the event is about."""
    await sim.emulator.inbound(ALICE, poll=["Pizza", "Sushi"])
    await sim.settled()
    [message] = [one for one in sim.emulator.linq.world.messages.values() if one.poll]
    assert message.poll is not None
    sim.emulator.people.votes(ALICE, message.id, message.poll.options[0].id)
    await sim.settled()

    assert [deed["deed"] for deed in deeds(sim)] == ["vote.added", "vote.added", "vote.removed"]
    assert [option.text for option in message.poll.options][:2] == ["Pizza", "Sushi"]
    assert "Tacos" in [option.text for option in message.poll.options]


@pytest.mark.parametrize(("word", "service"), [("love", "SMS"), ("poll", "SMS"), ("poll", "RCS")])
async def test_what_the_service_has_not_is_dead_and_never_asked_for(sim: Sim, word: str, service: str) -> None:
    """Linq would refuse it: no request leaves, and the letter says why."""
    await sim.user().says(word, service=service)

    [letter] = await sim.bot.store.dead()
    assert f"this chat is on {service}" in letter.reason
    assert sim.emulator.requests == []


async def test_a_lost_answer_is_no_second_tapback_and_no_second_poll(sim: Sim) -> None:
    """A tapback is put on again, which changes nothing; a poll is sent again under its key."""
    for word in ("love", "poll"):
        sim.faults.lose_answer()
        await sim.user().says(word)
        sim.clock.advance(seconds=60)
        await sim.settled()

    assert [(one["type"]) for one in deeds(sim) if one["deed"] == "reaction.added"] in (["love"], ["love", "love"])
    assert len([one for one in sim.emulator.linq.world.messages.values() if one.poll]) == 1
    assert sim.emulator.counters["key_conflicts"] == 0
