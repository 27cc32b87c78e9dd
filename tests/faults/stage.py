"""A stage for mortal bots: an emulator on a real socket, a place for the store, and processes that come and go."""

from __future__ import annotations

import asyncio
import multiprocessing
import socket
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import uvicorn

from linqbot.emulator.app import Emulator
from linqbot.testing.clock import TurnedClock
from tests.faults.mortal import Life, live
from tests.ports import free_port

FORK = multiprocessing.get_context("forkserver")
FORK.set_forkserver_preload(["tests.faults.mortal"])
"""Makes processes that have imported linqbot already."""

EVENTS = ("message.received", "message.sent", "message.delivered", "message.failed", "poll.failed")
"""What a bot subscribes; `message.read` would only make more of the same."""

PATIENCE_S = 40.0
"""How long a stage waits for anything before it says what is missing."""

_LOOK_S = 0.02
_STEP_S = 1.0
"""How far the emulator's clock is turned at each look, so that its retries come soon."""

_FARTHEST_S = 240.0
"""The emulator's clock may not run farther ahead: signatures of more than 5 minutes are refused."""


class Stage:
    """One emulator, any number of bot processes on one store."""

    def __init__(self, folder: Path, store_url: str, **emulator: object) -> None:
        self.clock = TurnedClock()
        self.emulator = Emulator(clock=self.clock, **emulator)  # type: ignore[arg-type]  # passed through by name
        self._folder = folder
        self._store_url = store_url
        self._stack = AsyncExitStack()
        self._processes: list[multiprocessing.process.BaseProcess] = []
        self._diaries = 0

    async def __aenter__(self) -> Self:
        await self._stack.__aenter__()
        listener = socket.create_server(("127.0.0.1", 0))
        self.api_port: int = listener.getsockname()[1]
        config = uvicorn.Config(self.emulator.app, log_config=None, access_log=False, lifespan="on")
        server = uvicorn.Server(config)
        # without uvicorn's own signal handlers: the test run has its own
        serving = asyncio.create_task(server._serve([listener]))
        self._stack.push_async_callback(_stop, server, serving)
        await self.until(lambda: server.started)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._processes:
            process.kill()
            await asyncio.to_thread(process.join)
        await self._stack.__aexit__(kind, error, trace)

    def life(self, *, events: tuple[str, ...] = EVENTS, **more: Any) -> Life:
        """A new bot for this stage, subscribed under a port of its own (a worker is not); it does not die."""
        port = free_port()
        secret = "whsec_" + "A" * 32
        if more.get("only") != "worker":
            url = f"http://127.0.0.1:{port}/webhooks/linq?version=2026-02-03"
            secret = self.emulator.subscribe(url, events).secret
        self._diaries += 1
        return Life(
            store_url=self._store_url,
            api_url=f"http://127.0.0.1:{self.api_port}/api/partner",
            secret=secret,
            port=port,
            diary=str(self._folder / f"diary-{self._diaries}"),
            **more,
        )

    async def start(self, life: Life) -> multiprocessing.process.BaseProcess:
        """Start a bot and wait until it takes connections, or has died."""
        process = FORK.Process(target=live, args=(life,), daemon=True)
        process.start()
        self._processes.append(process)
        await self.until(lambda: _takes_connections(life.port) or not process.is_alive())
        return process

    async def run(self, life: Life) -> int | None:
        """Start a script and wait for its end; its exit code."""
        process = FORK.Process(target=live, args=(life,), daemon=True)
        process.start()
        self._processes.append(process)
        await self.until(lambda: not process.is_alive(), turn=True)
        return process.exitcode

    async def start_again(self, life: Life) -> multiprocessing.process.BaseProcess:
        """Start a bot as before, but one that does not die."""
        return await self.start(replace(life, dies_at=0))

    async def until(self, true: Callable[[], object], *, turn: bool = False) -> None:
        """Wait until something is so, turning the emulator's clock meanwhile if asked. Raises `TimeoutError`."""
        async with asyncio.timeout(PATIENCE_S):
            while not true():
                if turn and self.clock.offset_ms < _FARTHEST_S * 1000:
                    self.clock.advance(seconds=_STEP_S)
                await asyncio.sleep(_LOOK_S)  # looking at another process: there is no event to wait for


async def _stop(server: uvicorn.Server, serving: asyncio.Task[None]) -> None:
    server.should_exit = True
    await serving


def _takes_connections(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
