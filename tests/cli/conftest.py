"""An empty folder, an environment without settings, and programs that are started as users start them."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Self

import pytest

from linqbot.settings import SETTINGS
from tests import ports

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
ROOT = EXAMPLES.parent


class Program:
    """A running `linqbot …` and everything it has printed, standard output and error together."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.printed: list[str] = []

    @classmethod
    async def start(cls, *arguments: str) -> Self:
        """Start `python -m linqbot` with these arguments in the current folder."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "linqbot",
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        return cls(process)

    async def says(self, words: str) -> str:
        """The next printed line that holds these words; fails when the program ends without them."""
        assert self._process.stdout is not None
        async for raw in self._process.stdout:
            line = raw.decode().rstrip("\n")
            self.printed.append(line)
            if words in line:
                return line
        raise AssertionError(f"the program ended without saying {words!r}:\n{self.text}")

    @property
    def text(self) -> str:
        """All that was printed and read so far."""
        return "\n".join(self.printed)

    def types(self, line: str) -> None:
        """Send a line to its standard input."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n".encode())

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def children(self) -> list[int]:
        """The ids of the processes it started."""
        pid = self._process.pid
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    async def ends(self) -> int:
        """Close its standard input, read what it still prints, and give its exit code."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self.printed += (await self._process.stdout.read()).decode().splitlines()
        return await self._process.wait()

    async def kill(self) -> None:
        """Make sure that it is gone."""
        if self._process.returncode is None:
            self._process.kill()
            await self.ends()


Start = Callable[..., Awaitable[Program]]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: empty, with no setting in the environment; linqbot is importable from it."""
    monkeypatch.chdir(tmp_path)
    for setting in SETTINGS:
        for name in setting.names:
            monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return tmp_path


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Start programs; what still runs at the end is killed."""
    started: list[Program] = []

    async def begin(*arguments: str) -> Program:
        started.append(await Program.start(*arguments))
        return started[-1]

    yield begin
    for program in started:
        await program.kill()


@pytest.fixture
def free_port() -> int:
    """A port that nobody listens on."""
    return ports.free_port()


def is_running(pid: int) -> bool:
    """Whether there is such a process."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
