"""attempts -> how long to wait. Doubling with jitter, so that many who failed together do not come back together."""

from __future__ import annotations

_MOST_DOUBLINGS = 32
"""Beyond it every ceiling is the cap; keeps the power small whatever the count of attempts."""


def backoff_ms(attempts: int, *, jitter: float, first_ms: int = 2_000, cap_ms: int = 60_000) -> int:
    """How many milliseconds to wait after `attempts` earlier failures (0 for the first one).

    The first wait is exactly `first_ms`: the webhook that proves an arrival gets that long before anything is repeated.
    Later ones lie between `first_ms` and a ceiling that doubles up to `cap_ms`, where `jitter`, a random number in
    [0, 1), puts them. Source of the defaults: reliability.md section 2.4.
    """
    ceiling_ms = min(cap_ms, first_ms * 2 ** min(max(attempts, 0), _MOST_DOUBLINGS))
    return first_ms + int(jitter * max(ceiling_ms - first_ms, 0))
