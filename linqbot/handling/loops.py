"""answers and what came after them -> how long two machines have been talking to each other.

A person reads before they write. Who meets each of our answers within seconds, again and again, is a machine; surely one
if it says what it said before, or more and more of it. What comes sooner than our answer can have travelled was written
before it: somebody in a hurry, or a queue, and no sign of a loop. Per process, bounded.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field, replace

MOST = 10_000
"""How many conversations a process remembers; those that were silent for longest are forgotten first."""


REPEATED = 4
"""How much more it says that somebody repeats themselves than that they are quick."""

_LONGEST = 500

TRAVEL_MS = 300
"""An answer takes longer than this to Linq, to a phone, and one to it all the way back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Streak:
    """How quickly somebody has been answering us."""

    weight: int
    """How many of our answers in a row were met at once; where they only repeated themselves, one weighs `REPEATED`."""
    said: str = field(repr=False)
    """What they last wrote, cut."""
    answered_ms: int
    """When our last answer was there."""
    heard_ms: int
    """When they last wrote."""


class Loops:
    """The streaks of all conversations of a process, by whom they are with."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._streaks: OrderedDict[tuple[str, str], Streak] = OrderedDict()

    def heard(self, who: tuple[str, str], came_ms: int, *, quiet_ms: int) -> int:
        """They wrote: the weight of their streak; a conversation that was quiet for a while begins anew."""
        streak = self._streaks.get(who)
        if streak is None:
            return 0
        if came_ms - streak.heard_ms >= quiet_ms:
            del self._streaks[who]
            return 0
        self._streaks[who] = replace(streak, heard_ms=max(came_ms, streak.heard_ms))
        return streak.weight

    def answered(self, who: tuple[str, str], text: str, came_ms: int, now_ms: int, *, within_ms: int) -> None:
        """We answered `text`, which came at `came_ms`: the streak grows if that was at once after our last answer."""
        last, said = self._streaks.pop(who, None), text[:_LONGEST].strip()
        weight = 0
        if last is not None and TRAVEL_MS <= came_ms - last.answered_ms <= within_ms:
            weight = last.weight + (REPEATED if _repeats(last.said, said) else 1)
        self._streaks[who] = Streak(weight=weight, said=said, answered_ms=now_ms, heard_ms=came_ms)
        if len(self._streaks) > self._most:
            self._streaks.popitem(last=False)

    def __len__(self) -> int:
        return len(self._streaks)


def _repeats(before: str, now: str) -> bool:
    """Whether somebody says the same again, or more or less of it."""
    return bool(before and now) and (before in now or now in before)
