"""rows of the process and store faults -> where they are tried, if not in `test_p_process.py` or `test_s_store.py`."""

ELSEWHERE = {
    "P2": "tests/chaos/test_chaos.py::test_nothing_is_lost_doubled_or_turned_around_whoever_is_killed",
    "S5": "tests/store/test_redis_lost_answers.py",
}
"""Of S5 the lost answers; requests that arrive in part are tried in `test_s_store.py`."""

NOT_TRIED: dict[str, str] = {}
"""Rows that cannot be tried here, each with its reason; there is none."""
