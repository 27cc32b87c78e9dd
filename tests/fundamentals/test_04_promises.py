"""What linqbot does so that handlers need not."""

from __future__ import annotations

import pytest

from linqbot import Bot, Message, Turn
from linqbot.testing import Sim


@pytest.fixture
def calls() -> list[str]:
    """What the handlers were called with, each time they ran."""
    return []


@pytest.fixture
def bot(calls: list[str]) -> Bot:
    """A bot with a handler that fails at first, one that always fails, and one that does something once."""
    bot = Bot()

    @bot.message("shaky")
    async def shaky(message: Message) -> str:
        calls.append(message.text)
        if len(calls) < 3:
            raise RuntimeError("not yet")
        return "Done."

    @bot.message("broken")
    async def broken() -> str:
        raise RuntimeError("never")

    @bot.message("ticket")
    async def ticket(turn: Turn) -> str:
        def open_ticket() -> int:
            calls.append("opened")
            return 4711

        number = await turn.once("ticket", open_ticket)
        if len(calls) == 1:
            calls.append("failed")
            raise RuntimeError("after the ticket was opened")
        return f"Ticket {number}."

    @bot.message()
    async def echo(message: Message) -> str:
        return message.text

    return bot


async def test_a_repeated_webhook_is_answered_once(sim: Sim) -> None:
    """Linq delivers at least once; the recipient sees one reply."""
    sim.faults.duplicate(3)

    replies = await sim.user().says("Hello?")

    assert [reply.text for reply in replies] == ["Hello?"]


async def test_an_answer_lost_on_the_way_is_not_sent_twice(sim: Sim) -> None:
    """A send whose outcome is unknown is repeated under the same key, and Linq collapses the repeat."""
    sim.faults.lose_answer()
    alice = sim.user()

    await alice.says("Hello?")
    sim.clock.advance(seconds=5)
    await sim.settled()

    assert [reply.text for reply in sim.said_to(alice.handle)] == ["Hello?"]


async def test_a1_a_handler_that_fails_is_tried_again(sim: Sim, calls: list[str]) -> None:
    """Three times within 15 seconds, by default.

    Held by `retry`, which counts the attempt with the event in the store.
    """
    alice = sim.user()

    await alice.says("shaky")
    sim.clock.advance(seconds=2)
    await sim.settled()
    sim.clock.advance(seconds=5)
    await sim.settled()

    assert [reply.text for reply in sim.said_to(alice.handle)] == ["Done."]
    assert len(calls) == 3


async def test_a1_a_handler_that_keeps_failing_does_not_block_its_chat(sim: Sim) -> None:
    """Its event moves to the dead letters, and the next message is answered.

    Held by the limit of attempts, whose last one commits a dead letter.
    """
    alice = sim.user()
    await alice.writes("broken")
    await alice.writes("still there?")

    for _ in range(4):
        await sim.settled()
        sim.clock.advance(seconds=5)

    assert [reply.text for reply in sim.said_to(alice.handle)] == ["still there?"]
    assert [letter.handler for letter in await sim.bot.store.dead()] == ["broken"]


async def test_a_side_effect_happens_once_although_its_handler_runs_again(sim: Sim, calls: list[str]) -> None:
    """`turn.once` keeps the first result with the event."""
    alice = sim.user()

    await alice.says("ticket")
    sim.clock.advance(seconds=2)
    await sim.settled()

    assert [reply.text for reply in sim.said_to(alice.handle)] == ["Ticket 4711."]
    assert calls == ["opened", "failed"]


async def test_messages_of_a_chat_are_answered_in_order(sim: Sim) -> None:
    """One at a time, in the order of arrival."""
    alice = sim.user()

    for number in range(20):
        await alice.writes(f"message {number}")
    await sim.settled()

    assert [reply.text for reply in sim.said_to(alice.handle)] == [f"message {number}" for number in range(20)]
