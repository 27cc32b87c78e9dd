"""The guard before what the bot begins by itself: `bot.send`, by handle, by chat, from any process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from linqbot import Bot, Message, Send
from linqbot.emulator.world import LINES
from linqbot.protocol.guard import YES, line_key
from linqbot.records import Fact
from linqbot.settings import load_settings
from linqbot.testing import Sim
from linqbot.testing.harness import LINE

ANN = "+12025559876"
BEN = "+12025559877"


@pytest.fixture
def bot() -> Bot:
    """A bot that answers, and tells Ben of orders."""
    bot = Bot()

    @bot.message("order")
    async def order() -> list[str | Send]:
        return ["Ordered.", Send(BEN, "An order!")]

    @bot.message()
    async def echo(message: Message) -> str:
        return f"you said {message.text}"

    return bot


@pytest.fixture
async def sim(bot: Bot, tmp_path: Path) -> AsyncIterator[Sim]:
    """The bot on a store that another process may open."""
    async with Sim(bot, store=f"sqlite:///{tmp_path}/bot.db") as running:
        yield running


def sends(sim: Sim) -> int:
    """How many requests to send Linq has seen."""
    paths = [one["path"] for one in sim.emulator.requests if one["method"] == "POST"]
    return sum(path.endswith(("/messages", "/v3/chats")) for path in paths)


async def reasons(sim: Sim) -> set[str]:
    """Why replies are dead, without their codes."""
    return {letter.reason.partition(",")[0] for letter in await sim.bot.store.dead()}


async def _idle(sim: Sim) -> None:
    """Until the bot has looked at what is ready; what waits for the clock is left waiting."""
    for _ in range(20):
        await asyncio.sleep(0.01)
        while not sim.bot.idle:  # noqa: ASYNC110  # there is no event for "nothing is to be done now"
            await asyncio.sleep(0.01)


async def all_done(sim: Sim) -> None:
    """Turn the clock over the pace until nothing waits."""
    await _idle(sim)
    while (await sim.bot.store.stats()).outbox:
        sim.clock.advance(seconds=61)
        await _idle(sim)


@pytest.mark.parametrize("by", ["handle", "chat"])
async def test_after_stop_fifty_sends_make_no_request(sim: Sim, by: str) -> None:
    """Whoever is named, the person or the chat with them: they are dead letters, with the reason."""
    (reply,) = await sim.user(ANN).says("hello")
    await sim.user(ANN).says("STOP")
    before = sends(sim)

    for number in range(50):
        await sim.bot.send(ANN if by == "handle" else reply.chat_id, f"offer {number}", key=f"offer:{number}")
    await all_done(sim)

    assert (sends(sim), len(sim.said_to(ANN))) == (before, 1)
    assert len(await sim.bot.store.dead(100)) == 50
    assert await reasons(sim) == {"the recipient has opted out"}


async def test_silence_is_kept_in_their_other_chat_too(sim: Sim) -> None:
    """Opt-outs are a person's: a send by the id of their new chat with another line makes no request either."""
    (reply,) = await sim.user(ANN).says("hello", to=LINES[1])
    await sim.user(ANN).says("STOP")
    before = sends(sim)

    await sim.bot.send(reply.chat_id, "offer", key="offer")
    await all_done(sim)

    assert sends(sim) == before
    assert await reasons(sim) == {"the recipient has opted out"}


async def test_what_linq_refused_by_chat_ends_with_their_next_message(sim: Sim) -> None:
    """After a 403/2024 for a chat no other message leaves there until whoever is in it writes; then it does."""
    (reply,) = await sim.user(ANN).says("hello")
    sim.faults.answer(403, code=2024)
    for number in range(3):
        await sim.bot.send(reply.chat_id, f"offer {number}", key=f"offer:{number}")
    await _idle(sim)
    refused = sends(sim)
    sim.clock.advance(seconds=61)
    await sim.user(ANN).says("hi")
    await all_done(sim)

    assert refused == 2
    assert {bubble.text for bubble in sim.said_to(ANN)} == {"you said hello", "you said hi", "offer 1", "offer 2"}


@pytest.mark.parametrize("age", [timedelta(minutes=1), timedelta(days=3)], ids=["a new chat", "an old chat"])
async def test_a_chat_that_linq_refuses_is_asked_for_hourly(sim: Sim, age: timedelta) -> None:
    """Whoever is in it, and however long ago they wrote: what is said there is not lost while Linq may change its mind."""
    (reply,) = await sim.user(ANN).says("hello")
    sim.clock.advance(seconds=age.total_seconds())
    sim.faults.answer(403, code=2026)
    for number in range(10):
        await sim.bot.send(reply.chat_id, f"offer {number}", key=f"offer:{number}")
    await _idle(sim)
    asked = sends(sim)
    await all_done(sim)

    assert asked == 2
    assert len(sim.said_to(ANN)) == 10


async def test_a_handlers_send_to_somebody_silent_stays(sim: Sim) -> None:
    """The turn's own answer leaves, what it tells somebody else does not."""
    await sim.user(BEN).says("STOP")

    replies = await sim.user(ANN).says("order")

    assert [reply.text for reply in replies] == ["Ordered."]
    assert sim.said_to(BEN) == []


async def test_what_was_queued_before_is_sent_after_they_wrote_again(sim: Sim) -> None:
    """Silence is looked at when a send leaves, not when it is made."""
    await sim.user(ANN).says("STOP")
    await sim.user(ANN).says("hello")

    await sim.bot.send(ANN, "offer", key="offer")
    await all_done(sim)

    assert [reply.text for reply in sim.said_to(ANN)] == ["you said hello", "offer"]


async def test_a_group_with_somebody_silent_is_written_to(sim: Sim) -> None:
    """Groups are never suppressed."""
    await sim.user(ANN).says("STOP")

    await sim.bot.send([ANN, BEN], "hello all", key="all")
    await all_done(sim)

    assert [reply.text for reply in sim.said_to(BEN)] == ["hello all"]


async def test_another_process_obeys_what_this_one_learned(sim: Sim, tmp_path: Path) -> None:
    """A script on the same store makes no request either, also for what only Linq said."""
    await sim.user(ANN).says("hello")
    sim.faults.add("403", match="POST /v3/*", code=2024)
    await sim.bot.send(ANN, "first", key="first")
    await sim.settled()
    assert await reasons(sim) != set()
    before = sends(sim)
    script = Bot(
        settings=load_settings(
            env_file=None,
            api_key="a-test-token",
            base_url="http://linq.test/api/partner",
            store=f"sqlite:///{tmp_path}/bot.db",
        )
    )
    script.configure(clock=sim.clock, transport=httpx.ASGITransport(app=sim.emulator.app))

    async with script.sender():
        await script.send(ANN, "second", key="second")
    await all_done(sim)

    assert sends(sim) == before
    assert await reasons(sim) >= {"the recipient has opted out"}


@pytest.mark.parametrize("status", ["FLAGGED", "ACTIVE"])
async def test_news_of_the_line_pauses_what_nobody_waits_for(sim: Sim, status: str) -> None:
    """A flagged line sends answers and no broadcasts, until Linq says that it is well."""
    await sim.user(ANN).says("hello")
    sim.emulator.people.line(LINE, status="FLAGGED")
    await sim.emulator.quiet()
    if status == "ACTIVE":
        sim.clock.advance(seconds=1)
        sim.emulator.people.line(LINE, status="ACTIVE")
    await sim.emulator.quiet()
    before = sends(sim)

    await sim.bot.send(ANN, "offer", key="offer", line=LINE)
    await _idle(sim)

    assert sends(sim) == before + (status == "ACTIVE")


async def test_a_flagged_line_pauses_sends_by_chat_too(sim: Sim) -> None:
    """Which line a chat is of is known from who wrote there, while it is new or was not well lately."""
    (reply,) = await sim.user(ANN).says("hello")
    sim.emulator.people.line(LINE, status="FLAGGED")
    await sim.emulator.quiet()
    before = sends(sim)

    await sim.bot.send(reply.chat_id, "offer", key="offer")
    await _idle(sim)

    assert sends(sim) == before


@pytest.mark.parametrize("settings", [{}, {"from_number": LINE}], ids=["linq picks the line", "the line is set"])
@pytest.mark.parametrize("by", ["handle", "chat"])
async def test_broadcasts_keep_the_pace_of_a_line(bot: Bot, by: str, settings: dict[str, str]) -> None:
    """Also where the line is not known beforehand: then they have one pace together, a fifth below the limit."""
    people = [f"+120255510{number:02}" for number in range(10)]
    async with Sim(bot, line_budget="5/60s", **settings) as sim:
        for person in people:
            await sim.user(person).says("hello")
            sim.clock.advance(seconds=61)
        before = sends(sim)

        for bubble in sim.replies:
            await sim.bot.send(bubble.to if by == "handle" else bubble.chat_id, "offer", key=bubble.chat_id)
        await _idle(sim)

        assert sends(sim) - before == 4


@pytest.mark.parametrize("when", ["before", "after"])
async def test_an_answer_does_not_wait_behind_what_is_paused(sim: Sim, when: str) -> None:
    """In the same chat, whether it was frozen before the broadcast was looked at or after: it is sent at once."""
    (first,) = await sim.user(ANN).says("hello")
    news = Fact(key=line_key(LINE), value=YES, rank=sim.clock.now_ms())
    await sim.bot.store.learn([news])  # the emulated Linq would refuse the answer, too
    if when == "before":
        await asyncio.gather(
            sim.user(ANN).writes("there?"), sim.bot.send(first.chat_id, "offer", key="offer", line=LINE)
        )
    else:
        await sim.bot.send(first.chat_id, "offer", key="offer", line=LINE)
        await _idle(sim)
        await sim.user(ANN).writes("there?")
    await sim.emulator.quiet()
    await _idle(sim)
    assert [reply.text for reply in sim.said_to(ANN)] == ["you said hello", "you said there?"]

    await sim.bot.store.learn([replace(news, value=None)])
    await all_done(sim)

    assert [reply.text for reply in sim.said_to(ANN)] == ["you said hello", "you said there?", "offer"]


@pytest.mark.parametrize("by", ["handle", "chat"])
async def test_a_chat_in_critical_health_is_answered_and_left_alone_otherwise(sim: Sim, by: str) -> None:
    """Linq advises to pause (linq-api-v3.md section 9.2): what nobody waits for leaves once the chat is well again."""
    (reply,) = await sim.user(ANN).says("hello")
    sim.emulator.people.chat(reply.chat_id, health="CRITICAL")
    await sim.user(ANN).says("hm")
    before = sends(sim)
    await sim.bot.send(ANN if by == "handle" else reply.chat_id, "offer", key="offer", line=LINE)
    await _idle(sim)
    meanwhile = sends(sim)
    sim.clock.advance(seconds=61)
    sim.emulator.people.chat(reply.chat_id, health="HEALTHY")
    await sim.user(ANN).says("better")
    await all_done(sim)

    assert meanwhile == before
    said = {bubble.text for bubble in sim.said_to(ANN)}
    assert said == {"you said hello", "you said hm", "you said better", "offer"}


@pytest.mark.parametrize("by", ["handle", "chat"])
async def test_a_blocked_handle_is_written_to_once_it_is_unblocked(sim: Sim, by: str) -> None:
    """Blocking and unblocking through the client counts at once, in all processes."""
    (reply,) = await sim.user(ANN).says("hello")
    to = ANN if by == "handle" else reply.chat_id
    await sim.bot.client.blocked_handles.block(ANN)
    before = sends(sim)
    await sim.bot.send(to, "one", key="one")
    await all_done(sim)
    assert sends(sim) == before
    assert ["blocked" in reason for reason in await reasons(sim)] == [True]

    sim.clock.advance(seconds=1)
    await sim.bot.client.blocked_handles.unblock(ANN)
    await sim.bot.send(to, "two", key="two")
    await all_done(sim)

    assert [reply.text for reply in sim.said_to(ANN)] == ["you said hello", "two"]
