"""failures -> whether to try at all."""

from __future__ import annotations

from linqbot.protocol.breaker import Breaker, Gate

FRESH = Breaker(threshold=3, rest_ms=1_000, longest_rest_ms=4_000)


def opened(at_ms: int = 0) -> Breaker:
    """A breaker that has just opened."""
    return FRESH.failure(at_ms).failure(at_ms).failure(at_ms)


def test_stays_closed_below_the_threshold() -> None:
    """Fewer failures in a row than the threshold stop nobody."""
    assert FRESH.failure(0).failure(0).gate(0) is Gate.CLOSED


def test_success_forgets_earlier_failures() -> None:
    """Only failures in a row count."""
    assert FRESH.failure(0).failure(0).success().failure(0).failure(0).gate(0) is Gate.CLOSED


def test_opens_at_the_threshold() -> None:
    """So many failures in a row and nobody passes until the rest is over."""
    assert opened().gate(999) is Gate.OPEN
    assert opened().left_ms(400) == 600


def test_is_half_open_after_its_rest() -> None:
    """After the rest one may pass."""
    assert opened().gate(1_000) is Gate.HALF_OPEN
    assert opened().left_ms(1_000) == 0


def test_probe_shuts_it_for_the_others() -> None:
    """While one probes, nobody else passes."""
    assert opened().probe(1_000).gate(1_001) is Gate.OPEN


def test_probe_that_never_reports_makes_room_for_another() -> None:
    """A lost probe holds the gate for one rest, not for ever."""
    assert opened().probe(1_000).gate(2_000) is Gate.HALF_OPEN


def test_probe_of_a_closed_breaker_changes_nothing() -> None:
    """Only a half-open breaker is shut by a probe."""
    assert FRESH.probe(5) == FRESH


def test_successful_probe_closes_it() -> None:
    """One success and all may pass, as if nothing had been."""
    assert opened().probe(1_000).success() == FRESH


def test_failed_probe_doubles_the_rest_up_to_its_limit() -> None:
    """Each failed probe makes the rest twice as long, up to the longest."""
    once = opened().probe(1_000).failure(1_100)
    often = once.probe(4_000).failure(4_000).probe(9_000).failure(9_000)

    assert once.left_ms(1_100) == 2_000
    assert often.left_ms(9_000) == 4_000


def test_late_failures_of_others_do_not_prolong_the_rest() -> None:
    """Whoever passed before it opened and fails afterwards changes nothing about when the next probe goes."""
    assert opened().failure(500).failure(900).gate(1_000) is Gate.HALF_OPEN


def test_hold_opens_at_once_for_as_long_as_asked() -> None:
    """A pause that the far side asks for needs no threshold."""
    held = FRESH.hold(0, rest_ms=30_000)

    assert held.left_ms(0) == 30_000
    assert held.gate(30_000) is Gate.HALF_OPEN


def test_clock_set_back_does_not_hold_for_ever() -> None:
    """A breaker opened in what is now the future lets one probe."""
    assert opened(10_000).gate(0) is Gate.HALF_OPEN
