"""Answer | TransportError -> Verdict. What becomes of a reply after an attempt to send it, and what else must be done.

Pure: the lease says what happened before, `now_ms` and `jitter` come from outside. Windows and actions are those of
reliability.md section 2.4. Nothing here ever makes a second key for the same variant of a reply.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from linqbot.errors import NotSent, TransportError
from linqbot.protocol.answer import Answer, Meaning, Rule, chat_id_of, code_of, message_id_of, rule_of, trace_of
from linqbot.protocol.backoff import backoff_ms
from linqbot.protocol.guard import kind_of, learned_from, ruling_of
from linqbot.protocol.naming import edited_once_more, obstacle_to, request_of
from linqbot.protocol.proactive import CHAT_OF_LANE
from linqbot.records import Dead, DeadLetter, Fact, Lease, Limits, OutboxItem, Outcome, Repeat, Sent, Wait

UNKNOWN_WINDOW_MS = 60 * 60_000
"""So long is a reply repeated that may have arrived: Linq does not say how long it remembers a key (reliability.md R1)."""
DEADLINE_MS = 24 * 3_600_000
"""So long is a reply kept waiting that surely did not arrive, counted from its commit."""
HOLD_MS = 30_000
"""How long every send rests after the credentials were refused, before one probes."""
RATE_WINDOW_MS = 60_000
"""The wait after a 429 that names none: Linq's window for a pair (linq-api-v3.md section 3)."""
LONGEST_RATE_MS = 3_600_000
"""The longest wait that a 429 is granted in one go; a daily limit is asked again hourly."""

NO_LINE_MS = 600_000
"""How long a send rests for which Linq found no line: flagged ones recover within a day (linq-api-v3.md section 9.2)."""

MOVED_MS = Limits().passed_ms
"""How long it is known which chat recipients moved to: as long as the store knows which chat they had first."""

_CHAT_IS_GONE = (2001, 2013)
"""Codes for a chat that is not there, was deleted, or was left by the line (linq-api-v3.md section 2)."""
_LINE_RESTS = 2027
_NO_LINE = 2015
"""What it means for POST /v3/messages (linq-api-v3.md section 7.2); elsewhere it is a conflict that stays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What an attempt came to: the outcome to settle, and what the process should do and tell."""

    outcome: Outcome
    news: str
    """The state change in words, for the log."""
    hold_ms: int | None = None
    """Every send of this process rests so long, then one probes."""
    alarm: str | None = None
    """Somebody must act; says what to do."""
    sick: bool = False
    """Whether Linq, or the way to it, seems ill: counts for the breaker."""
    learn: tuple[Fact, ...] = ()
    """What it teaches about other replies; to be stored before the outcome is."""
    status: int | None = None
    code: int | None = None
    trace_id: str | None = None


_LEFT_OUT = Verdict(outcome=Sent(message_id=None), news="sign of life left out, it is worth nothing later")


def before_send(lease: Lease, now_ms: int) -> Verdict | None:
    """What to settle instead of sending; None: send.

    An attempt that may have arrived is not repeated where a repeat would be seen, nor after the window in which Linq
    can be trusted to know its key. Nothing is sent against what is known of person, line and chat (`protocol.guard`),
    nor about a message of ours that is not known (`protocol.naming`).
    """
    verdict = _instead_of_sending(lease, now_ms)
    if verdict is None or isinstance(verdict.outcome, Sent):
        return verdict
    return replace(verdict, outcome=replace(verdict.outcome, paid_ms=lease.now_ms))


def _instead_of_sending(lease: Lease, now_ms: int) -> Verdict | None:
    if (why := obstacle_to(lease)) is not None:
        return _dead(lease, why)
    if (verdict := _second_thoughts(lease, now_ms)) is not None:
        return verdict
    ruling = ruling_of(lease)
    if ruling is None:
        return None
    return _dead(lease, ruling.why) if ruling.wait_ms is None else _paused(lease, now_ms, ruling.why, ruling.wait_ms)


def _second_thoughts(lease: Lease, now_ms: int) -> Verdict | None:
    """What becomes of a reply that may have arrived, instead of being sent again."""
    if lease.ambiguous_ms is None and lease.stalls == 0:
        return None
    if _reply(lease).fleeting:
        return _LEFT_OUT
    if _reply(lease).repeat is Repeat.NEVER:
        return _buried(
            lease, "an attempt was cut off and may have arrived; it cannot be repeated without being seen twice"
        )
    if _window_is_over(lease, now_ms):
        return _buried(lease, "attempts may have arrived and none was confirmed within 60 minutes")
    return None


def classify(answer: Answer | TransportError, *, lease: Lease, now_ms: int, jitter: float) -> Verdict:
    """What becomes of the leased reply. `jitter` is a random number in [0, 1); `now_ms` is store time.

    A sign of life that fails is left out: what waits behind it is worth more.
    """
    verdict = _classified(answer, lease, now_ms, jitter)
    if _reply(lease).fleeting and isinstance(verdict.outcome, Wait):
        return replace(verdict, outcome=_LEFT_OUT.outcome, news=_LEFT_OUT.news)
    return verdict


def _classified(answer: Answer | TransportError, lease: Lease, now_ms: int, jitter: float) -> Verdict:
    if isinstance(answer, NotSent):
        return _later(lease, now_ms, "Linq cannot be reached", backoff_ms(lease.attempts, jitter=jitter), sick=True)
    if isinstance(answer, TransportError):
        return _unknown(lease, now_ms, jitter, "no answer came", sick=True)
    return _judged(answer, lease, now_ms, jitter)


def _judged(answer: Answer, lease: Lease, now_ms: int, jitter: float) -> Verdict:
    status, code = answer.status, code_of(answer)
    if 200 <= status < 300:
        verdict = _accepted(answer, lease, now_ms, jitter)
    elif _may_open_another(code, lease):
        outcome = Wait(delay_ms=0, reason=rule_of(status, code).why, use_plain=True)
        verdict = Verdict(outcome=outcome, news="chat cannot be written to, another is opened")
    elif code == _NO_LINE and request_of(lease).path == "/v3/messages":
        verdict = _later(lease, now_ms, "no line of this account may send for now", NO_LINE_MS)
    else:
        verdict = _declined(rule_of(status, code), answer, lease, now_ms, jitter)
    learn = learned_from(code, _reply(lease), now_ms=now_ms) if status == 403 else verdict.learn
    return replace(verdict, learn=learn, status=status, code=code, trace_id=trace_of(answer))


def _accepted(answer: Answer, lease: Lease, now_ms: int, jitter: float) -> Verdict:
    body = answer.json()
    unreadable = body is None or body.get("success") is False
    if unreadable and _reply(lease).repeat is Repeat.KEYED:
        return _unknown(lease, now_ms, jitter, "a success whose body cannot be read", sick=False)
    made = (
        message_id_of(answer) if _reply(lease).units else None
    )  # what is free makes none: a vote's answer names the poll
    chat_id = chat_id_of(answer)
    passes_to = None if chat_id is None or lease.chat_id is not None else f"chat:{chat_id}"
    return Verdict(
        outcome=Sent(message_id=made, passes_to=passes_to),
        news="reply sent",
        learn=(*_moved(chat_id, lease, now_ms), *edited_once_more(lease, now_ms)),
    )


def _moved(chat_id: str | None, lease: Lease, now_ms: int) -> tuple[Fact, ...]:
    """That the recipients have another chat now: theirs was gone, or Linq left it for one of another line."""
    if chat_id is None or lease.chat_id in (None, chat_id):
        return ()
    keys = (key for key in _reply(lease).guards if kind_of(key) == CHAT_OF_LANE)
    return tuple(Fact(key=key, value=chat_id.encode(), rank=now_ms, ttl_ms=MOVED_MS) for key in keys)


def _declined(rule: Rule, answer: Answer, lease: Lease, now_ms: int, jitter: float) -> Verdict:
    match rule.meaning:
        case Meaning.UNKNOWN:
            sick = answer.status >= 500 and rule.ails_linq
            alarm = rule.why if 300 <= answer.status < 400 else None
            return _unknown(lease, now_ms, jitter, rule.why, sick=sick, alarm=alarm, at_least_ms=rule.at_least_ms)
        case Meaning.LOCKED:
            return Verdict(
                outcome=Wait(delay_ms=HOLD_MS, reason=rule.why),
                news="reply waits",
                hold_ms=HOLD_MS,
                alarm=f"every send is held: {rule.why}",
            )
        case Meaning.RATE:
            return _later(lease, now_ms, rule.why, _rate_ms(answer, now_ms, jitter), burn=False)
        case Meaning.LATER:
            return _later(lease, now_ms, rule.why, max(rule.at_least_ms, backoff_ms(lease.attempts, jitter=jitter)))
        case Meaning.NO_TARGET if _may_go_plain(lease):
            outcome = Wait(delay_ms=0, reason=rule.why, use_plain=True)
            return Verdict(outcome=outcome, news="reply is sent without its thread")
        case Meaning.GONE | Meaning.NO_TARGET if lease.ambiguous_ms is not None:
            return Verdict(outcome=Sent(message_id=None), news="reply sent, unconfirmed")
    if _is_so_already(answer, lease):
        return Verdict(outcome=Sent(message_id=None), news="reply done before, as it seems")
    return _dead(lease, _refusal(answer, rule.why))


def _is_so_already(answer: Answer, lease: Lease) -> bool:
    """Whether a repeat finds the state that an earlier attempt may have made: somebody is in, we have left."""
    repeated = _reply(lease).repeat is Repeat.REPEATABLE and lease.ambiguous_ms is not None
    return repeated and answer.status == 409 and code_of(answer) in (2013, 2015)


def _unknown(
    lease: Lease,
    now_ms: int,
    jitter: float,
    why: str,
    *,
    sick: bool,
    alarm: str | None = None,
    at_least_ms: int = 0,
) -> Verdict:
    """It may have arrived: the same key again for an hour, unless a repeat would be seen."""
    if _reply(lease).repeat is Repeat.NEVER:
        verdict = _buried(lease, f"{why}; it may have arrived and cannot be repeated without being seen twice")
    elif _window_is_over(lease, now_ms):
        verdict = _buried(lease, f"{why}; attempts may have arrived and none was confirmed within 60 minutes")
    else:
        delay_ms = max(at_least_ms, backoff_ms(lease.attempts, jitter=jitter))
        outcome = Wait(delay_ms=delay_ms, reason=why, burn=True, ambiguous=True)
        verdict = Verdict(outcome=outcome, news="reply waits, its fate unknown")
    return replace(verdict, sick=sick, alarm=alarm)


def _later(lease: Lease, now_ms: int, why: str, delay_ms: int, *, burn: bool = True, sick: bool = False) -> Verdict:
    """It surely did not arrive: again after `delay_ms`, until a day has passed."""
    if now_ms - _reply(lease).created_ms >= DEADLINE_MS:
        return _dead(lease, f"{why}; given up after 24 hours", sick=sick)
    return Verdict(outcome=Wait(delay_ms=delay_ms, reason=why, burn=burn), news="reply waits", sick=sick)


def _paused(lease: Lease, now_ms: int, why: str, delay_ms: int) -> Verdict:
    """What nobody waits for, stopped on the way: answers behind it go first."""
    verdict = _later(lease, now_ms, why, delay_ms, burn=False)
    if not isinstance(verdict.outcome, Wait):
        return verdict
    return replace(verdict, outcome=replace(verdict.outcome, gives_way=True))


def _dead(lease: Lease, reason: str, *, sick: bool = False) -> Verdict:
    """Refused for good. After an attempt that may have arrived this stays a guess, and the letter says so."""
    if lease.ambiguous_ms is not None:
        return _buried(lease, f"{reason}; an earlier attempt may have arrived")
    return Verdict(outcome=Dead(letter=_letter(lease, "reply", reason)), news="reply dead", sick=sick)


def _buried(lease: Lease, reason: str) -> Verdict:
    return Verdict(outcome=Dead(letter=_letter(lease, "unknown", reason)), news="reply dead, its fate unknown")


def _letter(lease: Lease, kind: str, reason: str) -> DeadLetter:
    reply = _reply(lease)
    return DeadLetter(
        id=reply.key, kind=kind, reason=reason, lane=lease.lane, event_id=reply.event_id, handler=reply.handler
    )


def _refusal(answer: Answer, why: str) -> str:
    code = code_of(answer)
    number = f"{answer.status}" if code is None else f"{answer.status}, code {code}"
    return f"Linq refused it ({number}): {why}"


def _may_go_plain(lease: Lease) -> bool:
    never_unknown = lease.ambiguous_ms is None and lease.stalls == 0
    return never_unknown and not lease.use_plain and _reply(lease).plain is not None


def _may_open_another(code: int | None, lease: Lease) -> bool:
    """Whether the reply has a variant that is sent elsewhere than into its chat, which is gone, or whose line may not send
    while Linq may pick another.
    """
    reply = _reply(lease)
    if reply.plain is None or reply.plain.path == reply.request.path or not _may_go_plain(lease):
        return False
    return code in _CHAT_IS_GONE or (code == _LINE_RESTS and reply.plain.path == "/v3/messages")


def _window_is_over(lease: Lease, now_ms: int) -> bool:
    return lease.ambiguous_ms is not None and now_ms - lease.ambiguous_ms >= UNKNOWN_WINDOW_MS


def _reply(lease: Lease) -> OutboxItem:
    assert lease.reply is not None, "a lease of the out side has its reply"
    return lease.reply


def _rate_ms(answer: Answer, now_ms: int, jitter: float) -> int:
    """How long Linq wants us to wait, capped, plus up to a tenth so that many chats do not come back at once."""
    asked_ms = _retry_after_ms(answer, now_ms)
    wait_ms = RATE_WINDOW_MS if asked_ms is None else min(asked_ms, LONGEST_RATE_MS)
    return wait_ms + int(wait_ms * jitter / 10)


def _retry_after_ms(answer: Answer, now_ms: int) -> int | None:
    """`Retry-After` in seconds or as a date, else `error.retry_after`; None where neither makes sense.

    Source: linq-api-v3.md section 2 (both are equal); dates and nonsense are what proxies send (reliability.md O1).
    """
    error = (answer.json() or {}).get("error")
    in_body = error.get("retry_after") if isinstance(error, dict) else None
    for told in (answer.headers.get("retry-after"), in_body):
        asked_ms = _millis(told, now_ms)
        if asked_ms is not None and asked_ms >= 0:
            return asked_ms
    return None


def _millis(told: object, now_ms: int) -> int | None:
    if not isinstance(told, str | int | float) or isinstance(told, bool):
        return None
    try:
        return int(min(float(told), LONGEST_RATE_MS) * 1000)
    except (ValueError, OverflowError):
        return _millis_until(str(told), now_ms)


def _millis_until(told: str, now_ms: int) -> int | None:
    try:
        moment = parsedate_to_datetime(told)
        moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
        return int((moment - datetime.fromtimestamp(now_ms / 1000, UTC)).total_seconds() * 1000)
    except (ValueError, OverflowError):
        return None


__all__ = ["Answer", "Verdict", "before_send", "classify"]
