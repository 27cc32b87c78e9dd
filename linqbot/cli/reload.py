"""saved files -> a fresh child. Keeps the bot's process running while its author works on it.

The parent holds the listening socket: while the child restarts, webhooks wait in it. A child that cannot start has said
why; the next save tries again.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import httpx

LEAVE_S = 2.0
"""How long a child may drain before it is killed; what it held is taken up by the next one."""


class Audience(Protocol):
    """Who hears of the child."""

    def note(self, text: str) -> None:
        """Something happened."""
        ...

    def output(self, text: str) -> None:
        """The child printed a line."""
        ...


class Child:
    """One bot process after another, behind one listening socket."""

    def __init__(
        self,
        command: Callable[[], Sequence[str]],
        environment: Mapping[str, str] | None,
        *,
        listener: socket.socket,
        audience: Audience,
    ) -> None:
        self._command = command
        self._environment = environment
        self._listener = listener
        self._audience = audience
        self._process: Process | None = None
        self._reading: asyncio.Task[None] | None = None
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        self._client = httpx.AsyncClient(base_url=address, timeout=None)  # noqa: S113  it answers when the child is there

    async def keep(self, changes: Callable[[], asyncio.Task[None]], *, once: bool) -> int:
        """Run it, and run it again after each change; with `once`, return its exit code when it ends by itself."""
        started = "ready"
        while True:
            await self._start()
            assert self._process is not None, "it was just started"
            ended, changed = asyncio.create_task(self._process.wait()), changes()
            ready = asyncio.create_task(self._tell_when_ready(started))
            try:
                await asyncio.wait([ended, changed], return_when=asyncio.FIRST_COMPLETED)
                ready.cancel()
                if not changed.done():
                    await self._read_out()
                    if once:
                        return ended.result()
                    self._audience.note("the bot does not run; save a file to start it again")
                    await changed
            finally:
                ready.cancel()
                changed.cancel()
            started = "reloaded"
            await self.stop()

    async def stop(self) -> None:
        """Ask it to leave, and kill it if it lingers."""
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None, "it is started with a pipe"
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), LEAVE_S)
        except TimeoutError:
            process.kill()
            await process.wait()
        await self._read_out()

    async def close(self) -> None:
        """Stop it for good."""
        await self.stop()
        await self._client.aclose()

    async def settled(self) -> None:
        """Wait until the bot has nothing left to do; a restart in between is waited for, too."""
        await self._ask("/_dev/settled")

    async def turn_clock(self, offset_ms: int) -> None:
        """Bring the child's clock to this offset, once there is a child; a repeat changes nothing."""
        await self._ask(f"/_dev/clock?offset_ms={offset_ms}")

    async def _ask(self, path: str) -> None:
        while True:
            with suppress(httpx.TransportError):  # it was restarted; the next one answers
                await self._client.get(path)
                return

    async def _start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            *self._command(),
            f"--fd={self._listener.fileno()}",
            stdin=PIPE,
            stdout=PIPE,
            stderr=STDOUT,
            env=self._environment,
            pass_fds=[self._listener.fileno()],
            start_new_session=True,
            limit=1024 * 1024,
        )
        self._reading = asyncio.create_task(self._read(self._process))

    async def _read(self, process: Process) -> None:
        assert process.stdout is not None, "it is started with a pipe"
        async for line in process.stdout:
            self._audience.output(line.decode("utf-8", "replace").rstrip("\n"))

    async def _read_out(self) -> None:
        if self._reading is not None:
            await self._reading

    async def _tell_when_ready(self, word: str) -> None:
        await self._ask("/readyz")
        self._audience.note(word)


def watch(*folders: Path) -> Callable[[], asyncio.Task[None]]:
    """Gives, at each call, a future that is done when a Python file or `.env` below these folders was saved."""
    from watchfiles import Change, PythonFilter, awatch

    class Saved(PythonFilter):
        """Python files and `.env`, outside of environments and caches."""

        def __call__(self, change: Change, path: str) -> bool:
            return super().__call__(change, path) or path.endswith("/.env")

    async def first() -> None:
        async for _ in awatch(*folders, watch_filter=Saved()):
            return

    return lambda: asyncio.create_task(first())


def command_of(target: str, *options: str) -> list[str]:
    """The command line of a child. It writes no bytecode (-B): Python takes what it compiled for every file of the same
    size and second, so that a quick save would not be seen.
    """
    return [sys.executable, "-B", "-m", "linqbot.cli.child", target, *options]
