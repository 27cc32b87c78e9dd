"""`linqbot dev`: a bot to talk to, with nothing but its file."""

from __future__ import annotations

import os
import pty
import signal
import sys
from pathlib import Path

import pytest

from linqbot.cli.server import site
from linqbot.emulator.app import API, Emulator
from linqbot.testing.clock import TurnedClock
from tests.cli.conftest import EXAMPLES, Program, Start, is_running

ECHO = str(EXAMPLES / "echo.py")

BOT = """
import os
from linqbot import Bot, Edit, MarkRead, Message, Poll, React, Reply
bot = Bot()

@bot.message("pid")
async def pid() -> str:
    return f"pid {os.getpid()}"

@bot.message("party")
async def party() -> list[str | Reply]:
    return ["Yes!", Reply("Boom", effect="confetti")]

@bot.message("fail", attempts=3)
async def fail(message: Message) -> str:
    return str(1 / 0)

@bot.message("lively")
async def lively() -> list[React | str | Edit | Poll | MarkRead]:
    return [React("love"), "Wait…", Edit("Done."), Poll("Pizza", "Sushi"), MarkRead()]

@bot.message("who")
async def who(message: Message) -> str:
    return message.sender.handle
"""


@pytest.fixture(autouse=True)
def bot_file(folder: Path) -> Path:
    """A bot in `my_bot.py`."""
    file = folder / "my_bot.py"
    file.write_text(BOT)
    return file


async def _dev(start: Start, *lines: str, target: str = "my_bot.py") -> Program:
    """Type these lines through a pipe and wait for the end."""
    program = await start("dev", target)
    for line in lines:
        program.types(line)
    assert await program.ends() == 0, program.text
    return program


async def test_a_line_is_answered_in_its_thread(start: Start) -> None:
    """Piped lines are answered, each answer with the message it is threaded on; at the end of input it leaves with 0."""
    program = await _dev(start, "Hello?", "Again!", target=ECHO)

    assert [line for line in program.printed if not line.startswith("·")] == [
        "you > Hello?",
        "bot > Hello?",
        '      ↳ in reply to "Hello?"',
        "you > Again!",
        "bot > Again!",
        '      ↳ in reply to "Again!"',
    ]


async def test_bubbles_come_in_order_with_their_effects(start: Start) -> None:
    """Several bubbles of one answer appear in order; an effect is named."""
    program = await _dev(start, "party")

    answer = program.printed[program.printed.index("bot > Yes!") :]
    assert answer == ["bot > Yes!", '      ↳ in reply to "party"', "bot > Boom", "      ✨ confetti"]


async def test_what_is_done_without_words_is_shown(start: Start) -> None:
    """Reactions, edits and the like stand between the bubbles, in the order in which they were done."""
    program = await _dev(start, "lively")

    answer = program.printed[program.printed.index('bot * reacted with love to "lively"') :]
    assert answer == [
        'bot * reacted with love to "lively"',
        "bot > Wait…",
        '      ↳ in reply to "lively"',
        'bot * edited "Wait…", which now says: Done.',
        "bot > [poll: Pizza / Sushi]",
        "bot * read the chat",
    ]


async def test_silence_is_told(start: Start) -> None:
    """A message that no handler takes is seen to have no answer."""
    program = await _dev(start, "nobody takes this")

    assert program.printed[-1] == "· no answer"


async def test_a_failing_handler_shows_its_own_lines_once(start: Start) -> None:
    """A handler's error is shown with its traceback, the user's lines only, and is not tried again,
    whatever number of attempts it asks for.
    """
    program = await _dev(start, "fail")

    assert program.text.count("ZeroDivisionError: division by zero") == 1
    assert "return str(1 / 0)" in program.text
    assert "handling" not in program.text.partition("Traceback")[2].partition("ZeroDivisionError")[0]


async def test_one_may_speak_as_somebody_else_and_let_time_pass(start: Start) -> None:
    """`/as` changes who speaks, `/clock` turns the clock of Linq and bot alike, and the bot goes on answering."""
    program = await _dev(start, "/as +12025550188", "/clock +24h", "who")

    assert "bot > +12025550188" in program.printed


async def test_accounts_and_stores_of_the_shell_are_left_alone(
    start: Start, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a token, secrets, a base URL and stores in the shell and in `.env`, nothing of them is used."""
    (folder / ".env").write_text("LINQ_TOKEN=from-file\nLINQBOT_STORE=redis://127.0.0.1:1/0\n")
    monkeypatch.setenv("LINQ_API_KEY", "from-shell")
    monkeypatch.setenv("LINQ_SIGNING_SECRET", "whsec_AAAA")
    monkeypatch.setenv("LINQ_BASE_URL", "http://127.0.0.1:1/api/partner")
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    monkeypatch.setenv("DYNO", "web.1")

    program = await _dev(start, "Hello?", target=ECHO)

    assert "bot > Hello?" in program.printed


async def test_what_it_keeps_is_gone_afterwards(start: Start, folder: Path) -> None:
    """A session leaves nothing but a `.linqbot` folder that git ignores."""
    await _dev(start, "Hello?", target=ECHO)

    assert [file.name for file in (folder / ".linqbot").iterdir()] == [".gitignore"]


async def test_a_saved_file_is_reloaded(start: Start, bot_file: Path) -> None:
    """After a save the new code answers, from a new process, in the same session."""
    program = await start("dev", "my_bot.py")
    program.types("party")
    await program.says("Boom")
    await program.says("confetti")

    _save(bot_file, BOT.replace("Boom", "Bang"))
    await program.says("reloaded")
    program.types("party")

    await program.says("bot > Bang")
    assert await program.ends() == 0


async def test_a_file_saved_twice_in_a_second_is_reloaded(
    start: Start, bot_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As long as before and of the same time: Python's own cache would not tell it from the one before."""
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    program = await start("dev", "my_bot.py")
    program.types("party")
    await program.says("confetti")

    _save(bot_file, BOT.replace("Boom", "Bang"), same_time=True)
    await program.says("reloaded")
    program.types("party")

    await program.says("bot > Bang")
    assert await program.ends() == 0


async def test_a_bot_that_cannot_start_says_why(start: Start, bot_file: Path) -> None:
    """A file that cannot be imported is shown with its own line; without a terminal the session ends with 1."""
    _save(bot_file, "from linqbot import Bot\n\nbot = Bt()\n")
    program = await start("dev", "my_bot.py")
    program.types("Hello?")

    assert await program.ends() == 1
    assert "bot = Bt()" in program.text
    assert "NameError: name 'Bt' is not defined" in program.text


async def test_a_file_that_is_not_there_is_refused(start: Start) -> None:
    """A wrong path is one line and exit code 1."""
    program = await start("dev", "nowhere.py")

    assert await program.ends() == 1
    assert len(program.printed) == 1
    assert "there is no file 'nowhere.py' here" in program.text


async def test_live_serves_the_account_of_the_environment(
    start: Start, clock: TurnedClock, free_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--live` takes token, secret and port from the environment, answers there, reloads, and leaves with 0."""
    async with Emulator(clock=clock) as emulator, site(emulator.app) as address:
        subscription = emulator.subscribe(f"http://127.0.0.1:{free_port}/webhooks/linq?version=2026-02-03")
        monkeypatch.setenv("LINQ_TOKEN", "token")
        monkeypatch.setenv("LINQ_WEBHOOK_SECRET", subscription.secret)
        monkeypatch.setenv("LINQ_BASE_URL", f"{address}{API}")
        monkeypatch.setenv("HOST", "127.0.0.1")
        monkeypatch.setenv("PORT", str(free_port))
        program = await start("dev", ECHO, "--live")
        await program.says("ready")
        await emulator.inbound("+12025550177", text="Hello?")
        while not emulator.messages():
            await emulator.linq.agenda.changed()
        program.signal(signal.SIGINT)

        assert await program.ends() == 0


async def test_a_signal_ends_the_whole_family(start: Start) -> None:
    """SIGTERM ends parent and child."""
    program = await start("dev", "my_bot.py")
    program.types("pid")
    child = int((await program.says("bot > pid")).split()[-1])

    program.signal(signal.SIGTERM)

    assert await program.ends() == 0
    assert not is_running(child)


async def test_a_child_does_not_outlive_its_parent(start: Start) -> None:
    """A parent that is killed takes its child with it."""
    program = await start("dev", "my_bot.py")
    program.types("pid")
    child = os.pidfd_open(int((await program.says("bot > pid")).split()[-1]))

    program.signal(signal.SIGKILL)

    os.set_blocking(child, True)
    assert _ends_within(child, seconds=20)


def test_a_terminal_has_a_prompt_and_survives_a_broken_file(folder: Path, bot_file: Path) -> None:
    """At a terminal one types behind a prompt; a broken save is shown and the next good one heals it."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(sys.executable, [sys.executable, "-m", "linqbot", "dev", "my_bot.py"])

    _until(terminal, "ready")
    os.write(terminal, b"party\n")
    _until(terminal, "confetti")
    bot_file.write_text("def (\n")
    _until(terminal, "save a file to start it again")
    bot_file.write_text(BOT)
    _until(terminal, "reloaded")
    os.write(terminal, b"party\n")
    _until(terminal, "confetti")
    os.write(terminal, b"\x03")

    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def _save(file: Path, code: str, *, same_time: bool = False) -> None:
    """Save a file, as an editor does; perhaps with the time of the file before."""
    before = file.stat()
    file.write_text(code)
    if same_time:
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


def _until(terminal: int, words: str) -> None:
    """Read what a terminal shows until it holds these words."""
    shown = ""
    while words not in shown:
        shown += os.read(terminal, 4096).decode()


def _ends_within(process: int, *, seconds: float) -> bool:
    """Whether a process, by its descriptor, ends in time."""
    import select

    return bool(select.select([process], [], [], seconds)[0])
