"""rows of the faults of sending and of handlers -> where they are tried, if not under their own name."""

_SENDER = "tests/engine/test_dispatcher.py::"
_OUTCOME = "tests/protocol/test_outcome.py::"
_CLIENT = "tests/client/test_http.py::"
_OUTBOUND = "tests/protocol/test_outbound.py::"
_PROMISES = "tests/fundamentals/test_04_promises.py::"
_RUNNER = "tests/handling/test_runner.py::"
_PARKING = "tests/engine/test_parking.py"

ELSEWHERE: dict[str, tuple[str, ...]] = {
    "O1": (
        f"{_SENDER}test_storm_of_rate_limits_burns_nothing",
        f"{_SENDER}test_other_chats_flow_past_one_that_waits",
        f"{_OUTCOME}test_rate_limit_waits_as_long_as_linq_says",
        f"{_OUTCOME}test_rate_limit_without_any_word_waits_a_window",
    ),
    "O2": (f"{_SENDER}test_trouble_at_linq_makes_one_message",),
    "O3": (
        f"{_SENDER}test_lost_answer_makes_one_message",
        f"{_SENDER}test_answer_lost_on_the_wire_makes_one_message",
        f"{_SENDER}test_unreadable_success_is_settled_by_a_replay",
        f"{_CLIENT}test_huge_body_is_cut_at_the_cap",
    ),
    "O5": (
        f"{_SENDER}test_refused_key_holds_every_send_and_loses_nothing",
        f"{_SENDER}test_refused_key_burns_no_attempt_and_alarms_once",
    ),
    "O7": (
        f"{_SENDER}test_missing_chat_is_a_dead_letter",
        f"{_SENDER}test_not_found_after_a_lost_answer_counts_as_sent",
    ),
    "O8": (
        f"{_SENDER}test_final_conflict_is_a_dead_letter",
        f"{_SENDER}test_chat_in_the_making_is_asked_again",
        f"{_OUTCOME}test_unknown_outcome_is_repeated_under_the_same_key",
    ),
    "O9": (f"{_SENDER}test_refused_reply_does_not_stop_its_neighbours",),
    "O11": (f"{_SENDER}test_redirect_is_not_followed_and_alarms", f"{_CLIENT}test_redirect_is_not_followed"),
    "O13": (f"{_SENDER}test_second_holder_sends_the_same_bytes",),
    "O15": (f"{_CLIENT}test_storm_of_cancelled_callers_leaves_the_pool_whole",),
    "O16": (
        f"{_OUTBOUND}test_every_bubble_of_any_reply_is_legal",
        f"{_OUTBOUND}test_reply_that_linq_would_refuse_is_a_dead_letter_and_the_rest_goes_on",
        f"{_OUTBOUND}test_more_than_a_hundred_bubbles_in_a_turn_are_refused",
        f"{_RUNNER}test_reply_that_linq_would_refuse_is_left_out",
    ),
    "A1": (
        f"{_PROMISES}test_a_handler_that_fails_is_tried_again",
        f"{_PROMISES}test_a_handler_that_keeps_failing_does_not_block_its_chat",
    ),
    "A6": (f"{_RUNNER}test_history_and_own_messages_are_unanswered",),
    "A7": (_PARKING,),
    "A11": ("tests/store/test_sqlite_time.py::test_time_never_runs_backwards",),
}
"""A row may be tried under its own name as well."""

NOT_TRIED: dict[str, str] = {}
"""Rows that cannot be tried here, each with its reason; there is none."""
