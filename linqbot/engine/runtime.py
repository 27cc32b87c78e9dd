"""stations -> a running process. Starts the stations of this process, keeps them alive, and drains them in time.

Draining (reliability.md section 2.9) begins at SIGTERM: ingress answers 503, the worker takes no more chats. Turns get
20 s to end and their replies are still sent meanwhile; then chats are given back and sends in flight are left to their
keys. SIGKILL at any instant is safe as well: draining only saves time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import TracebackType
from typing import Protocol, Self

import structlog

from linqbot.engine.ingress import Ingress
from linqbot.engine.sweeper import Sweeper

log = structlog.get_logger("linqbot.runtime")

TURNS_END_S = 20.0
"""How long turns may still run."""

SENDS_END_S = 23.0
"""How long sends may still run, counted from the same moment."""

_RESTART_PAUSE_S = 1.0


class Station(Protocol):
    """Something that takes lanes and works on them."""

    @property
    def idle(self) -> bool:
        """Whether it works on nothing and found nothing to work on."""
        ...

    async def run(self) -> None:
        """Work until `stop`, then return after the last piece."""
        ...

    def stop(self) -> None:
        """Take nothing new."""
        ...

    async def leave(self) -> None:
        """Drop what is still in hand, safely, and return."""
        ...


class SendStation(Station, Protocol):
    """The station that sends replies."""

    def finish(self) -> None:
        """Send what is ready, then stop."""
        ...


class TurnStation(Station, Protocol):
    """The station that runs handlers."""

    @property
    def out_of_threads(self) -> bool:
        """Whether so many handlers do not end that the process can only be replaced."""
        ...


class Runtime:
    """The stations of one process, from start to drain."""

    def __init__(
        self, *, ingress: Ingress | None, worker: TurnStation | None, dispatcher: SendStation | None, sweeper: Sweeper
    ) -> None:
        self._ingress = ingress
        self._worker = worker
        self._dispatcher = dispatcher
        self._sweeper = sweeper
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._drain_begun = 0.0
        self._leaving: asyncio.Task[None] | None = None
        self.draining = asyncio.Event()

    @property
    def idle(self) -> bool:
        """Whether every station of this process waits for work."""
        return all(station.idle for station in (self._worker, self._dispatcher) if station is not None)

    def begin_drain(self) -> None:
        """Take nothing new from now on; a repeat changes nothing. Call it on the event loop."""
        if self.draining.is_set():
            return
        self.draining.set()
        self._drain_begun = asyncio.get_running_loop().time()
        log.info("draining")
        if self._ingress is not None:
            self._ingress.draining = True
        if self._worker is not None:
            self._worker.stop()

    def give_back(self) -> None:
        """Wait for nobody: what is in hand goes back at once, for another process. Call it on the event loop."""
        self.begin_drain()
        self._leaving = self._leaving or asyncio.create_task(self._leave(), name="linqbot-leaving")

    def troubles(self) -> Mapping[str, str]:
        """What keeps this process from being ready, by name."""
        found = {"process": "draining"} if self.draining.is_set() else {}
        if self._worker is not None and self._worker.out_of_threads:
            found["threads"] = "lost to handlers that do not end"
        return found | {
            name: "stopped" for name, task in self._tasks.items() if task.done() and not self.draining.is_set()
        }

    async def __aenter__(self) -> Self:
        for name, run in self._stations():
            self._tasks[name] = asyncio.create_task(_keep_alive(name, run), name=f"linqbot-{name}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.begin_drain()
        await self._end("worker", self._worker, by=self._drain_begun + TURNS_END_S)
        if self._dispatcher is not None:
            self._dispatcher.finish()
        await self._end("dispatcher", self._dispatcher, by=self._drain_begun + SENDS_END_S)
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        log.info("drained")

    def _stations(self) -> Sequence[tuple[str, Callable[[], Awaitable[None]]]]:
        stations: list[tuple[str, Callable[[], Awaitable[None]]]] = [("sweeper", self._sweeper.run)]
        if self._worker is not None:
            stations.append(("worker", self._worker.run))
        if self._dispatcher is not None:
            stations.append(("dispatcher", self._dispatcher.run))
        return stations

    async def _leave(self) -> None:
        for station in (self._worker, self._dispatcher):
            if station is not None:
                station.stop()
                await station.leave()

    async def _end(self, name: str, station: Station | None, *, by: float) -> None:
        if station is None:
            return
        await asyncio.wait([self._tasks[name]], timeout=max(by - asyncio.get_running_loop().time(), 0.0))
        if not self._tasks[name].done():
            log.warning("station did not end in time, its lanes are given back", station=name)
            station.stop()
            await station.leave()


async def _keep_alive(name: str, run: Callable[[], Awaitable[None]]) -> None:
    """A station ends when it is told to; if it breaks, that is a bug: it is logged and started again."""
    while True:
        try:
            await run()
        except Exception:
            log.exception("station broke, started again", station=name)
            await asyncio.sleep(_RESTART_PAUSE_S)  # noqa: TID251  # real time: a bug must not spin
        else:
            return
