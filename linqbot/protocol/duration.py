"""text -> a span of time. How people write "12h" and "25/60s" in settings and policies, and nothing else."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta

_UNITS = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_PIECE = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)(ms|[smhdw])", re.ASCII)
_WHOLE = re.compile(rf"(?:{_PIECE.pattern})+", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """So many units in any window of that length; 0 units means no limit."""

    units: int
    window: timedelta

    @property
    def window_ms(self) -> int:
        """The window in milliseconds."""
        return to_ms(self.window)


def parse_duration(text: str) -> timedelta:
    """The span that `30s`, `1.5h`, `2d` or `1h30m` names; units are ms, s, m, h, d, w.

    Raises `ValueError` for anything else, a bare number included: a number without a unit is a guess.
    """
    squeezed = text.replace(" ", "").lower()
    if not _WHOLE.fullmatch(squeezed):
        raise ValueError('write a duration with its unit, such as "30s", "12h" or "1h30m"')
    try:
        return sum((float(number) * _UNITS[unit] for number, unit in _PIECE.findall(squeezed)), timedelta())
    except OverflowError:
        raise ValueError("the duration is longer than can be counted") from None


def parse_rate(text: str) -> Rate:
    """The rate that `25/60s` names; `0` alone is no limit.

    Raises `ValueError` for anything else, and for a window of no length.
    """
    if text.strip() == "0":
        return Rate(units=0, window=_UNITS["m"])
    units, slash, window = text.partition("/")
    if not slash or not re.fullmatch(r"\s*\d{1,9}\s*", units, re.ASCII):
        raise ValueError('write a rate as units per window, such as "25/60s", or "0" for no limit')
    rate = Rate(units=int(units), window=parse_duration(window))
    if rate.window_ms < 1:
        raise ValueError("the window of a rate must be longer than nothing")
    return rate


def to_ms(span: timedelta) -> int:
    """A span in whole milliseconds, as the store counts."""
    return span // timedelta(milliseconds=1)
