"""records <-> what scripts take and give: flat lists of text, bytes and numbers.

What Lua must look into is framed (`3:abc`); what it only carries stays the bytes that the record wrote.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from linqbot.ids import fact_key, lane_fact
from linqbot.records import (
    Arrival,
    Commit,
    DeadLetter,
    Fact,
    InboxItem,
    Lease,
    OutboxItem,
    Outcome,
    Receipt,
    Sent,
    SentRecord,
    Side,
    StateCell,
    StateWrite,
    TimerWrite,
    Wait,
    chat_of,
)
from linqbot.store.redis.wire import Argument

_IDS_PER_BUCKET = 128
_FACTS = json.JSONEncoder(separators=(",", ":"))


def bucket_count(capacity: int) -> int:
    """How many buckets keep `capacity` ids in small hashes: 8,192 for a million."""
    return max(1 << (max(capacity, 1) // _IDS_PER_BUCKET).bit_length(), 64)


def arrival_arguments(arrival: Arrival, buckets: int) -> Iterator[Argument]:
    """The arguments of accept."""
    item, receipt = arrival.item, arrival.receipt or Receipt(lane="", key="", message_id="", status="")
    yield from ("", 0, b"") if item is None else (item.lane, 1, item.to_bytes())
    yield from (receipt.lane, receipt.key, receipt.message_id, receipt.status, lane_fact(receipt.key))
    yield len(arrival.remember)
    for known in arrival.remember:
        yield from _place_of(known, buckets)
    yield from fact_arguments(arrival.learn)


def fact_arguments(facts: Iterable[Fact]) -> Iterator[Argument]:
    """The arguments of learn."""
    for fact in facts:
        yield from (fact.key, fact.rank, fact.ttl_ms, int(fact.value is not None), fact.value or b"")


def post_arguments(replies: Iterable[OutboxItem], buckets: int) -> Iterator[Argument]:
    """The arguments of post."""
    for reply in replies:
        yield from (reply.lane, _marks(reply, buckets), _reply_entry(reply))


def commit_arguments(commit: Commit, buckets: int) -> Iterator[Argument]:
    """The arguments of commit."""
    yield from (commit.lane, commit.token, commit.take)
    yield len(commit.replies)
    for reply in commit.replies:
        yield from (reply.lane, reply.key, _marks(reply, buckets), _reply_entry(reply))
    yield len(commit.dead)
    for letter in commit.dead:
        yield from letter_arguments(letter)
    yield len(commit.state)
    for write in commit.state:
        yield from _write_arguments(write)
    yield len(commit.timers)
    for timer in commit.timers:
        yield from _timer_arguments(timer)


def letter_id(kind: str, name: str) -> str:
    """Under which a dead letter is kept: one of a kind and id."""
    return f"{kind}:{name}"


def letter_arguments(letter: DeadLetter) -> tuple[Argument, ...]:
    """The arguments of bury."""
    return letter_id(letter.kind, letter.id), replace(letter, item=b"").to_bytes(), letter.item


def outcome_arguments(lane: str, outcome: Outcome) -> tuple[Argument, ...]:
    """The arguments of settle after the token."""
    if isinstance(outcome, Sent):
        to = outcome.passes_to
        passes = () if to is None else (to.removeprefix("chat:"), fact_key("lane", lane))
        return "sent", outcome.message_id or "", *passes
    if isinstance(outcome, Wait):
        facts = (outcome.burn, outcome.ambiguous, outcome.use_plain, outcome.gives_way)
        return "wait", outcome.delay_ms, *map(int, facts), _or_empty(outcome.paid_ms)
    return "dead", *letter_arguments(outcome.letter)[:2], _or_empty(outcome.paid_ms)


def _or_empty(number: int | None) -> Argument:
    return "" if number is None else number


def lease_of(side: Side, found: Sequence[Any]) -> Lease:
    """A lease from an answer of lease."""
    lane, token, until_ms, about, items, guards = found
    facts = dict(zip(about[::2], about[1::2], strict=True))
    ambiguous = facts.get(b"amb")
    return Lease(
        side=side,
        lane=lane.decode(),
        token=token.decode(),
        now_ms=int(facts[b"at"]),
        until_ms=until_ms,
        events=tuple(map(_event_of, items)) if side is Side.IN else (),
        reply=OutboxItem.from_bytes(items[0]) if side is Side.OUT else None,
        attempts=int(facts.get(b"att", 0)),
        stalls=int(facts.get(b"stalls", 0)),
        notes={name[2:].decode(): value for name, value in facts.items() if name.startswith(b"n:")},
        frozen=frozenset(name[2:].decode() for name in facts if name.startswith(b"f:")),
        ambiguous_ms=None if ambiguous is None else int(ambiguous),
        use_plain=b"plain" in facts,
        facts=facts_of(guards),
    )


def facts_of(told: Sequence[bytes]) -> Mapping[str, Fact]:
    """Facts by key from an answer of facts."""
    if not told:
        return {}
    rows = zip(told[::4], told[1::4], told[2::4], told[3::4], strict=True)
    facts = (Fact(key=key.decode(), value=value, rank=int(rank), ttl_ms=int(ttl)) for key, rank, ttl, value in rows)
    return {fact.key: fact for fact in facts}


def letter_of(blob: bytes) -> DeadLetter:
    """A dead letter from an answer of dead."""
    at_ms, _, framed = blob.partition(b":")
    (letter,), item = _unframe(framed, 1)
    return replace(DeadLetter.from_bytes(letter), at_ms=int(at_ms), item=item)


def cell_of(blob: bytes) -> StateCell:
    """A state cell from an answer of load."""
    version, _, value = blob.partition(b":")
    return StateCell(version=int(version), value=value)


def sent_of(message_id: str, blob: bytes) -> SentRecord:
    """A sent record from an answer of sent."""
    (at_ms, key, facts), raised = _unframe(blob, 3)
    event_id, handler, position, ref = json.loads(facts)
    return SentRecord(
        message_id=message_id,
        key=key.decode(),
        event_id=event_id,
        handler=handler,
        position=position,
        ref=ref,
        sent_ms=int(at_ms),
        status=_unframe(raised, 1)[0][0].decode() if raised else "sent",
    )


def _place_of(known: str, buckets: int) -> tuple[int, bytes]:
    digest = hashlib.blake2b(known.encode(), digest_size=12).digest()
    return int.from_bytes(digest[:8], "big") % buckets, digest


def _marks(reply: OutboxItem, buckets: int) -> bytes:
    """What Lua must know to append it; nothing for most replies."""
    passing = "" if chat_of(reply.lane) else fact_key("lane", reply.lane)
    if not (reply.once or passing or reply.broadcast):
        return b""
    bucket, digest = _place_of(f"once:{reply.once}", buckets) if reply.once else ("", b"")
    return _frame(str(bucket)) + b"%d:%b" % (len(digest), digest) + _frame(passing, "b" if reply.broadcast else "")


def _event_of(entry: bytes) -> InboxItem:
    accepted_ms, _, blob = entry.partition(b":")
    return InboxItem.from_bytes(blob, accepted_ms=int(accepted_ms))


def _reply_entry(reply: OutboxItem) -> bytes:
    facts = _FACTS.encode([reply.event_id, reply.handler, reply.position, reply.ref])
    head = _frame(reply.key, reply.plain_key or "", reply.pair, str(reply.units), facts)
    return head + reply.to_bytes()


def _write_arguments(write: StateWrite) -> tuple[Argument, ...]:
    return write.key, write.expected, int(write.value is not None), write.value or b"", write.ttl_ms


def _timer_arguments(timer: TimerWrite) -> tuple[Argument, ...]:
    if timer.item is None:
        return timer.key, 0, 0, b""
    return timer.key, timer.due_ms, 1, _frame(timer.item.lane) + timer.item.to_bytes()


def _frame(*parts: str) -> bytes:
    encoded: Iterable[bytes] = (part.encode() for part in parts)
    return b"".join(b"%d:%b" % (len(part), part) for part in encoded)


def _unframe(blob: bytes, count: int) -> tuple[list[bytes], bytes]:
    parts = []
    for _ in range(count):
        size, _, rest = blob.partition(b":")
        parts.append(rest[: int(size)])
        blob = rest[int(size) :]
    return parts, blob
