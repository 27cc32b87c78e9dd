"""What became of replies reaches the handlers that ask: in any order, once, with the reply, and without a second send."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from linqbot import Bot, Delivery, Message, Poll, Reply, Vote
from linqbot.events import PollVote, Reaction
from linqbot.protocol.parking import AWAITED_MS
from linqbot.testing import Sim
from tests.faults.stores import store_url

ALICE = "+12025559876"


class Ears:
    """What a bot's delivery handlers heard."""

    def __init__(self) -> None:
        self.heard: list[Delivery] = []
        self.read = asyncio.Event()
        self.slow_began = asyncio.Event()
        self.gate = asyncio.Event()

    @property
    def statuses(self) -> list[str]:
        """In order."""
        return [delivery.status for delivery in self.heard]

    @property
    def refs(self) -> set[str | None]:
        """Of which replies."""
        return {delivery.reply.ref if delivery.reply else "unknown" for delivery in self.heard}


@pytest.fixture
def ears() -> Ears:
    """Nothing heard yet."""
    return Ears()


@pytest.fixture
def bot(ears: Ears) -> Bot:
    """A bot that listens to what becomes of its words."""
    bot = Bot()

    @bot.message("slow")
    async def slow() -> None:
        ears.slow_began.set()
        await ears.gate.wait()

    @bot.message()
    async def echo(message: Message) -> Reply:
        return Reply(message.text, ref="echo")

    @bot.delivery
    async def told(delivery: Delivery) -> None:
        ears.heard.append(delivery)
        if delivery.status == "read":
            ears.read.set()

    return bot


@pytest.fixture(params=["sqlite", "redis"])
async def sim(request: pytest.FixtureRequest, bot: Bot, tmp_path: Path) -> AsyncIterator[Sim]:
    """The bot and a Linq, on either store."""
    url = store_url(request.param, tmp_path)
    async with Sim(bot, store=url, namespace=f"deliveries-{secrets.token_hex(4)}") as running:
        yield running


def sends(sim: Sim) -> int:
    """How many requests to send Linq saw."""
    return sum(seen["operation"] == "sendMessageToChat" for seen in sim.emulator.requests)


async def passes(sim: Sim, seconds: float, *, step: float = 1.0) -> None:
    """Let time go by in steps, as slow as the bot needs it."""
    for _ in range(int(seconds / step)):
        sim.clock.advance(seconds=step)
        await sim.settled()


async def test_each_status_is_told_once_with_its_reply(sim: Sim, ears: Ears) -> None:
    """Although Linq delivers every webhook three times."""
    sim.faults.add("duplicate", match="webhook:message.*", times=3, count=None)

    [bubble] = await sim.user(ALICE).says("hi")
    await sim.settled()

    assert ears.statuses == ["sent", "delivered", "read"]
    assert {delivery.message_id for delivery in ears.heard} == {bubble.message_id}
    [reply] = {delivery.reply for delivery in ears.heard}
    assert reply is not None
    assert (reply.handler, reply.position, reply.ref) == ("echo", 0, "echo")


async def test_news_in_reverse_order_never_goes_back(sim: Sim, ears: Ears) -> None:
    """What comes after a later status is no news."""
    sim.faults.add("reorder", match="webhook:message.[sdr]e[anl]*", count=3)

    await sim.user(ALICE).says("hi")
    await passes(sim, 3)

    ranks = [("sent", "failed", "delivered", "read").index(status) for status in ears.statuses]
    assert ranks == sorted(set(ranks))
    assert ears.statuses[-1] == "read"


async def test_delivered_after_failed_ends_as_delivered_and_nothing_is_sent_again(sim: Sim, ears: Ears) -> None:
    """A 4001 may be taken back; a second send would then be seen twice (linq-api-v3.md section 9.4)."""
    sim.faults.add("failed", code=4001, reason="Message delivery failed", delivered_late=True)
    sim.faults.add("delay", match="webhook:message.[dr]e[la]*d", seconds=60, count=2)

    await sim.user(ALICE).writes("hi")
    await passes(sim, 120, step=10)

    assert ears.statuses[0] == "failed"
    assert ears.statuses[-1] == "read"
    assert (ears.heard[0].code, ears.heard[0].reason) == (4001, "Message delivery failed")
    assert ears.refs == {"echo"}
    assert sends(sim) == 1
    record = await sim.bot.store.sent(str(ears.heard[0].message_id))
    assert record is not None
    assert record.status == "read"


async def test_a_failure_that_is_taken_back_at_once_is_not_told(sim: Sim, ears: Ears) -> None:
    """Nobody is alarmed about a message that is known to have arrived."""
    sim.faults.add("failed", delivered_late=True)
    sim.faults.add("delay", match="webhook:message.failed", seconds=60)

    await sim.user(ALICE).writes("hi")
    await passes(sim, 120, step=10)

    assert "failed" not in ears.statuses
    assert ears.statuses[-1] == "read"


async def test_a_lost_answer_is_made_up_for_by_the_news(sim: Sim, ears: Ears) -> None:
    """The webhook proves that it arrived and which reply it was: there is no second request."""
    sim.faults.lose_answer()

    await sim.user(ALICE).says("hi")
    await passes(sim, 120, step=10)

    assert ears.statuses == ["sent", "delivered", "read"]
    assert ears.refs == {"echo"}
    assert sends(sim) == 1


async def test_news_that_overtakes_the_answer_waits_for_it(sim: Sim, ears: Ears) -> None:
    """A failure has no key: only the answer tells whose it is. No attempt is burnt by waiting."""
    sim.faults.add("failed", seconds=2)

    await sim.user(ALICE).writes("hi")
    await passes(sim, 5, step=0.5)

    assert ears.statuses == ["failed"]
    assert ears.refs == {"echo"}


async def test_news_under_a_key_does_not_wait_for_the_answer(sim: Sim, ears: Ears) -> None:
    """The key says whose it is while the send is still under way."""
    sim.faults.add("slow_after", seconds=600)

    await sim.user(ALICE).writes("hi")
    async with asyncio.timeout(10):
        await ears.read.wait()

    assert ears.refs == {"echo"}
    sim.clock.advance(seconds=600)
    await sim.settled()


async def test_a_failing_handler_has_all_its_attempts_after_news_had_to_wait() -> None:
    """Waiting for an answer is no failure of the handler."""
    bot = Bot()
    runs: list[Delivery] = []

    @bot.message()
    async def echo(message: Message) -> str:
        return message.text

    @bot.delivery("failed", attempts=2)
    async def told(delivery: Delivery) -> None:
        runs.append(delivery)
        if len(runs) == 1:
            raise RuntimeError("not yet")

    async with Sim(bot) as sim:
        sim.faults.add("failed", seconds=5)
        await sim.user(ALICE).writes("hi")
        await passes(sim, 15)

        assert len(runs) == 2
        assert await sim.bot.store.dead() == []


async def test_news_of_an_unknown_message_waits_no_longer_than_an_answer_may_take(sim: Sim, ears: Ears) -> None:
    """Somebody else of the account wrote, perhaps: it is told without the reply."""
    url = next(iter(sim.emulator.linq.world.subscriptions.values())).target_url
    data = {"message_id": "00000000-0000-4000-8000-000000000001", "chat_id": "c", "code": 4001, "failed_at": None}
    event = {"event_type": "message.failed", "event_id": "f1", "data": data}

    await sim.emulator.deliver(event, url)
    await passes(sim, AWAITED_MS / 1000 - 2)
    assert ears.heard == []
    await passes(sim, 5)

    assert [(delivery.status, delivery.reply) for delivery in ears.heard] == [("failed", None)]
    assert await sim.bot.store.dead() == []


async def test_news_never_waits_behind_a_slow_handler(sim: Sim, ears: Ears) -> None:
    """It has a lane of its own."""
    alice = sim.user(ALICE)
    sim.faults.add("delay", match="webhook:message.read", seconds=60)
    await alice.says("hi")

    await alice.writes("slow")
    async with asyncio.timeout(10):
        await ears.slow_began.wait()
        while "read" not in ears.statuses:
            sim.clock.advance(seconds=1)
            await asyncio.sleep(0.01)  # another task has to move
    ears.gate.set()
    await sim.settled()


async def test_an_answer_to_bad_news_goes_to_the_chat_once() -> None:
    """And what becomes of it is not told, or a chat that cannot be reached would be written to for ever."""
    bot = Bot()

    @bot.message()
    async def echo(message: Message) -> str:
        return message.text

    @bot.delivery("failed")
    async def again(delivery: Delivery) -> str:
        return "Did you get that?"

    async with Sim(bot) as sim:
        sim.faults.add("failed", count=None)
        await sim.user(ALICE).writes("hi")
        await passes(sim, 60, step=10)

        assert sends(sim) == 2


async def test_a_handler_of_one_ref_hears_of_no_other() -> None:
    """`ref` is the name that the reply was given."""
    bot = Bot()
    heard: list[str | None] = []

    @bot.message()
    async def two() -> list[Reply]:
        return [Reply("one", ref="one"), Reply("two", ref="two")]

    @bot.delivery("delivered", ref="two")
    async def told(delivery: Delivery) -> None:
        heard.append(delivery.reply.ref if delivery.reply else None)

    async with Sim(bot) as sim:
        await sim.user(ALICE).says("hi")
        await passes(sim, 2)

    assert heard == ["two"]


async def test_polls_are_told_of_with_their_reply_too() -> None:
    """They have no key: the reply is found by the message id. A vote of the bot itself is not handed to it."""
    bot = Bot()
    heard: list[tuple[str, str | None]] = []

    @bot.message()
    async def lunch() -> Poll:
        return Poll("Tacos", "Ramen", ref="lunch")

    @bot.delivery("sent", "delivered")
    async def told(delivery: Delivery) -> None:
        heard.append((delivery.status, delivery.reply.ref if delivery.reply else None))

    @bot.reaction(on="bot")
    async def reacted(reaction: Reaction) -> str:
        return f"{reaction.reaction_type}!"

    @bot.poll_vote
    async def voted(vote: PollVote) -> list[Any]:
        return ["Mine, too.", Vote(str(vote.option_id))]

    async with Sim(bot) as sim:
        await sim.user(ALICE).writes("hi")
        await passes(sim, 3)
        [poll] = (message for message in sim.emulator.linq.world.messages.values() if message.poll is not None)
        sim.emulator.people.votes(ALICE, poll.id, poll.poll.options[1].id)
        await passes(sim, 3)
        sim.emulator.people.reacts(ALICE, poll.id, "love")
        await passes(sim, 3)

        assert heard[:2] == [("sent", "lunch"), ("delivered", "lunch")]
        assert [bubble.text for bubble in sim.said_to(ALICE)] == ["", "Mine, too.", "love!"]
