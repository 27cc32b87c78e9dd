"""Answer | TransportError -> Verdict: one test for each row of the table, each row with its source."""

from __future__ import annotations

import json
from dataclasses import replace
from email.utils import formatdate
from pathlib import Path

import pytest

from linqbot.errors import NotSent, OutcomeUnknown
from linqbot.protocol.answer import CODES, STATUSES
from linqbot.protocol.naming import name_of_last_text
from linqbot.protocol.outcome import Answer, Verdict, before_send, classify
from linqbot.records import Dead, DeadLetter, Lease, OutboxItem, Repeat, Request, Sent, Side, Wait

NOW_MS = 1_790_000_000_000
HOUR_MS = 3_600_000
FIXTURES = Path(__file__).parents[1] / "fixtures" / "linq"

REPLY = OutboxItem(
    key="lb1_threaded",
    lane="chat:c1",
    event_id="e1",
    handler="bot.echo",
    position=0,
    request=Request(method="POST", path="/v3/chats/c1/messages", body=b"{}"),
    created_ms=NOW_MS - 1_000,
)
PLAIN = replace(REPLY, plain=REPLY.request, plain_key="lb1_plain")
LEASE = Lease(
    side=Side.OUT,
    lane="chat:c1",
    token="t1",
    now_ms=NOW_MS,
    until_ms=NOW_MS + 30_000,
    reply=REPLY,
)
SUSPECT = replace(LEASE, ambiguous_ms=NOW_MS - 10_000, attempts=1)
ACCEPTED = (FIXTURES / "seed" / "response.messages.send.json").read_bytes()


def refusal(status: int, code: int | None, **headers: str) -> Answer:
    """Linq's error envelope (linq-api-v3.md section 2), or an edge's page when there is no code."""
    body = b"<html>error</html>" if code is None else json.dumps({"error": {"status": status, "code": code}}).encode()
    return Answer(status=status, headers={name.replace("_", "-"): value for name, value in headers.items()}, body=body)


def judged(answer: Answer | NotSent | OutcomeUnknown, lease: Lease = LEASE, *, jitter: float = 0.0) -> Verdict:
    """The verdict at `NOW_MS`."""
    return classify(answer, lease=lease, now_ms=NOW_MS, jitter=jitter)


def letter_of(verdict: Verdict) -> DeadLetter:
    """The dead letter that a verdict writes."""
    assert isinstance(verdict.outcome, Dead)
    return verdict.outcome.letter


def wait_of(verdict: Verdict) -> Wait:
    """The wait that a verdict asks for."""
    assert isinstance(verdict.outcome, Wait)
    return verdict.outcome


REFUSED = [
    *((400, code, "section 2: N") for code in (1001, 1002, 1003, 1004, 1005, 1008, 5004, 5005, 5006, 5007)),
    (422, 1003, "section 2: O lists 1003 with 422"),
    (409, 1006, "section 2: N; section 4: no retry"),
    (400, 1006, "section 11: A says 400"),
    *((404, code, "section 2: N") for code in (2001, 2002, 2003, 2010, 2012, 2019, 2021)),
    *((403, code, "section 2: N") for code in (2005, 2006, 2011, 2026)),
    (403, 2008, "section 2: W until the person writes; 9.2"),
    (403, 2024, "section 2: W until they write again; 9.1"),
    *((409, code, "section 2: N; section 4: will not change") for code in (2013, 2014, 2016, 2017, 2018, 2023, 2028)),
    (409, 2015, "section 2: refresh first; reliability.md R6: terminal"),
    (422, 4005, "section 2: N"),
    (413, 5001, "section 2: N if 413"),
    *((status, None, "reliability.md 2.4") for status in (400, 413, 415, 422, 403, 404)),
    (400, 1999, "section 2: unknown codes fall back to the status"),
    (418, None, "reliability.md 2.4: an unknown 4xx is a refusal"),
    (402, 7001, "the same, with an unknown code"),
]


@pytest.mark.parametrize(("status", "code", "source"), REFUSED)
def test_refusal_is_dead_at_once(status: int, code: int | None, source: str) -> None:
    """What Linq will never take goes to the dead letters, with a reason, and burns no time."""
    letter = letter_of(judged(refusal(status, code)))

    assert (letter.id, letter.kind, letter.lane, letter.event_id) == ("lb1_threaded", "reply", "chat:c1", "e1"), source
    assert f"({status}" in letter.reason
    assert letter.handler == "bot.echo"


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (403, 2024, "opted out"),
        (403, 2026, "blocked"),
        (403, 2008, "write to the line first"),
        (400, 1002, "E.164"),
        (404, 2001, "chat is not there"),
    ],
)
def test_dead_letter_says_what_a_person_can_do(status: int, code: int, words: str) -> None:
    """The reason of a refusal is in words that a user understands."""
    assert words in letter_of(judged(refusal(status, code))).reason


UNKNOWN = [
    *((500, code, "section 2: Y") for code in (2022, 3001, 3002, 3003, 3004, 3006, 5001, 5003)),
    (504, 3005, "section 2: Y"),
    *(
        (500, code, "design.md section 9: 5xx always with the same key")
        for code in (3007, 4001, 4002, 4003, 5002, 1002)
    ),
    (503, 4004, "section 2: Y after 30 s"),
    *((503, code, "design.md section 9: 5xx always with the same key") for code in (4009, 4010)),
    *((status, None, "reliability.md 2.4") for status in (500, 502, 503, 504, 520, 599, 408, 409, 425)),
    (409, 2999, "reliability.md 2.4: a 409 with an unknown code"),
    *((status, None, "reliability.md 2.4: never followed") for status in (301, 302, 303, 307, 308)),
    (199, None, "not a final status"),
]


@pytest.mark.parametrize(("status", "code", "source"), UNKNOWN)
def test_o8_unknown_outcome_is_repeated_under_the_same_key(status: int, code: int | None, source: str) -> None:
    """What may have arrived is tried again, burnt and marked, never under another key.

    Held by `Repeat.KEYED`, and the mark `ambiguous`.
    """
    wait = wait_of(judged(refusal(status, code)))

    assert (wait.burn, wait.ambiguous, wait.use_plain) == (True, True, False), source
    assert wait.delay_ms >= 2_000


SICK = [
    (500, True),
    (502, True),
    (503, True),
    (504, True),
    (302, False),
    (408, False),
    (409, False),
    (429, False),
    (403, False),
]


@pytest.mark.parametrize(("status", "sick"), SICK)
def test_only_server_errors_count_against_linqs_health(status: int, *, sick: bool) -> None:
    """A 5xx feeds the breaker; an answer that makes sense does not."""
    assert judged(refusal(status, None)).sick is sick


@pytest.mark.parametrize("code", [2022, 3007, 4001, 4002, 5001, 5002, 5003])
def test_trouble_of_one_message_is_no_sickness_of_linq(code: int) -> None:
    """A file, a recipient or a line that makes every attempt fail with a 5xx holds up no other reply (section 2)."""
    verdict = judged(refusal(502, code))

    assert wait_of(verdict).ambiguous
    assert not verdict.sick


def test_throttled_upstream_is_left_alone_for_half_a_minute() -> None:
    """4004 is tried again after 30 seconds, not sooner (section 2)."""
    assert wait_of(judged(refusal(503, 4004))).delay_ms == 30_000


@pytest.mark.parametrize(("status", "code"), [(401, 2004), (401, None), (403, 2004), (407, None)])
def test_refused_credentials_hold_every_send_and_burn_nothing(status: int, code: int | None) -> None:
    """A refused API key is nobody's reply's fault: all wait, somebody is told (seed 2004; reliability.md 2.4)."""
    verdict = judged(refusal(status, code))

    assert verdict.hold_ms == 30_000
    assert verdict.alarm is not None
    assert wait_of(verdict) == Wait(delay_ms=30_000, reason=wait_of(verdict).reason)


@pytest.mark.parametrize("code", [1002, 2001, 2004, 3006])
def test_seed_error_is_classified_from_its_own_bytes(code: int) -> None:
    """The four errors of the seed page: dead letter, dead letter, hold, same key again."""
    sample = (FIXTURES / "seed" / f"response.error.{code}.json").read_bytes()
    status = json.loads(sample)["error"]["status"]

    verdict = judged(Answer(status=status, body=sample))

    kinds = {1002: Dead, 2001: Dead, 2004: Wait, 3006: Wait}
    assert isinstance(verdict.outcome, kinds[code])
    assert (verdict.status, verdict.code, verdict.hold_ms is not None) == (status, code, code == 2004)


@pytest.mark.parametrize(("status", "code"), [(404, 2007), (409, 2009)])
def test_refusal_that_passes_by_itself_waits_seconds(status: int, code: int) -> None:
    """An attachment in work and a chat in the making are asked again soon; surely nothing was sent (section 2: Y)."""
    wait = wait_of(judged(refusal(status, code)))

    assert (wait.delay_ms, wait.burn, wait.ambiguous) == (2_000, True, False)


def test_flagged_line_waits_ten_minutes() -> None:
    """A line that may not send for now is asked again in ten minutes; nothing was sent (2027; section 9.2)."""
    wait = wait_of(judged(refusal(403, 2027)))

    assert (wait.delay_ms, wait.ambiguous) == (600_000, False)


RETRY_AFTER = [
    ("45", 45_000, "section 2: seconds"),
    ("0", 0, "at once"),
    ("1.5", 1_500, "a fraction"),
    (formatdate(NOW_MS / 1000 + 90, usegmt=True), 90_000, "a date"),
    ("7200", HOUR_MS, "longer than an hour is asked again hourly"),
    ("1e9", HOUR_MS, "nonsense, capped"),
    ("inf", HOUR_MS, "nonsense, capped"),
    ("-5", 60_000, "nonsense: the pair's window"),
    ("nan", 60_000, "nonsense: the pair's window"),
    ("soon", 60_000, "nonsense: the pair's window"),
    (formatdate(NOW_MS / 1000 - 90, usegmt=True), 60_000, "a date in the past: the pair's window"),
    ("Mon, 23 Nov 99999999999999999999 16:00:00 GMT", 60_000, "no date: the pair's window"),
    ("9" * 5_000, HOUR_MS, "digits without end, capped"),
]


@pytest.mark.parametrize(("told", "expected_ms", "why"), RETRY_AFTER)
def test_o1_rate_limit_waits_as_long_as_linq_says(told: str, expected_ms: int, why: str) -> None:
    """`Retry-After` is honoured in every form it comes in, up to an hour at a time, and burns nothing (1007).

    Held by `retry_after`, which reads seconds and dates and bounds them.
    """
    wait = wait_of(judged(refusal(429, 1007, retry_after=told)))

    assert (wait.delay_ms, wait.burn, wait.ambiguous) == (expected_ms, False, False), why


def test_rate_limit_without_header_reads_the_envelope() -> None:
    """`error.retry_after` stands in for a header that a proxy lost (fixture response.error.1007)."""
    sample = (FIXTURES / "response.error.1007.json").read_bytes()

    assert wait_of(judged(Answer(status=429, body=sample))).delay_ms == 45_000


def test_o1_rate_limit_without_any_word_waits_a_window() -> None:
    """A bare 429 waits for the pair's window of a minute (section 3).

    Held by the window of the documented limit as the default.
    """
    assert wait_of(judged(refusal(429, None))).delay_ms == 60_000


def test_rate_limited_chats_do_not_come_back_together() -> None:
    """Jitter adds up to a tenth to a rate limit's wait."""
    assert wait_of(judged(refusal(429, 1007, retry_after="100"), jitter=0.5)).delay_ms == 105_000


def test_success_is_sent_under_linqs_id() -> None:
    """A success settles the reply with its message id (seed response.messages.send)."""
    verdict = judged(Answer(status=202, body=ACCEPTED, headers={"x-trace-id": "abc"}))

    assert verdict.outcome == Sent(message_id="69a37c7d-af4f-4b5e-af42-e28e98ce873a")
    assert (verdict.status, verdict.trace_id) == (202, "abc")


@pytest.mark.parametrize("status", [200, 201, 202])
def test_any_success_status_is_accepted(status: int) -> None:
    """Sources differ about the status of a send (section 11): any 2xx is a success."""
    assert isinstance(judged(Answer(status=status, body=ACCEPTED)).outcome, Sent)


@pytest.mark.parametrize(
    ("body", "message_id"),
    [
        (b'{"chat": {"id": "c", "message": {"id": "m"}}}', "m"),
        (b'{"chat_id": "c", "message_id": "p", "poll": {}}', "p"),
        (b'{"something": "new"}', None),
        (b'{"message": {"id": 5}}', None),
    ],
)
def test_success_of_another_shape_is_still_sent(body: bytes, message_id: str | None) -> None:
    """A new chat, a poll or a shape that nobody knows yet: accepted is accepted (section 7)."""
    assert judged(Answer(status=201, body=body)).outcome == Sent(message_id=message_id)


@pytest.mark.parametrize(
    "body", [b"", b"<html>", ACCEPTED[:100], b"[]", b'{"success": false}', b"[" * 100_000, b"\xff\xfe"]
)
def test_success_that_cannot_be_read_is_settled_by_a_replay(body: bytes) -> None:
    """A 2xx whose body is not Linq's is unknown: the same key again gives the original answer (section 4)."""
    assert wait_of(judged(Answer(status=200, body=body))).ambiguous


@pytest.mark.parametrize("repeat", [Repeat.REPEATABLE, Repeat.NEVER])
def test_success_of_a_keyless_call_needs_no_body(repeat: Repeat) -> None:
    """Typing and the like answer 204 (section 7): nothing to read."""
    lease = replace(LEASE, reply=replace(REPLY, repeat=repeat))

    assert judged(Answer(status=204), lease).outcome == Sent(message_id=None)


def test_request_that_did_not_leave_is_sent_again() -> None:
    """No connection: surely not sent, tried again, counted against Linq's health."""
    verdict = judged(NotSent("no"))

    assert (wait_of(verdict).burn, wait_of(verdict).ambiguous, verdict.sick) == (True, False, True)


def test_lost_answer_is_unknown() -> None:
    """A request without an answer may have arrived, and counts against Linq's health."""
    verdict = judged(OutcomeUnknown("no"))

    assert (wait_of(verdict).burn, wait_of(verdict).ambiguous, verdict.sick) == (True, True, True)


def test_waits_grow_with_burnt_attempts() -> None:
    """The sixth failure waits up to a minute."""
    assert wait_of(judged(OutcomeUnknown("no"), replace(SUSPECT, attempts=5), jitter=0.5)).delay_ms == 31_000


@pytest.mark.parametrize("answer", [OutcomeUnknown("no"), refusal(500, 3006), refusal(302, None)])
def test_unknown_outcome_is_parked_after_an_hour(answer: Answer | OutcomeUnknown) -> None:
    """Repeats end after 60 minutes: nobody knows how long Linq remembers a key (reliability.md R1)."""
    verdict = judged(answer, replace(SUSPECT, ambiguous_ms=NOW_MS - HOUR_MS))

    assert letter_of(verdict).kind == "unknown"


@pytest.mark.parametrize("answer", [NotSent("no"), refusal(429, 1007), refusal(403, 2027), refusal(404, 2007)])
def test_definite_refusal_is_given_up_after_a_day(answer: Answer | NotSent) -> None:
    """What surely was not sent is kept for 24 hours, then it is a dead letter (reliability.md R1)."""
    lease = replace(LEASE, reply=replace(REPLY, created_ms=NOW_MS - 24 * HOUR_MS))

    assert letter_of(judged(answer, lease)).kind == "reply"


def test_refused_credentials_never_kill_a_reply() -> None:
    """However long the API key is refused, the reply waits."""
    lease = replace(LEASE, reply=replace(REPLY, created_ms=NOW_MS - 240 * HOUR_MS))

    assert isinstance(judged(refusal(401, 2004), lease).outcome, Wait)


@pytest.mark.parametrize(("status", "code"), [(404, 2001), (404, 2002), (404, None), (404, 2999)])
def test_not_found_after_an_unknown_attempt_means_it_arrived(status: int, code: int | None) -> None:
    """The key is known and its message gone (section 4): sent, unconfirmed, never under a second key (R5)."""
    verdict = judged(refusal(status, code), SUSPECT)

    assert verdict.outcome == Sent(message_id=None)
    assert verdict.news == "reply sent, unconfirmed"


def test_refusal_after_an_unknown_attempt_is_parked_as_unknown() -> None:
    """Refused now, but an earlier attempt may have arrived: the letter says so."""
    letter = letter_of(judged(refusal(403, 2024), SUSPECT))

    assert letter.kind == "unknown"
    assert "earlier attempt may have arrived" in letter.reason


def test_missing_target_is_answered_without_the_thread() -> None:
    """A definite refusal that names the target switches to the unthreaded variant, at once and unburnt (design.md 9)."""
    wait = wait_of(judged(refusal(404, 2002), replace(LEASE, reply=PLAIN)))

    assert (wait.delay_ms, wait.use_plain, wait.burn, wait.ambiguous) == (0, True, False, False)


@pytest.mark.parametrize(
    "lease",
    [
        replace(LEASE, reply=PLAIN, ambiguous_ms=NOW_MS - 1_000),
        replace(LEASE, reply=PLAIN, stalls=1),
        replace(LEASE, reply=PLAIN, use_plain=True),
        LEASE,
    ],
    ids=["unknown before", "cut off before", "plain already", "no variant"],
)
def test_unthreaded_variant_is_used_only_when_nothing_can_have_arrived(lease: Lease) -> None:
    """A second key is used once, and never where the first may have been accepted."""
    assert not isinstance(judged(refusal(404, 2002), lease).outcome, Wait)


@pytest.mark.parametrize("answer", [OutcomeUnknown("no"), refusal(500, 3006), refusal(409, None)])
def test_unrepeatable_call_with_unknown_outcome_is_parked_at_once(answer: Answer | OutcomeUnknown) -> None:
    """A voice memo has no key: it is not sent twice (reliability.md 2.3)."""
    lease = replace(LEASE, reply=replace(REPLY, repeat=Repeat.NEVER))

    assert letter_of(judged(answer, lease)).kind == "unknown"


@pytest.mark.parametrize("answer", [NotSent("no"), refusal(429, 1007), refusal(404, 2007)])
def test_unrepeatable_call_that_was_not_sent_waits(answer: Answer | NotSent) -> None:
    """What surely did not arrive may be sent, whatever it is."""
    lease = replace(LEASE, reply=replace(REPLY, repeat=Repeat.NEVER))

    assert not wait_of(judged(answer, lease)).ambiguous


def test_repeatable_call_with_unknown_outcome_is_repeated() -> None:
    """Doing it twice changes nothing, so it is done again."""
    lease = replace(LEASE, reply=replace(REPLY, repeat=Repeat.REPEATABLE))

    assert wait_of(judged(OutcomeUnknown("no"), lease)).burn


def test_redirect_raises_an_alarm() -> None:
    """A redirect is never followed; somebody should look at the base URL (reliability.md 2.4)."""
    assert "LINQ_API_V3_BASE_URL" in str(judged(refusal(302, None, location="https://evil.example")).alarm)


def test_fresh_lease_may_be_sent() -> None:
    """Nothing stands against a first attempt."""
    assert before_send(LEASE, NOW_MS) is None


def test_keyed_reply_is_sent_again_after_its_holder_died() -> None:
    """A cut-off attempt under a key is simply repeated."""
    assert before_send(replace(SUSPECT, stalls=2), NOW_MS) is None


def test_unrepeatable_call_is_not_sent_after_its_holder_died() -> None:
    """Its holder may have sent it; twice would be seen twice."""
    verdict = before_send(replace(LEASE, reply=replace(REPLY, repeat=Repeat.NEVER), stalls=1), NOW_MS)

    assert verdict is not None
    assert letter_of(verdict).kind == "unknown"


def test_reply_past_its_unknown_window_is_not_sent_again() -> None:
    """A process that was away for an hour does not trust the key any more."""
    verdict = before_send(replace(SUSPECT, ambiguous_ms=NOW_MS - HOUR_MS), NOW_MS)

    assert verdict is not None
    assert letter_of(verdict).kind == "unknown"


def test_old_reply_that_was_never_tried_is_still_sent() -> None:
    """An acknowledged event's reply is sent however long the bot was away."""
    assert before_send(replace(LEASE, reply=replace(REPLY, created_ms=NOW_MS - 48 * HOUR_MS)), NOW_MS) is None


ACTION = replace(REPLY, repeat=Repeat.REPEATABLE, units=0)


@pytest.mark.parametrize(
    ("status", "code"),
    [  # linq-api-v3.md sections 2, 7 and 7.3: we left; somebody is in already; somebody or something is gone
        (409, 2013),
        (409, 2015),
        (404, 2001),
        (404, 2002),
    ],
)
def test_a_repeat_that_finds_it_so_already_is_done(status: int, code: int) -> None:
    """An attempt before it may have arrived, and the state says that it did."""
    verdict = judged(refusal(status, code), replace(SUSPECT, reply=ACTION))

    assert verdict.outcome == Sent(message_id=None)


@pytest.mark.parametrize(("status", "code"), [(409, 2013), (409, 2015), (404, 2001), (404, 2002)])
def test_a_first_attempt_that_is_refused_is_dead(status: int, code: int) -> None:
    """Nothing that the bot did has made it so."""
    assert letter_of(judged(refusal(status, code), replace(LEASE, reply=ACTION))).kind == "reply"


@pytest.mark.parametrize("code", [2013, 2015])
def test_a_conflict_is_no_proof_that_a_message_arrived(code: int) -> None:
    """A keyed reply that may have arrived and is refused now stays a guess."""
    assert letter_of(judged(refusal(409, code), SUSPECT)).kind == "unknown"


@pytest.mark.parametrize("body", [b"", b'{"message_id":"m1"}', b'{"message":{"id":"m1"}}'])
def test_an_action_makes_no_message_whatever_its_answer_names(body: bytes) -> None:
    """204 without a body is success; a vote's answer names the poll, which the vote did not make."""
    assert judged(Answer(status=204, body=body), replace(LEASE, reply=ACTION)).outcome == Sent(message_id=None)


def test_a_voice_memo_is_the_message_that_its_answer_names() -> None:
    """linq-api-v3.md section 7: the id is inside `voice_memo`."""
    memo = replace(LEASE, reply=replace(REPLY, repeat=Repeat.NEVER))

    assert judged(Answer(status=202, body=b'{"voice_memo":{"id":"m1"}}'), memo).outcome == Sent(message_id="m1")


def test_a_reply_about_an_unknown_message_of_ours_is_not_sent() -> None:
    """The letter says what is missing."""
    edit = replace(
        ACTION,
        request=Request(method="PATCH", path="/v3/messages/{message}", body=b"{}"),
        guards=(name_of_last_text("c1"),),
    )
    verdict = before_send(replace(LEASE, reply=edit), NOW_MS)

    assert verdict is not None
    assert "no text of ours is known in this chat" in letter_of(verdict).reason


def test_every_row_of_the_table_is_tested() -> None:
    """A row that is added without a test is noticed."""
    waiting = {1007, 2004, 2007, 2009, 2027}
    tested = {code for _, code, _ in (*REFUSED, *UNKNOWN) if code is not None} | waiting

    assert set(CODES) <= tested
    assert set(STATUSES) <= {status for status, code, _ in (*REFUSED, *UNKNOWN) if code is None} | {401, 407, 429}


def test_answer_shows_no_content() -> None:
    """The repr of an answer holds neither headers nor body (design.md promise 7)."""
    assert repr(Answer(status=200, headers={"a": "secret"}, body=b"secret")) == "Answer(status=200)"


@pytest.mark.parametrize(
    "answer",
    [
        NotSent("nobody is there"),
        OutcomeUnknown("no answer"),
        refusal(500, 3006),
        refusal(429, 1007, retry_after="60"),
        refusal(403, 2027),
        refusal(409, 2009),
    ],
)
def test_a_sign_of_life_that_fails_holds_nothing_back(answer: Answer | NotSent | OutcomeUnknown) -> None:
    """Typing and read receipts mean nothing later: one attempt, then the lane goes on (section 7.4)."""
    lease = replace(LEASE, reply=replace(REPLY, fleeting=True, repeat=Repeat.REPEATABLE, units=0))

    assert judged(answer, lease).outcome == Sent(message_id=None)


def test_a_sign_of_life_is_not_made_again_after_a_death() -> None:
    """A process that died over it leaves it out, and what waits behind it goes."""
    lease = replace(LEASE, stalls=1, reply=replace(REPLY, fleeting=True, repeat=Repeat.REPEATABLE, units=0))

    verdict = before_send(lease, NOW_MS)

    assert verdict is not None
    assert verdict.outcome == Sent(message_id=None)
