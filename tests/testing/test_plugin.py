"""The pytest plugin, in a project of somebody else's that has no settings for it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

TESTS = """
import pytest
from linqbot import Bot, Message
from linqbot.testing import Sim

@pytest.fixture
def bot() -> Bot:
    bot = Bot()

    @bot.message()
    async def echo(message: Message) -> str:
        return message.text

    return bot

async def test_echo(sim: Sim) -> None:
    [reply] = await sim.user().says("Hello?")
    assert reply.text == "Hello?"
"""


def run_pytest(folder: Path, tests: str) -> subprocess.CompletedProcess[str]:
    """Run a test file as its owner would, with no configuration at all."""
    (folder / "test_theirs.py").write_text(tests)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LINQ", "PYTEST"))}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, "test_theirs.py"]
    return subprocess.run(command, cwd=folder, env=kept, capture_output=True, text=True, check=False)


def test_an_async_test_of_sim_runs_without_any_setting(tmp_path: Path) -> None:
    """No marker, no mode, no plugin to install: once, on asyncio."""
    done = run_pytest(tmp_path, TESTS)

    assert "1 passed" in done.stdout, done.stdout + done.stderr


def test_a_missing_bot_is_asked_for(tmp_path: Path) -> None:
    """The failure says which fixture to define."""
    done = run_pytest(tmp_path, "async def test_nothing(sim):\n    pass\n")

    assert "define a fixture `bot`" in done.stdout
