"""Somebody asks for silence, and gets it: the real app, the real store and the emulator (linq-api-v3.md section 9.1)."""

from __future__ import annotations

import asyncio
import json

import pytest

from linqbot import Bot, Message
from linqbot.emulator.world import LINES
from linqbot.events import MessageEvent
from linqbot.protocol.guard import person_key
from linqbot.testing import Person, Sim

ANN = "+12025559876"
BEN = "+12025559877"


class Shop:
    """A bot whose answer to `slow` waits until it is let go, and what its handlers heard."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.begun = asyncio.Event()
        self.go_on = asyncio.Event()

    def bot(self, **options: object) -> Bot:
        """The bot, new."""
        bot = Bot(**options)  # type: ignore[arg-type]  # what the test names

        @bot.message("slow")
        async def slow() -> list[str]:
            self.begun.set()
            await self.go_on.wait()
            return ["one", "two", "three"]

        @bot.message()
        async def echo(message: Message) -> str:
            self.heard.append(message.text)
            return f"you said {message.text}"

        return bot


@pytest.fixture
def shop() -> Shop:
    """What happens in the handlers."""
    return Shop()


@pytest.fixture
def bot(shop: Shop) -> Bot:
    """The bot under test."""
    return shop.bot()


def sends(sim: Sim) -> int:
    """How many requests to send a message Linq has seen."""
    return sum(one["method"] == "POST" and one["path"].endswith("/messages") for one in sim.emulator.requests)


async def reasons(sim: Sim) -> list[str]:
    """Why replies are dead."""
    return [letter.reason for letter in await sim.bot.store.dead()]


async def fall_silent_during_a_turn(sim: Sim, shop: Shop, person: Person) -> None:
    """The person asks something, and for silence before the answer is there."""
    await person.writes("slow")
    await shop.begun.wait()
    await person.writes("STOP")
    await sim.emulator.quiet()
    shop.go_on.set()
    await sim.settled()


@pytest.mark.parametrize("word", ["STOP", "END", " QUIT\n", "Opt-out"])
async def test_the_word_reaches_no_handler_and_is_not_answered(sim: Sim, shop: Shop, word: str) -> None:
    """No last courtesy, no echo, no fallback."""
    assert await sim.user(ANN).says(word) == []
    assert (shop.heard, sends(sim), await reasons(sim)) == ([], 0, [])


@pytest.mark.parametrize("word", ["stop", "please STOP", "START"])
async def test_other_words_are_ordinary(sim: Sim, shop: Shop, word: str) -> None:
    """Everything else is a message like any other."""
    (reply,) = await sim.user(ANN).says(word)
    assert reply.text == f"you said {word}"


async def test_answers_that_are_on_their_way_are_stopped(sim: Sim, shop: Shop) -> None:
    """What was asked before the word is not answered after it: no request leaves, and the letters say why."""
    await fall_silent_during_a_turn(sim, shop, sim.user(ANN))

    assert (sends(sim), sim.replies) == (0, [])
    why = await reasons(sim)
    assert len(why) == 3
    assert all("opted out" in reason for reason in why)
    assert ANN not in "".join(why)


async def test_other_people_are_answered_meanwhile(sim: Sim, shop: Shop) -> None:
    """Silence is one person's."""
    await fall_silent_during_a_turn(sim, shop, sim.user(ANN))

    (reply,) = await sim.user(BEN).says("hello")
    assert reply.text == "you said hello"


async def test_the_next_ordinary_message_ends_it(sim: Sim) -> None:
    """Whatever they write, they are answered again, at once."""
    person = sim.user(ANN)
    await person.says("STOP")

    (reply,) = await person.says("hello")

    assert reply.text == "you said hello"
    assert await reasons(sim) == []


async def test_it_ends_in_another_conversation_too(sim: Sim, shop: Shop) -> None:
    """Somebody who writes to another line of ours gets the answers of both."""
    person = sim.user(ANN)
    await person.writes("slow")
    await shop.begun.wait()
    await person.writes("STOP")
    await person.writes("hello", to=LINES[1])
    await sim.emulator.quiet()
    shop.go_on.set()
    await sim.settled()

    assert sorted(reply.text for reply in sim.said_to(ANN)) == ["one", "three", "two", "you said hello"]


async def test_it_ends_in_a_group_too(sim: Sim, shop: Shop) -> None:
    """So does writing in a group."""
    person = sim.user(ANN)
    await person.writes("slow")
    await shop.begun.wait()
    await person.writes("STOP")
    await person.writes("hello all", group=[BEN])
    await sim.emulator.quiet()
    shop.go_on.set()
    await sim.settled()

    assert await reasons(sim) == []
    assert {reply.text for reply in sim.said_to(ANN)} == {"one", "two", "three", "you said hello all"}


async def test_a_word_in_a_group_is_an_ordinary_one(sim: Sim, shop: Shop) -> None:
    """It silences nobody: the handler gets it, the group its answer, and the person theirs in the direct chat."""
    person = sim.user(ANN)
    await person.writes("slow")
    await shop.begun.wait()
    await person.writes("STOP", group=[BEN])
    await sim.emulator.quiet()
    shop.go_on.set()
    await sim.settled()

    assert {reply.text for reply in sim.said_to(ANN)} == {"you said STOP", "one", "two", "three"}


async def test_a_group_goes_on_beside_the_silence(sim: Sim, shop: Shop) -> None:
    """Somebody silent sees what the bot says to others in a group."""
    await sim.user(ANN).says("STOP")

    replies = await sim.user(BEN).says("hello all", group=[ANN])

    assert [reply.text for reply in replies] == ["you said hello all"]
    assert [reply.text for reply in sim.said_to(ANN)] == ["you said hello all"]


@pytest.mark.parametrize(("first", "second", "silent"), [("STOP", "hello", False), ("hello", "STOP", True)])
async def test_what_comes_in_the_wrong_order_counts_in_the_right_one(
    sim: Sim, shop: Shop, first: str, second: str, *, silent: bool
) -> None:
    """Linq's webhooks overtake each other; what was written last counts."""
    person = sim.user(ANN)
    await person.writes("slow")
    await shop.begun.wait()
    sim.faults.add("reorder", match="webhook", count=2)
    await person.writes(first)
    sim.clock.advance(milliseconds=50)
    await person.writes(second)
    await sim.emulator.quiet()
    shop.go_on.set()
    await sim.settled()

    expected = set() if silent else {"one", "two", "three", "you said hello"}
    assert {reply.text for reply in sim.said_to(ANN)} == expected


async def test_linqs_own_word_is_learned_and_stops_the_next(sim: Sim, shop: Shop) -> None:
    """A 403/2024 although no word was seen: one request finds out, the turn's other answers do not leave."""
    sim.faults.answer(403, code=2024, count=None)
    shop.go_on.set()

    assert await sim.user(ANN).says("slow") == []

    assert sends(sim) == 1
    assert ["opted out" in reason for reason in await reasons(sim)] == [True] * 3


async def test_linqs_own_word_is_taken_back_by_the_next_message(sim: Sim, shop: Shop) -> None:
    """They wrote: Linq takes answers again, and so do we."""
    sim.faults.answer(403, code=2024)
    person = sim.user(ANN)
    await person.says("hello")
    sim.clock.advance(seconds=1)

    assert [reply.text for reply in await person.says("again")] == ["you said again"]


async def test_nothing_overrides_the_word(sim: Sim, shop: Shop) -> None:
    """No request ever asks Linq to send all the same."""
    await fall_silent_during_a_turn(sim, shop, sim.user(ANN))
    await sim.user(ANN).says("hello")

    assert "override_optout" not in json.dumps(sim.emulator.requests)
    assert sim.emulator.counters.get("optout_overrides", 0) == 0


async def test_without_the_policy_handlers_get_the_word_and_answers_still_stay(shop: Shop) -> None:
    """`opt_out=None` hands the word over; that nothing is sent is no policy: Linq would refuse it."""
    async with Sim(shop.bot(opt_out=None)) as sim:
        assert await sim.user(ANN).says("STOP") == []

        assert (shop.heard, sends(sim)) == (["STOP"], 0)
        assert "opted out" in (await reasons(sim))[0]


async def test_an_event_handler_may_take_note_of_the_word(sim: Sim) -> None:
    """Who asks for the event by its type gets it, as with history."""
    bot, noted = Bot(), []

    @bot.message("price")
    async def price() -> str:
        return "$20"

    @bot.event("message.received")
    async def note(event: MessageEvent) -> None:
        noted.append(event.text)

    async with Sim(bot) as other:
        await other.user(ANN).says("STOP")

    assert noted == ["STOP"]


async def test_a_bot_that_handles_no_messages_learns_the_word_all_the_same() -> None:
    """What is wanted by nobody teaches, and leaves nothing else behind."""
    bot = Bot()

    @bot.reaction()
    async def thanks() -> str:
        return "Thanks!"

    async with Sim(bot) as sim:
        await sim.user(ANN).says("STOP")

        known = await sim.bot.store.facts([person_key("opted-out", ANN)])
        assert [fact.value for fact in known.values()] == [b"1"]
        assert (await sim.bot.store.stats()).inbox == 0
