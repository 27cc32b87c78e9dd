"""(what, name) -> a number. Counts what is not worth a line in the log each time it happens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

OTHERS = "(others)"
"""Under which is counted what would be one name too many."""


class Tally:
    """How often what happened in this process, by name. Names come from outside, so there are at most `names` of a kind."""

    def __init__(self, *, names: int = 1_000) -> None:
        self._names = names
        self._counts: dict[str, Counter[str]] = {}

    def add(self, what: str, name: str) -> None:
        """One more."""
        counted = self._counts.setdefault(what, Counter())
        counted[name if name in counted or len(counted) < self._names else OTHERS] += 1

    @property
    def counts(self) -> Mapping[str, Mapping[str, int]]:
        """All numbers so far, by kind and name."""
        return {what: dict(counted) for what, counted in self._counts.items()}
