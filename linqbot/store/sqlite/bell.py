"""a lane became ready -> whoever waits for it in this process wakes, in whatever event loop."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from linqbot.records import Side

Ear = tuple[asyncio.AbstractEventLoop, asyncio.Event]


class Bell:
    """Rung by the writer thread after a commit; heard in event loops."""

    def __init__(self) -> None:
        self._ears: dict[tuple[str, Side], set[Ear]] = {}
        self._gate = threading.Lock()

    @contextmanager
    def listening(self, namespace: str, side: Side) -> Iterator[asyncio.Event]:
        """An event that is set by every ring from now on, until the block is left."""
        ear = (asyncio.get_running_loop(), asyncio.Event())
        with self._gate:
            ears = self._ears.setdefault((namespace, side), set())
            ears.add(ear)
        try:
            yield ear[1]
        finally:
            with self._gate:
                ears.discard(ear)

    def ring(self, namespace: str, sides: Iterable[Side]) -> None:
        """Wake all who listen; safe in any thread."""
        for side in sides:
            with self._gate:
                ears = tuple(self._ears.get((namespace, side), ()))
            for loop, event in ears:
                with contextlib.suppress(RuntimeError):  # the loop is closed, so nobody listens there any more
                    loop.call_soon_threadsafe(event.set)
