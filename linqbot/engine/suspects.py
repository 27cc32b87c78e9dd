"""events that were in hand when process after process died -> the one that did it.

All that were in hand look alike. What runs while no other suspect does gets a note; if the process dies then, the note is
the proof. Who comes beside it takes the proof away, and is not run before that is stored.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext, suppress
from typing import Protocol

from linqbot.errors import LeaseLost
from linqbot.records import Lease

STALL_LIMIT = 3
"""How many workers may die on one event before it is given up, unless others were in hand each time: then it is run
without them, and given up at the next death.
"""

STALLS_AT_MOST = 10
"""At so many an event is given up, whoever else was in hand."""

_ALONE, _COMPANY = "alone", "company"


class Notebook(Protocol):
    """Where a running turn keeps notes: its port."""

    async def note(self, name: str, value: bytes) -> bytes:
        """Keep a note about the event. Raises `LeaseLost`."""
        ...


class Suspects:
    """The suspects that this process runs, and whether one of them runs alone."""

    def __init__(self) -> None:
        self._in_hand = 0
        self._lone: tuple[Notebook, int] | None = None
        self._noting = asyncio.Lock()
        self._one_by_one = asyncio.Lock()

    @asynccontextmanager
    async def beside(self, lease: Lease, port: Notebook) -> AsyncIterator[None]:
        """Run a suspect beside others, or one by one once it has used up its stalls."""
        turn = self._one_by_one if lease.stalls >= STALL_LIMIT else nullcontext()
        async with turn:
            self._in_hand += 1
            try:
                await self._note(port, lease.stalls)
                yield
            finally:
                self._in_hand -= 1
                if self._lone is not None and self._lone[0] is port:
                    self._lone = None

    async def _note(self, port: Notebook, stalls: int) -> None:
        async with self._noting:
            lone, self._lone = self._lone, None
            if lone is not None:
                with suppress(LeaseLost):
                    await lone[0].note(_note_of(_COMPANY, lone[1]), b"")
            elif self._in_hand == 1:
                self._lone = port, stalls
                with suppress(LeaseLost):  # the run will find out
                    await port.note(_note_of(_ALONE, stalls), b"")


def died_alone(lease: Lease) -> bool:
    """Whether the process that had this event last died while it ran no other suspect."""
    last = lease.stalls - 1
    return _note_of(_ALONE, last) in lease.notes and _note_of(_COMPANY, last) not in lease.notes


def _note_of(what: str, stalls: int) -> str:
    return f"{what}:{stalls}"
