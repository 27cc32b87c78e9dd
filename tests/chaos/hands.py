"""notes of what each process had in hand, and the blows that fell -> how many of them hit an event.

A lease that ends without a word counts against its event, and three of them give it up. That is no loss if it was the
programme that struck, and only then; so every process writes down what it takes and what it ends.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from linqbot.records import Commit, Leases, Side
from tests.chaos.passing import PassingStore

_DYING_S = 0.5
"""How long after a blow was dealt it may fall: the programme and the machine are busy."""


class NotingStore(PassingStore):
    """A store whose every lease on an event is noted; everything else passes through."""

    def __init__(self, inner: Any, notes: Path) -> None:
        super().__init__(inner)
        self._notes = notes

    async def lease(self, side: Side, tokens: Sequence[str], *, take: int = 1) -> Leases:
        """Note the question, which may end in a lease that we never hear of, and what came of it."""
        if side is Side.OUT:
            return await self._pass_on(side, tokens, take)
        self._note("begins", f"ask-{tokens[0]}", "")
        leases = await self._pass_on(side, tokens, take)
        for one in leases.taken:
            self._note("begins", one.token, one.events[0].event_id)
        self._note("ends", f"ask-{tokens[0]}", "")
        return leases

    async def commit(self, commit: Commit) -> Any:
        """Note the end of a turn; a stream's bubble ends nothing."""
        done = await self._inner.commit(commit)
        if commit.take:
            self._note("ends", commit.token, "")
        return done

    async def retry(self, lane: str, token: str, **more: Any) -> Any:
        """Note the end."""
        done = await self._inner.retry(lane, token, **more)
        self._note("ends", token, "")
        return done

    async def release(self, side: Side, lane: str, token: str) -> Any:
        """Note the end."""
        done = await self._inner.release(side, lane, token)
        self._note("ends", token, "")
        return done

    async def _pass_on(self, side: Side, tokens: Sequence[str], take: int) -> Leases:
        leases: Leases = await self._inner.lease(side, tokens, take=take)
        return leases

    def _note(self, what: str, token: str, event_id: str) -> None:
        with self._notes.open("a", encoding="utf-8") as notes:
            notes.write(f"{os.getpid()} {time.time()} {what} {token} {event_id}\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A time in which a process had an event in hand."""

    pid: int
    event_id: str
    """Empty: it died while it asked for work, and may have been given any."""
    begun_s: float
    ended_s: float = math.inf


@dataclass(frozen=True, slots=True, kw_only=True)
class Struck:
    """A blow of the programme's own, or of the machine."""

    pid: int | None
    """None: it hit everybody."""
    at_s: float
    lasts_s: float = 0.0


def holds(files: Iterable[Path]) -> list[Hold]:
    """All that was noted, in order; what a process never ended was over when another one began with it."""
    noted = sorted((hold for file in files for hold in _noted(file.read_text("utf-8"))), key=lambda hold: hold.begun_s)
    found: list[Hold] = []
    next_s: dict[str, float] = {}
    for hold in reversed(noted):
        over_s = min(hold.ended_s, next_s.get(hold.event_id, math.inf)) if hold.event_id else hold.ended_s
        found.append(replace(hold, ended_s=over_s))
        next_s[hold.event_id] = hold.begun_s
    return found[::-1]


def _noted(text: str) -> Iterator[Hold]:
    open_: dict[tuple[str, str], Hold] = {}
    for line in text.splitlines():
        pid, at_s, what, token, event_id = line.split(" ")
        if what == "begins":
            open_[pid, token] = Hold(pid=int(pid), event_id=event_id, begun_s=float(at_s))
        elif (known := open_.pop((pid, token), None)) and known.event_id:
            yield replace(known, ended_s=float(at_s))
    yield from open_.values()


def hits(event_id: str, held: Iterable[Hold], struck: Iterable[Struck]) -> int:
    """How many blows fell on somebody who had the event in hand, or may have had."""
    mine = [hold for hold in held if hold.event_id in ("", event_id)]
    return sum(any(_fell_on(hold, blow) for hold in mine) for blow in struck)


def _fell_on(hold: Hold, blow: Struck) -> bool:
    same = blow.pid == hold.pid or (blow.pid is None and hold.event_id)
    return bool(same) and hold.begun_s <= blow.at_s + blow.lasts_s + _DYING_S and hold.ended_s >= blow.at_s
