"""`linqbot send`: one message from a shell."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from linqbot.cli.server import site
from linqbot.emulator.app import API, Emulator
from linqbot.emulator.world import LINES
from linqbot.testing.clock import TurnedClock
from tests.cli.conftest import Program, Start

ALICE, BOB = "+12025559876", "+12025559877"

BOT = """
from linqbot import Bot, Message
bot = Bot()

@bot.message()
async def echo(message: Message) -> str:
    raise SystemExit("a script runs no handlers")
"""


@pytest.fixture
async def linq(clock: TurnedClock, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Emulator]:
    """An emulated Linq with an account and a line in the environment."""
    async with Emulator(clock=clock) as emulator, site(emulator.app) as address:
        monkeypatch.setenv("LINQ_API_V3_API_KEY", "token")
        monkeypatch.setenv("LINQ_API_V3_BASE_URL", f"{address}{API}")
        monkeypatch.setenv("LINQ_FROM_NUMBER", LINES[0])
        yield emulator


async def _sent(start: Start, *arguments: str, code: int = 0) -> Program:
    program = await start("send", *arguments)
    assert await program.ends() == code, program.text
    return program


def _texts(linq: Emulator, handle: str) -> list[str]:
    return [part["value"] for heard in linq.messages_to(handle) for part in heard.parts]


async def test_it_is_sent_and_the_program_says_so(linq: Emulator, start: Start) -> None:
    """With nobody else there, the process that queues it sends it before it leaves."""
    program = await _sent(start, ALICE, "Your order shipped.", "--key", "ship:42")

    [heard] = linq.messages_to(ALICE)
    assert _texts(linq, ALICE) == ["Your order shipped."]
    assert program.printed == [f"sent: message {heard.message_id}"]


async def test_a_repeat_under_its_key_sends_nothing(linq: Emulator, start: Start) -> None:
    """Whoever is not sure whether it went out may run it again."""
    await _sent(start, ALICE, "Your order shipped.", "--key", "ship:42")
    program = await _sent(start, ALICE, "Your order shipped.", "--key", "ship:42")

    assert _texts(linq, ALICE) == ["Your order shipped."]
    assert program.printed == ["nothing to do: it was queued under this key before"]


async def test_without_a_key_it_gets_one_and_says_which(linq: Emulator, start: Start) -> None:
    """Two runs are two messages."""
    programs = [await _sent(start, ALICE, "Hi") for _ in range(2)]

    assert _texts(linq, ALICE) == ["Hi", "Hi"]
    assert all("--key" in program.text for program in programs)


async def test_several_recipients_are_a_group(linq: Emulator, start: Start) -> None:
    """Separated by commas."""
    await _sent(start, f"{ALICE},{BOB}", "Party!")

    assert _texts(linq, ALICE) == _texts(linq, BOB) == ["Party!"]
    assert linq.messages_to(ALICE)[0].chat_id == linq.messages_to(BOB)[0].chat_id


async def test_settings_may_be_a_bots_whose_handlers_do_not_run(linq: Emulator, start: Start, folder: Path) -> None:
    """TARGET names a bot; it takes no webhooks and answers nothing."""
    (folder / "my_bot.py").write_text(BOT)

    await _sent(start, ALICE, "Hi", "my_bot:bot", "--line", LINES[1])

    assert _texts(linq, ALICE) == ["Hi"]
    assert [chat.line for chat in linq.linq.world.chats.values()] == [LINES[1]]


async def test_what_linq_refuses_is_told_with_exit_code_1(linq: Emulator, start: Start) -> None:
    """Somebody who opted out gets nothing, and the one who sends is told why."""
    await linq.inbound(ALICE, to=LINES[0], text="STOP")

    program = await _sent(start, ALICE, "Buy!", code=1)

    [told] = [line for line in program.printed if line.startswith("refused: ")]
    assert told.startswith("refused: Linq refused it (403, code 2024)")
    assert "--key" not in program.text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("12025559876", "Hi"), "a recipient is neither a phone number"),
        ((ALICE, "https://example.com"), "begin with words"),
        ((ALICE, "Hi", "--line", "5550100"), "line= is neither"),
        ((ALICE, ""), "something to say"),
    ],
)
async def test_what_cannot_be_sent_is_refused_on_one_line(
    linq: Emulator, start: Start, arguments: tuple[str, ...], words: str
) -> None:
    """By name, before any request."""
    program = await _sent(start, *arguments, code=1)

    assert program.printed == [line for line in program.printed if line.startswith("linqbot: ") and words in line]
    assert len(program.printed) == 1
    assert linq.requests == []


async def test_a_linq_that_is_away_leaves_it_queued(
    linq: Emulator, start: Start, monkeypatch: pytest.MonkeyPatch, free_port: int
) -> None:
    """It is stored, and whoever comes later sends it: here another `send`."""
    address = f"http://127.0.0.1:{free_port}/api/partner"
    with monkeypatch.context() as away:
        away.setenv("LINQ_API_V3_BASE_URL", address)
        program = await _sent(start, ALICE, "One", "--key", "1")
    assert program.printed == ["queued: Linq cannot be reached; the bot's processes try again"]

    again = await _sent(start, ALICE, "One", "--key", "1")
    assert again.printed == ["nothing to do: it was queued under this key before"]
