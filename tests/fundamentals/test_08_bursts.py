"""Many replies at once: paced, in order, each once, and never so fast that Linq refuses one."""

from __future__ import annotations

import pytest

from linqbot import Bot, Message, React
from linqbot.replies import Answer
from linqbot.testing import Sim


@pytest.fixture
def bot() -> Bot:
    """Says a hundred things to one message, and does something between."""
    bot = Bot()

    @bot.message()
    async def much(message: Message) -> Answer:
        said = [f"{message.text} {number}" for number in range(99)]
        return [*said[:50], React("love"), *said[50:]]

    return bot


async def test_two_hundred_replies_and_more_to_one_chat_never_meet_a_refusal(sim: Sim) -> None:
    """25 in any minute, below Linq's 30 (linq-api-v3.md section 3); with time they all arrive, in order."""
    for word in ("a", "b", "c"):
        await sim.user().writes(word)
    for _ in range(15):
        await sim.settled()
        sim.clock.advance(seconds=60.5)

    texts = [reply.text for reply in sim.replies]
    assert texts == [f"{word} {number}" for word in "abc" for number in range(99)]
    assert {one["status"] for one in sim.emulator.requests} <= {200, 202}
