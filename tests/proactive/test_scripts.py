"""`bot.send`: messages that no event caused, from the bot's own process and from others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from linqbot import Bot, ConfigurationError, Media, Message, Queued, Reply, ReplyError, Send
from linqbot.emulator.world import LINES
from linqbot.protocol.proactive import chat_fact
from linqbot.testing import Sim

ALICE, BOB, CAROL = "+12025559876", "+12025559877", "+12025559878"


@pytest.fixture
def bot() -> Bot:
    """A bot that says what it hears."""
    bot = Bot()

    @bot.message()
    async def echo(message: Message) -> str:
        return message.text

    return bot


@pytest.fixture
async def sim(bot: Bot, tmp_path: Path) -> AsyncIterator[Sim]:
    """The bot on a store that others may open, too, with a line to send from."""
    async with Sim(bot, store=f"sqlite:///{tmp_path}/bot.db", from_number=LINES[0]) as running:
        yield running


@asynccontextmanager
async def script(sim: Sim, bot: Bot | None = None) -> AsyncIterator[Bot]:
    """Another program on the same store: it only sends."""
    other = Bot() if bot is None else bot
    transport = httpx.ASGITransport(app=sim.emulator.app)
    other.configure(settings=sim.bot.settings, clock=sim.clock, transport=transport)
    async with other.sender():
        yield other


def texts(sim: Sim, handle: str) -> list[str]:
    """What somebody has read."""
    return [bubble.text for bubble in sim.said_to(handle)]


def sends(sim: Sim) -> list[str]:
    """The paths of all requests for messages."""
    return [request["path"] for request in sim.emulator.requests if request["method"] == "POST"]


async def test_a_message_is_sent_once_under_its_key(sim: Sim) -> None:
    """A repeat says that it is none, and no second request leaves."""
    first = await sim.bot.send(BOB, "Shipped.", key="ship:42")
    again = await sim.bot.send(BOB, "Shipped.", key="ship:42")
    await sim.settled()
    late = await sim.bot.send(BOB, "Shipped.", key="ship:42")
    await sim.settled()

    assert [queued.new for queued in (first, again, late)] == [True, False, False]
    assert first.keys == again.keys == late.keys
    assert texts(sim, BOB) == ["Shipped."]
    assert len(sends(sim)) == 1


async def test_a_repeat_after_its_chat_is_known_is_none_either(sim: Sim) -> None:
    """What is known of the chat changes how it would be said, never under which keys."""
    reply = ["See https://example.com/42", Reply("Bye", effect="echo")]
    for _ in range(2):
        await sim.bot.send(BOB, reply, key="ship:42")
        await sim.settled()

    assert texts(sim, BOB) == ["See", "https://example.com/42", "Bye"]


async def test_a_key_may_be_of_any_length(sim: Sim) -> None:
    """It is hashed, never cut: two long ones that begin alike are two."""
    for end in "ab":
        await sim.bot.send(BOB, end, key="k" * 300 + end)
    await sim.settled()

    assert texts(sim, BOB) == ["a", "b"]


async def test_without_a_key_it_is_refused_by_name(sim: Sim) -> None:
    """The error says what a key is for."""
    with pytest.raises(ReplyError, match=r"key=.*'ship:42'.*repeat"):
        await sim.bot.send(BOB, "Shipped.")


async def test_what_linq_would_refuse_is_refused_before_any_request(sim: Sim) -> None:
    """Nothing is stored, so the key is still free."""
    with pytest.raises(ReplyError, match="begin with words"):
        await sim.bot.send(BOB, "https://example.com", key="k")

    assert await sim.bot.send(BOB, "Hi", key="k") == Queued(
        new=True, keys=(await sim.bot.send(BOB, "Hi", key="k")).keys
    )


async def test_a_bot_that_is_not_started_says_how(bot: Bot) -> None:
    """Nothing could be stored."""
    with pytest.raises(ConfigurationError, match="async with bot"):
        await bot.send(BOB, "Hi", key="k")


async def test_the_lane_goes_on_in_the_chat(sim: Sim) -> None:
    """Before and after the chat is known: in order, once, in one chat; then it is written to by its id."""
    await sim.bot.send(BOB, ["0", "1", "2"], key="first")
    await sim.settled()
    await sim.bot.send(BOB, Reply("3", effect="echo"), key="3")
    await sim.settled()

    [chat_id] = {bubble.chat_id for bubble in sim.said_to(BOB)}
    assert texts(sim, BOB) == ["0", "1", "2", "3"]
    assert sends(sim) == ["/v3/chats"] * 3 + [f"/v3/chats/{chat_id}/messages"]
    assert sim.said_to(BOB)[-1].effect == "echo"


async def test_messages_and_answers_to_one_person_share_a_chat(sim: Sim) -> None:
    """What was begun and what is answered is one conversation."""
    await sim.bot.send(BOB, "Hello!", key="hello")
    await sim.settled()
    await sim.user(BOB).says("Hi")

    assert texts(sim, BOB) == ["Hello!", "Hi"]
    assert len({bubble.chat_id for bubble in sim.said_to(BOB)}) == 1


@pytest.mark.parametrize("trouble", ["lost", "500", "409"])
async def test_trouble_with_the_first_turns_no_order_around(sim: Sim, trouble: str) -> None:
    """What comes after it waits, and nothing comes twice."""
    if trouble == "lost":
        sim.faults.lose_answer()
    else:
        sim.faults.answer(int(trouble), code=2009 if trouble == "409" else 3006, after=trouble == "500")
    for number in range(4):
        await sim.bot.send(BOB, f"{number}", key=f"{number}")
    for _ in range(3):
        await sim.settled()
        sim.clock.advance(seconds=5)
    await sim.settled()

    assert texts(sim, BOB) == ["0", "1", "2", "3"]
    assert len({bubble.chat_id for bubble in sim.said_to(BOB)}) == 1


async def test_a_burst_to_somebody_new_meets_no_rate_limit(sim: Sim) -> None:
    """Before and after the chat is known its pair has one budget: Linq never has to say 429."""
    for number in range(40):
        await sim.bot.send(BOB, f"{number}", key=f"{number}")
    for _ in range(4):
        await sim.settled()
        sim.clock.advance(seconds=61)
    await sim.settled()

    assert texts(sim, BOB) == [f"{number}" for number in range(40)]
    assert len(sends(sim)) == 40


async def test_a_file_is_uploaded_before_its_message_is_stored(sim: Sim) -> None:
    """The first message to somebody new may be a picture; a repeat uploads nothing."""
    for _ in range(2):
        await sim.bot.send(BOB, Media(data=b"picture", filename="a.png"), key="picture")
        await sim.settled()

    [sent] = sim.said_to(BOB)
    assert [part["type"] for part in sent.parts] == ["media"]
    assert sends(sim).count("/v3/attachments") == 1


async def test_a_script_queues_and_drains_before_it_leaves(sim: Sim) -> None:
    """With no other process there, it sends by itself."""
    await sim.bot.__aexit__(None, None, None)
    async with script(sim) as other:
        queued = await other.send([BOB, CAROL], "Party!", key="party")

    assert queued.new
    assert texts(sim, BOB) == texts(sim, CAROL) == ["Party!"]
    await sim.bot.__aenter__()


async def test_a_script_takes_no_webhooks_and_runs_no_handlers(sim: Sim) -> None:
    """Events that wait in the store are left to those that have handlers for them."""
    await sim.bot.__aexit__(None, None, None)
    sim.bot.configure(only="web")
    async with sim.bot:
        await sim.user(ALICE).writes("Anybody there?")
        await sim.emulator.quiet()

    async with script(sim) as other:
        transport = httpx.ASGITransport(app=other)
        async with httpx.AsyncClient(transport=transport, base_url="http://bot.test") as linq:
            refused = await linq.post("/webhooks/linq", content=b"{}")
        await other.send(BOB, "Hi", key="k")
        assert (await other.store.stats()).inbox == 1
    assert refused.status_code == 503
    assert texts(sim, ALICE) == []

    sim.bot.configure(only="all")
    await sim.bot.__aenter__()
    await sim.settled()
    assert texts(sim, ALICE) == ["Anybody there?"]


async def test_a_bot_that_was_a_sender_may_run_again(sim: Sim, bot: Bot) -> None:
    """Being a sender is for a while."""
    await sim.bot.__aexit__(None, None, None)
    async with script(sim, bot):
        pass
    await sim.bot.__aenter__()

    [answer] = await sim.user(ALICE).says("Hello?")
    assert answer.text == "Hello?"


async def test_two_processes_that_write_to_somebody_new_at_once_open_one_chat(sim: Sim) -> None:
    """Each key once, and the messages of each in their order."""
    async with script(sim) as other:
        for number in range(10):
            await asyncio.gather(
                sim.bot.send(BOB, f"a{number}", key=f"a{number}"),
                other.send(BOB, f"b{number}", key=f"b{number}"),
                other.send(BOB, f"a{number}", key=f"a{number}"),
            )
        await sim.settled()

    seen = texts(sim, BOB)
    assert len({bubble.chat_id for bubble in sim.said_to(BOB)}) == 1
    assert len(seen) == 20
    for one in "ab":
        assert [text for text in seen if text[0] == one] == [f"{one}{number}" for number in range(10)]


async def test_a_handler_and_a_script_share_their_keys(sim: Sim, bot: Bot) -> None:
    """Whoever is first sends it."""

    @bot.message("pass", exact=True)
    async def passed() -> Send:
        return Send(BOB, "once", key="k")

    await sim.restart()
    await sim.bot.send(BOB, "once", key="k")
    await sim.user(ALICE).says("pass")

    assert texts(sim, BOB) == ["once"]


async def test_somebody_who_opted_out_is_not_written_to(sim: Sim) -> None:
    """STOP, then 50 sends: no request leaves, and the dead letters say why."""
    await sim.user(BOB).says("STOP")
    before = len(sends(sim))

    for number in range(50):
        await sim.bot.send(BOB, f"{number}", key=f"{number}")
    for _ in range(3):
        await sim.settled()
        sim.clock.advance(seconds=61)  # what is never sent spends the budget of its pair, too
    await sim.settled()

    letters = await sim.bot.store.dead(100)
    assert len(sends(sim)) == before
    assert len([one for one in letters if one.event_id.startswith("send:") and "opted out" in one.reason]) == 50


async def test_what_nobody_waits_for_waits_while_its_line_is_flagged(sim: Sim) -> None:
    """No request leaves meanwhile; when the line recovers it is sent."""
    sim.emulator.people.line(LINES[0], status="FLAGGED")
    await sim.settled()
    await sim.bot.send(BOB, "Sale!", key="sale")
    await sim.settled()
    while_flagged = len(sends(sim))

    sim.emulator.people.line(LINES[0], status="ACTIVE")
    await sim.settled()
    sim.clock.advance(minutes=10)
    await sim.settled()

    assert while_flagged == 0
    assert texts(sim, BOB) == ["Sale!"]


async def test_without_a_line_linq_picks_one_and_another_when_it_is_flagged(bot: Bot, tmp_path: Path) -> None:
    """The new chat is known from then on (linq-api-v3.md section 7.2, failover_flagged)."""
    async with Sim(bot, store=f"sqlite:///{tmp_path}/bot.db") as sim:
        await sim.bot.send(BOB, "One", key="1")
        await sim.settled()
        [old] = {bubble.chat_id for bubble in sim.said_to(BOB)}
        sim.emulator.people.line(sim.emulator.linq.world.chats[old].line, status="FLAGGED")
        await sim.settled()

        for number in ("2", "3"):
            await sim.bot.send(BOB, number, key=number)
            await sim.settled()

        first, second, third = sim.said_to(BOB)
        [fact] = (await sim.bot.store.facts([chat_fact(Send(BOB, "x")) or ""])).values()
        assert [bubble.text for bubble in (first, second, third)] == ["One", "2", "3"]
        assert first.chat_id == old != second.chat_id == third.chat_id
        assert fact.value == second.chat_id.encode()
        assert sends(sim).count(f"/v3/chats/{old}/messages") == 1
