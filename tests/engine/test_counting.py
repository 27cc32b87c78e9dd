"""What nobody asked for, and what Linq sends against its documentation, is counted and never refused."""

from __future__ import annotations

import pytest

from linqbot import Bot, Message
from linqbot.testing import Sim
from tests.events.conftest import body_of

PERSON = "+12025559876"


@pytest.fixture
def bot() -> Bot:
    """An echo."""
    bot = Bot()

    @bot.message()
    async def echo(message: Message) -> str:
        return message.text

    return bot


async def delivered(sim: Sim, name: str, event_id: str, **changes: object) -> int | None:
    """The answer to a recorded webhook with some of its data changed, signed as Linq signs."""
    body = {**body_of(name), "event_id": event_id}
    body["data"] = {**body["data"], **changes}
    [target] = sim.emulator.linq.world.subscriptions.values()
    return await sim.emulator.deliver(body, target.target_url)


async def test_a_contradiction_is_handled_and_counted(sim: Sim, capsys: pytest.CaptureFixture[str]) -> None:
    """The message is answered as far as it can be read, each time is counted, and the log tells the field once."""
    name = "message.received.2026-02-03.json"
    for number in range(3):
        assert await delivered(sim, name, f"odd-{number}", id=f"m{number}", sent_at="yesterday", service=7) == 200
    await sim.settled()

    assert sim.bot.counts["odd"] == {"message.received sent_at": 3, "message.received service": 3}
    told = capsys.readouterr()
    assert (told.out + told.err).count("field is not as Linq documents it") == 2
    assert "yesterday" not in told.out + told.err


async def test_what_nobody_wants_is_counted_and_not_kept(sim: Sim) -> None:
    """By its type; a type that is newer than this release, too."""
    assert await delivered(sim, "chat.created.2026-02-03.json", "u1") == 200
    assert await delivered(sim, "chat.created.2026-02-03.json", "u2") == 200

    assert sim.bot.counts == {"unwanted": {"chat.created": 2}}
    assert (await sim.bot.store.stats()).inbox == 0
