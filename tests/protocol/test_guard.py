"""What is known -> what is done instead of sending, and what Linq's refusals teach: one row each, with its source."""

from __future__ import annotations

from dataclasses import replace

import pytest

from linqbot.ids import fact_key
from linqbot.protocol.guard import (
    FLAGGED_MS,
    PAUSE_MS,
    REFUSED_MS,
    guards_of_answer,
    guards_of_broadcast,
    hearsay,
    line_key,
    person_key,
    whose,
)
from linqbot.protocol.outcome import DEADLINE_MS, before_send
from linqbot.records import Dead, Fact, Lease, OutboxItem, Wait
from tests.protocol.test_outcome import LEASE, NOW_MS, REPLY, judged, letter_of, refusal

SOMEBODY = "+12025559876"
SILENT = person_key("opted-out", SOMEBODY)
BLOCKED = person_key("blocked", SOMEBODY)
LINE = line_key("+12025551234")
CHAT = fact_key("person", "c1")

ANSWER = replace(REPLY, line=LINE, guards=guards_of_answer(SOMEBODY))
BROADCAST = replace(ANSWER, broadcast=True, guards=guards_of_broadcast(handle=SOMEBODY, chat_id="c1", line=LINE))

BY_CHAT = replace(BROADCAST, guards=guards_of_broadcast(chat_id="c1"))


def lease_of(reply: OutboxItem, *facts: tuple[str, bytes | None]) -> Lease:
    """A lease with which these facts were told."""
    return replace(LEASE, reply=reply, facts={key: Fact(key=key, value=value) for key, value in facts})


KNOWN = [
    ("9.1: opted out", SILENT, b"1", "opted out", "opted out"),
    ("2, code 2026: blocked", BLOCKED, b"1", "blocked", "blocked"),
    ("9.2: FLAGGED", LINE, b"1", None, PAUSE_MS),
    ("9.2: CRITICAL: pause", CHAT, b"CRITICAL", None, PAUSE_MS),
    ("9.2: whose it is alone says nothing", CHAT, b"line:x", None, None),
    ("design 9: a fact that was taken back", SILENT, None, None, None),
]


@pytest.mark.parametrize(("source", "key", "value", "answer", "broadcast"), KNOWN)
@pytest.mark.parametrize("nobody_waits", [False, True])
def test_what_is_known_decides(
    source: str, key: str, value: bytes | None, answer: str | None, broadcast: str | int | None, *, nobody_waits: bool
) -> None:
    """A word is the reason of a dead letter, a number the wait in milliseconds, None: it is sent."""
    expected = broadcast if nobody_waits else answer
    verdict = before_send(lease_of(BROADCAST if nobody_waits else ANSWER, (key, value)), NOW_MS)

    match expected:
        case None:
            assert verdict is None
        case str(word):
            assert verdict is not None
            assert letter_of(verdict).kind == "reply"
            assert word in letter_of(verdict).reason
        case int(delay_ms):
            assert verdict is not None
            assert isinstance(verdict.outcome, Wait)
            assert (verdict.outcome.delay_ms, verdict.outcome.burn) == (delay_ms, False)


def test_silence_goes_before_a_pause() -> None:
    """What must never be sent does not wait for a line first."""
    verdict = before_send(lease_of(BROADCAST, (LINE, b"1"), (SILENT, b"1")), NOW_MS)

    assert verdict is not None
    assert "opted out" in letter_of(verdict).reason


@pytest.mark.parametrize("key", [LINE, CHAT])
def test_a_pause_ends_after_a_day(key: str) -> None:
    """What could not leave for 24 hours is dead, and its letter says why."""
    old = replace(BROADCAST, created_ms=NOW_MS - DEADLINE_MS)

    verdict = before_send(lease_of(old, (key, b"CRITICAL")), NOW_MS)

    assert verdict is not None
    assert "given up after 24 hours" in letter_of(verdict).reason


@pytest.mark.parametrize("key", [LINE, CHAT])
def test_what_may_have_arrived_does_not_pause(key: str) -> None:
    """Only the same key again can tell whether it arrived, and Linq does not remember keys for ever."""
    lease = replace(lease_of(BROADCAST, (key, b"CRITICAL")), ambiguous_ms=NOW_MS - 5_000)

    assert before_send(lease, NOW_MS) is None


def test_what_may_have_arrived_is_not_repeated_to_somebody_silent() -> None:
    """No request leaves; whether the first one arrived stays unknown, and the letter says so."""
    lease = replace(lease_of(ANSWER, (SILENT, b"1")), ambiguous_ms=NOW_MS - 5_000)

    verdict = before_send(lease, NOW_MS)

    assert verdict is not None
    assert letter_of(verdict).kind == "unknown"


TAUGHT = [
    ("2: opted out, until they write", 2024, ANSWER, Fact(key=SILENT, value=b"1", rank=NOW_MS)),
    ("2: blocked, asked again hourly", 2026, ANSWER, Fact(key=BLOCKED, value=b"1", rank=NOW_MS, ttl_ms=REFUSED_MS)),
    ("2: line ineligible", 2027, ANSWER, Fact(key=LINE, value=b"1", rank=NOW_MS, ttl_ms=FLAGGED_MS)),
    ("9.1: groups are never suppressed", 2024, REPLY, None),
    ("the line is not known", 2027, REPLY, None),
    ("2: another refusal", 2008, ANSWER, None),
]


@pytest.mark.parametrize(("source", "code", "reply", "fact"), TAUGHT)
def test_a_refusal_is_learned(source: str, code: int, reply: OutboxItem, fact: Fact | None) -> None:
    """One refusal of Linq's is enough for all replies of all processes."""
    verdict = judged(refusal(403, code), lease_of(reply))

    assert verdict.learn == (() if fact is None else (fact,))


@pytest.mark.parametrize("code", [2024, 2026, 2027])
@pytest.mark.parametrize("status", [500, 503, 302])
def test_trouble_under_a_known_code_teaches_nothing(status: int, code: int) -> None:
    """Only a definite refusal does."""
    assert judged(refusal(status, code), lease_of(ANSWER)).learn == ()


def test_a_refused_answer_is_dead_and_a_flagged_lines_waits() -> None:
    """What is learned is for the others: this reply ends as its own code says (section 2)."""
    assert isinstance(judged(refusal(403, 2024), lease_of(ANSWER)).outcome, Dead)
    assert isinstance(judged(refusal(403, 2027), lease_of(ANSWER)).outcome, Wait)


def test_a_chat_leads_to_the_person_in_it_and_to_its_line() -> None:
    """A send that knows only the chat looks up whose it is, and is then stopped like any other."""
    link = whose("c1", person=SOMEBODY, line="+12025551234", at_ms=1)
    lease = lease_of(BY_CHAT, (link.key, link.value))

    assert hearsay(lease) == (SILENT, BLOCKED, LINE)
    assert before_send(lease, NOW_MS) is None
    for key in hearsay(lease):
        told = replace(lease, facts={**lease.facts, key: Fact(key=key, value=b"1")})
        assert key not in hearsay(told)
        assert before_send(told, NOW_MS) is not None


def test_a_person_leads_to_their_chat_in_critical_health() -> None:
    """A send to a handle may not know which chat they have."""
    link = whose("c1", person=SOMEBODY, line=None, critical=True, at_ms=1)
    lease = lease_of(
        replace(BROADCAST, guards=guards_of_broadcast(handle=SOMEBODY)),
        (person_key("health", SOMEBODY), link.key.encode()),
    )

    assert hearsay(lease) == (link.key,)
    assert before_send(replace(lease, facts={**lease.facts, link.key: link}), NOW_MS) is not None


def test_a_group_leads_to_its_line_alone() -> None:
    """Nobody's silence counts in it."""
    link = whose("c1", person=None, line="+12025551234", at_ms=1)

    assert hearsay(lease_of(BY_CHAT, (link.key, link.value))) == (LINE,)


def test_a_chat_of_which_nothing_is_known_leads_nowhere() -> None:
    """And what was known before is forgotten."""
    assert whose("c1", person=None, line=None, at_ms=1).value is None


@pytest.mark.parametrize("code", [2024, 2026])
def test_a_refusal_by_chat_alone_is_believed_for_a_while(code: int) -> None:
    """Whom it is about is not known: what else is said there waits until Linq is asked again, in an hour at the most."""
    link, told = judged(refusal(403, code), lease_of(BY_CHAT)).learn

    assert link.key == fact_key("person", "c1")
    assert told.key in hearsay(lease_of(BY_CHAT, (link.key, link.value)))
    verdict = before_send(lease_of(BY_CHAT, (link.key, link.value), (told.key, told.value)), NOW_MS)
    assert verdict is not None
    assert isinstance(verdict.outcome, Wait)
    assert (link.ttl_ms, told.ttl_ms) == (REFUSED_MS, REFUSED_MS)


def test_a_line_that_is_only_guessed_is_not_learned_of() -> None:
    """A broadcast into a chat is paced by the line it most likely leaves from; another may have been refused."""
    assert judged(refusal(403, 2027), lease_of(BY_CHAT)).learn == ()


@pytest.mark.parametrize(("since_ms", "pauses"), [(-1, True), (0, True), (1, False)])
def test_a_chat_in_which_somebody_wrote_since_is_not_paused(since_ms: int, *, pauses: bool) -> None:
    """Their answer would wait behind what nobody waits for, and the chat is not left alone any more."""
    health = Fact(key=CHAT, value=b"CRITICAL", rank=BROADCAST.created_ms + since_ms)

    verdict = before_send(replace(LEASE, reply=BROADCAST, facts={CHAT: health}), NOW_MS)

    assert (verdict is not None) is pauses


def test_an_ordinary_lease_leads_nowhere() -> None:
    """Nothing is looked up for a reply of which nothing is known."""
    assert hearsay(lease_of(ANSWER)) == ()
    assert hearsay(lease_of(ANSWER, (SILENT, b"1"))) == ()


def test_guards_hold_no_phone_number() -> None:
    """Keys are opaque, wherever they are stored or shown."""
    assert "2025" not in "".join(BROADCAST.guards).replace("opted-out:", "")


def test_an_address_is_one_person_however_it_is_written() -> None:
    """E-mail addresses are the same in any case."""
    assert person_key("opted-out", "Ann@Example.com") == person_key("opted-out", " ann@example.com")


def test_nobody_is_guarded_where_nobody_is_known() -> None:
    """An answer to a group has no guard."""
    assert guards_of_answer(None) == () == guards_of_answer("")
