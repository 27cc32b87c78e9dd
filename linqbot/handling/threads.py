"""plain def -> a thread. Runs handlers that block, a bounded number at once.

Threads are daemons: one that never ends must not keep the process from leaving. They are kept and used again, so that
what a library holds per thread (a database connection) is found again.
"""

from __future__ import annotations

import asyncio
import contextvars
import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

Job = Callable[[], None]


class Threads:
    """Up to `limit` threads; a call waits until one is free."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._free = asyncio.Semaphore(limit)
        self._busy = 0
        self._started = 0
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()

    async def acquire(self) -> None:
        """Wait for a free thread; `start` uses it."""
        await self._free.acquire()
        self._busy += 1

    def start(self, call: Callable[[], Any]) -> asyncio.Future[tuple[Any, BaseException | None]]:
        """Run a call in the acquired thread, with this task's context variables.

        The future gives its result or its error as a value. It cannot be stopped: cancelling the future leaves the thread
        to its end, and only then is it free again.
        """
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[tuple[Any, BaseException | None]] = loop.create_future()
        context = contextvars.copy_context()

        def settle(outcome: tuple[Any, BaseException | None]) -> None:
            self._busy -= 1
            self._free.release()
            if not ended.done():
                ended.set_result(outcome)

        def job() -> None:
            outcome = _outcome(context, call)
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(settle, outcome)

        self._jobs.put(job)
        if self._busy > self._started:
            self._started += 1
            threading.Thread(target=self._work, name=f"linqbot-handler-{self._started}", daemon=True).start()
        return ended

    def close(self) -> None:
        """Let idle threads end; a busy one ends after its call."""
        for _ in range(self._started):
            self._jobs.put(None)
        self._started = 0

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()


def _outcome(context: contextvars.Context, call: Callable[[], Any]) -> tuple[Any, BaseException | None]:
    try:
        return context.run(call), None
    except BaseException as error:  # noqa: BLE001  # whatever it is belongs to the handler, which awaits it
        return None, error
