"""`linqbot run`, as platforms and people start and stop it."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from linqbot.cli.server import site
from linqbot.emulator.app import API, Emulator
from linqbot.testing.clock import TurnedClock
from tests.cli.conftest import EXAMPLES, Start
from tests.store.redis_server import KINDS, session_url

ECHO = str(EXAMPLES / "echo.py")
PERSON = "+12025550177"

SLOW = """
import asyncio
from linqbot import Bot

bot = Bot()

@bot.message()
async def slow() -> None:
    print("at work", flush=True)
    await asyncio.sleep(60)
"""


@pytest.fixture
async def linq(clock: TurnedClock, free_port: int, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Emulator]:
    """An emulated Linq; the environment holds an account there, and webhooks go to PORT."""
    async with Emulator(clock=clock) as emulator, site(emulator.app) as address:
        subscription = emulator.subscribe(f"http://127.0.0.1:{free_port}/webhooks/linq?version=2026-02-03")
        monkeypatch.setenv("LINQ_API_V3_API_KEY", "token")
        monkeypatch.setenv("LINQ_API_V3_BASE_URL", f"{address}{API}")
        monkeypatch.setenv("LINQ_WEBHOOK_SECRET", subscription.secret)
        monkeypatch.setenv("HOST", "127.0.0.1")
        monkeypatch.setenv("PORT", str(free_port))
        yield emulator


async def _answers(emulator: Emulator, count: int) -> list[str]:
    """The texts that reached the person, once there are so many."""
    while len(emulator.messages_to(PERSON)) < count:
        await emulator.linq.agenda.changed()
    return [str(message.parts[0]["value"]) for message in emulator.messages_to(PERSON)]


async def test_it_answers_and_leaves_with_zero_when_told(linq: Emulator, start: Start) -> None:
    """Started with an account it answers a message; SIGTERM drains it and the exit code is 0."""
    program = await start("run", ECHO)
    await program.says('"event":"started"')
    await linq.inbound(PERSON, text="Hello?")

    answers = await _answers(linq, 1)
    program.signal(signal.SIGTERM)

    assert (answers, await program.ends()) == (["Hello?"], 0)
    assert "drained" in program.text


async def test_its_lines_hold_no_words_of_the_conversation(
    linq: Emulator, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even at debug no line holds what was written, who wrote it, or the account's secrets."""
    monkeypatch.setenv("LOG_LEVEL", "debug")
    program = await start("run", ECHO)
    await program.says('"event":"started"')
    await linq.inbound(PERSON, text="my-very-own-words")

    await _answers(linq, 1)
    program.signal(signal.SIGTERM)
    await program.ends()

    assert "event_id" in program.text
    assert "my-very-own-words" not in program.text
    assert PERSON not in program.text
    assert "whsec_" not in program.text


async def test_a_second_signal_leaves_at_once(linq: Emulator, start: Start, folder: Path) -> None:
    """Who does not want to wait for the drain signals twice."""
    (folder / "slow_bot.py").write_text(SLOW)
    program = await start("run", "slow_bot.py")
    await program.says('"event":"started"')
    await linq.inbound(PERSON, text="go")
    await program.says("at work")

    program.signal(signal.SIGTERM)
    await program.says("draining")
    program.signal(signal.SIGTERM)

    assert await program.ends() == 128 + signal.SIGTERM


async def test_web_and_worker_share_the_work(linq: Emulator, start: Start) -> None:
    """`--only web` takes the webhook, `--only worker`, without a port, answers it; both leave with 0."""
    web = await start("run", ECHO, "--only", "web")
    await web.says('"event":"started"')
    await linq.inbound(PERSON, text="Hello?")
    worker = await start("run", ECHO, "--only", "worker")

    answers = await _answers(linq, 1)
    web.signal(signal.SIGTERM)
    worker.signal(signal.SIGINT)

    assert (answers, await web.ends(), await worker.ends()) == (["Hello?"], 0, 0)
    assert "listening" not in worker.text


async def test_without_a_secret_it_starts_and_puts_webhooks_off(
    linq: Emulator, start: Start, free_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No webhook secret: it runs, answers webhooks 503, and says which command prints one."""
    monkeypatch.delenv("LINQ_WEBHOOK_SECRET")
    program = await start("run", ECHO)
    told = await program.says("no webhook secret")

    async with httpx.AsyncClient() as client:
        answer = await client.post(f"http://127.0.0.1:{free_port}/webhooks/linq", content=b"{}")

    assert "linqbot webhooks sync" in told
    assert (answer.status_code, "retry-after" in answer.headers) == (503, True)


async def test_without_a_key_it_stops_with_one_line(start: Start) -> None:
    """No API key: one line and exit code 1."""
    program = await start("run", ECHO)

    assert await program.ends() == 1
    assert program.printed == [
        "linqbot: there is no API key: set LINQ_API_V3_API_KEY to the token of your Linq account"
    ]


async def test_a_bot_that_cannot_be_imported_stops_it_with_one_line(start: Start, folder: Path) -> None:
    """Not importable: one line and exit code 1; the traceback is for -v."""
    (folder / "broken_bot.py").write_text("1 / 0\n")
    program = await start("run", "broken_bot.py")

    assert await program.ends() == 1
    assert len(program.printed) == 1
    assert "broken_bot.py cannot be imported: ZeroDivisionError" in program.text


async def test_verbose_shows_the_traceback(start: Start, folder: Path) -> None:
    """`-v` shows where the import failed."""
    (folder / "broken_bot.py").write_text("1 / 0\n")
    program = await start("run", "broken_bot.py", "-v")

    assert await program.ends() == 1
    assert "Traceback (most recent call last):" in program.printed


async def test_a_store_that_cannot_be_opened_stops_it_with_one_line(
    linq: Emulator, start: Start, free_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Redis that does not answer at the start: said on one line, exit code 1, no traceback."""
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    program = await start("run", ECHO)

    assert await program.ends() == 1
    assert program.printed[-1].startswith("linqbot: ")
    assert "Traceback" not in program.text


async def test_a_port_that_is_taken_stops_it_with_one_line(start: Start, linq: Emulator, free_port: int) -> None:
    """Two programs on one port: the second says what to do and leaves with 1."""
    first = await start("run", ECHO)
    await first.says('"event":"started"')
    second = await start("run", ECHO)

    assert await second.ends() == 1
    assert len(second.printed) == 1
    assert f"cannot listen on 127.0.0.1 port {free_port}: Address already in use; choose another" in second.text


async def test_several_processes_share_a_port(
    linq: Emulator, start: Start, monkeypatch: pytest.MonkeyPatch, free_port: int
) -> None:
    """A user's own WEB_CONCURRENCY on Redis starts so many processes; they answer, and all leave with 0."""
    monkeypatch.setenv("WEB_CONCURRENCY", "2")
    monkeypatch.setenv("REDIS_URL", session_url(KINDS[0]))
    monkeypatch.setenv("LINQBOT_NAMESPACE", f"crew-{free_port}")
    program = await start("run", ECHO)
    await program.says('"event":"started"')
    await program.says('"event":"started"')
    await linq.inbound(PERSON, text="Hello?")

    answers = await _answers(linq, 1)
    program.signal(signal.SIGTERM)

    assert (answers, await program.ends()) == (["Hello?"], 0)
    assert program.text.count('"event":"drained"') == 2


async def test_a_process_that_dies_takes_the_others_along(
    linq: Emulator, start: Start, monkeypatch: pytest.MonkeyPatch, free_port: int
) -> None:
    """When one process is killed, the others drain and the exit code is 1, so that the platform restarts all."""
    monkeypatch.setenv("WEB_CONCURRENCY", "2")
    monkeypatch.setenv("REDIS_URL", session_url(KINDS[0]))
    monkeypatch.setenv("LINQBOT_NAMESPACE", f"crew-{free_port}")
    program = await start("run", ECHO)
    await program.says('"event":"started"')
    await program.says('"event":"started"')

    os.kill(program.children()[0], signal.SIGKILL)

    assert await program.ends() == 1
    assert program.text.count('"event":"drained"') == 1


async def test_help_lists_every_setting(start: Start) -> None:
    """`linqbot run --help` names all that can be set, aliases included."""
    from linqbot.settings import SETTINGS

    program = await start("run", "--help")

    assert await program.ends() == 0
    assert [name for setting in SETTINGS for name in setting.names if name not in program.text] == []
