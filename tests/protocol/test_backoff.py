"""attempts -> how long to wait."""

from __future__ import annotations

import pytest

from linqbot.protocol.backoff import backoff_ms


@pytest.mark.parametrize("jitter", [0.0, 0.5, 0.999])
def test_first_wait_is_two_seconds_whatever_the_jitter(jitter: float) -> None:
    """The webhook that proves an arrival gets two seconds before anything is repeated (reliability.md 2.4)."""
    assert backoff_ms(0, jitter=jitter) == 2_000


@pytest.mark.parametrize(
    ("attempts", "ceiling_ms"), [(1, 4_000), (2, 8_000), (3, 16_000), (4, 32_000), (5, 60_000), (50, 60_000)]
)
def test_ceiling_doubles_up_to_a_minute(attempts: int, ceiling_ms: int) -> None:
    """Waits lie between two seconds and a ceiling that doubles to 60 seconds (design.md section 9, Sending)."""
    waits = [backoff_ms(attempts, jitter=jitter) for jitter in (0.0, 0.999_999)]

    assert waits[0] == 2_000
    assert ceiling_ms - 10 <= waits[1] <= ceiling_ms


def test_huge_count_of_attempts_costs_nothing() -> None:
    """Any count of attempts is computed at once."""
    assert backoff_ms(10**9, jitter=0.5) == 31_000
