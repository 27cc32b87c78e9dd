"""a bot's source -> `linqbot run` as a platform starts it, beside an emulated Linq; it is signalled, limited and killed."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent
from typing import Self

from tests.faults.stage import Stage
from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[2]

Limits = Mapping[int, int]
"""`resource.RLIMIT_…` -> how much."""


class Program:
    """A process of `linqbot run`, and what it has printed."""

    def __init__(self, stage: Stage, process: subprocess.Popen[bytes], log: Path, port: int) -> None:
        self._stage = stage
        self._log = log
        self.process = process
        self.port = port

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.process.pid

    @property
    def text(self) -> str:
        """All it has printed so far."""
        return self._log.read_text("utf-8")

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self.process.poll() is not None

    async def says(self, words: str, *, times: int = 1) -> None:
        """Wait until it has printed this so often; fails when it ends without."""
        await self._stage.until(lambda: self.text.count(words) >= times or self.is_over)
        assert self.text.count(words) >= times, self.text

    async def ends(self) -> int:
        """Wait for its end and give the exit code."""
        await self._stage.until(lambda: self.is_over)
        return self.process.returncode

    def rss(self) -> int:
        """The bytes of memory it occupies."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * resource.getpagesize()


def children(pid: int) -> list[int]:
    """The processes that a process started."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def sockets(pid: int) -> set[str]:
    """The sockets that a process holds, by name; one that two processes hold is shared."""
    links = Path(f"/proc/{pid}/fd").iterdir()
    return {name for link in links if (name := str(link.readlink())).startswith("socket:")}


class Programs:
    """Starts one bot as often as wanted, all subscribed under one port, and ends them with the test."""

    def __init__(self, stage: Stage, folder: Path, source: str, **settings: str) -> None:
        self.stage = stage
        self.folder = folder
        self.port = free_port()
        self._settings = settings
        self._started: list[Program] = []
        (folder / "a_bot.py").write_text(dedent(source), "utf-8")
        target = f"http://127.0.0.1:{self.port}/webhooks/linq?version=2026-02-03"
        self._secret = stage.emulator.subscribe(target, ("message.received",)).secret

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for program in self._started:
            program.process.kill()
            program.process.wait()

    async def start(self, *arguments: str, limits: Limits | None = None, out: str = "", **more: str) -> Program:
        """Start it and wait until it says so; `out` is another place to print to, then nobody waits."""
        log = self.folder / f"log-{len(self._started)}"
        log.touch()
        process = self._spawn(Path(out or log), arguments, limits or {}, self._environment(more))
        program = Program(self.stage, process, log, int(more.get("PORT", self.port)))
        self._started.append(program)
        if not out:
            await program.says("listening" if "worker" not in arguments else '"started"')
        return program

    def _spawn(
        self, sink: Path, arguments: tuple[str, ...], limits: Limits, environment: Mapping[str, str]
    ) -> subprocess.Popen[bytes]:
        with sink.open("ab") as out:
            return subprocess.Popen(
                [sys.executable, "-m", "linqbot", "run", "a_bot.py", *arguments],
                cwd=self.folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                preexec_fn=lambda: _limit(limits),  # noqa: PLW1509  # no other way to limit a child from its beginning
            )

    def _environment(self, more: Mapping[str, str]) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
            "LINQ_API_V3_API_KEY": "token",
            "LINQ_API_V3_BASE_URL": f"http://127.0.0.1:{self.stage.api_port}/api/partner",
            "LINQ_WEBHOOK_SECRET": self._secret,
            "LINQBOT_STORE": f"sqlite:///{self.folder}/bot.db",
            "LINQBOT_PAIR_BUDGET": "0",
            **self._settings,
            **more,
        }


def _limit(limits: Limits) -> None:
    """In the new process, before the program begins."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # under nohup it is ignored, and children inherit that
    for what, most in limits.items():
        resource.setrlimit(what, (most, most))
