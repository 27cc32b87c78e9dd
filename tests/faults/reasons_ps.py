"""rows of the process and store faults -> where they are tried, if not in `test_p_process.py` or `test_s_store.py`."""

ELSEWHERE = {
    "P1": "tests/faults/test_crash_everywhere.py"
    "::test_every_message_is_answered_once_and_in_order_wherever_the_process_dies",
    "P2": "tests/chaos/test_chaos.py::test_nothing_is_lost_doubled_or_turned_around_whoever_is_killed",
    "P8": "tests/faults/test_many_processes.py::test_order_holds_although_a_worker_is_frozen_past_its_lease_and_woken",
    "S5": "tests/store/test_redis_lost_answers.py",
}
"""Of S5 the lost answers; requests that arrive in part are tried in `test_s_store.py`."""

NOT_TRIED: dict[str, str] = {}
"""Rows that cannot be tried here, each with its reason; there is none."""
