"""How people write spans of time and rates."""

from __future__ import annotations

from datetime import timedelta

import pytest

from linqbot.protocol.duration import Rate, parse_duration, parse_rate, to_ms


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("250ms", timedelta(milliseconds=250)),
        ("30s", timedelta(seconds=30)),
        ("1.5h", timedelta(minutes=90)),
        ("1h30m", timedelta(minutes=90)),
        (" 2 D ", timedelta(days=2)),
        ("1w", timedelta(days=7)),
        ("0s", timedelta()),
    ],
)
def test_a_duration_is_a_number_with_its_unit(text: str, span: timedelta) -> None:
    """What people write for a span of time means what they think."""
    assert parse_duration(text) == span


@pytest.mark.parametrize("text", ["", "30", "s", "-5s", "1y", "1h30", "٣s", "1e3s", "30s!", "999999999w"])
def test_anything_else_is_not_a_duration(text: str) -> None:
    """A number without a unit, a sign or an unknown unit is refused rather than guessed."""
    with pytest.raises(ValueError, match="duration"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "units", "seconds"),
    [("25/60s", 25, 60), ("100000/1m", 100_000, 60), (" 5 / 500ms ", 5, 0.5), ("0", 0, 60)],
)
def test_a_rate_is_units_per_window(text: str, units: int, seconds: float) -> None:
    """`25/60s` is 25 units in any 60 seconds, and `0` alone is no limit."""
    assert parse_rate(text) == Rate(units=units, window=timedelta(seconds=seconds))


@pytest.mark.parametrize("text", ["", "25", "25/60", "/60s", "x/60s", "-1/60s", "25/0s", "1/2/3s"])
def test_anything_else_is_not_a_rate(text: str) -> None:
    """A rate without its window, or with an empty one, is refused."""
    with pytest.raises(ValueError, match=r"rate|duration"):
        parse_rate(text)


def test_a_span_is_counted_in_whole_milliseconds() -> None:
    """The store's unit loses the part below a millisecond and nothing else."""
    assert to_ms(timedelta(seconds=1, microseconds=1999)) == 1001
