"""a blocked event loop -> a line that says where. Looks at the loop from a thread of its own.

A loop that is blocked answers nobody, not even `/healthz`, and lets its leases run out. That is safe: other processes take
its chats over and its own commits are refused. But whoever wrote the handler should learn which line it was.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import traceback
from types import TracebackType
from typing import Self

import structlog

log = structlog.get_logger("linqbot.watchdog")

LAG_S = 2.0
"""How long the loop may take to come round before it is reported."""

_LOOK_S = 0.5
_FRAMES = 20


class Watchdog:
    """Watches the event loop it is entered on."""

    def __init__(self, *, lag_s: float = LAG_S) -> None:
        self._lag_s = lag_s
        self._left = threading.Event()

    def __enter__(self) -> Self:
        watching = (asyncio.get_running_loop(), threading.get_ident())
        threading.Thread(target=self._watch, args=watching, name="linqbot-watchdog", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._left.set()

    def _watch(self, loop: asyncio.AbstractEventLoop, thread: int) -> None:
        while not self._left.wait(_LOOK_S):
            came_round = threading.Event()
            try:
                loop.call_soon_threadsafe(came_round.set)
            except RuntimeError:  # the loop is closed
                return
            if came_round.wait(self._lag_s) or self._left.is_set():
                continue
            remedy = "await instead of blocking, or make the handler a plain def, which runs in a thread"
            log.error("event loop blocked", lag_s=self._lag_s, where=_stack(thread), remedy=remedy)
            came_round.wait()
            log.warning("event loop goes on")


def _stack(thread: int) -> list[str]:
    """Where a thread is, innermost last: places only, for values and lines may hold what people said."""
    frame = sys._current_frames().get(thread)  # noqa: SLF001  # the documented way to see another thread's stack
    places = [] if frame is None else traceback.StackSummary.extract(traceback.walk_stack(frame), lookup_lines=False)
    return [f"{place.filename}:{place.lineno} {place.name}" for place in reversed(places[:_FRAMES])]
