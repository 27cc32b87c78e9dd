"""arrivals -> the inbox; timers enter it the same way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from hashlib import blake2b

from linqbot.records import Accepted, Arrival, InboxItem, Side
from linqbot.store.sqlite import knowledge, outbox
from linqbot.store.sqlite import lane as lanes
from linqbot.store.sqlite.lane import Lane
from linqbot.store.sqlite.transaction import Transaction

_DIGEST_BYTES = 12
_PACE, _STEP = 32, 96
"""After so many new ids, so many old ones are looked at, so that the expired ones leave faster than new ones come."""


def accept(tx: Transaction, arrival: Arrival) -> Accepted:
    """`Inbox.accept`."""
    item = arrival.item
    lane = None if item is None else lanes.find(tx, Side.IN, item.lane)
    digests = [_digest(name) for name in dict.fromkeys(arrival.remember)]
    if item is not None and _is_full(tx, lane) and not _is_known(tx, digests):
        return Accepted.FULL
    is_new = _remember(tx, digests)
    if arrival.receipt is not None:
        outbox.prove(tx, arrival.receipt)
    knowledge.learn(tx, arrival.learn)
    if not is_new:
        return Accepted.DUPLICATE
    if item is not None:
        enter(tx, item, lane=lane)
    return Accepted.ACCEPTED


def enter(tx: Transaction, item: InboxItem, *, lane: Lane | None = None) -> None:
    """Put an event at the end of its lane, at store time."""
    record = replace(item, accepted_ms=tx.now_ms).to_bytes()
    lanes.append(tx, Side.IN, item.lane, record, lane=lane)
    tx.tally.inbox += 1
    tx.tally.inbox_bytes += len(record)


def forget_expired(tx: Transaction, limit: int) -> None:
    """Look at the next so many ids, round and round in the order of their digests, and let the expired ones go."""
    rows = tx.rows("seen_after", tx.ns, tx.tally.seen_hand, limit)
    if len(rows) < limit:
        rows += tx.rows("seen_after", tx.ns, b"", limit - len(rows))
    for digest, until_s in rows:
        if until_s <= tx.now_ms // 1_000:
            tx.run("forget", tx.ns, digest)
    tx.tally.seen_hand = rows[-1][0] if rows else b""


def _digest(name: str) -> bytes:
    return blake2b(name.encode(), digest_size=_DIGEST_BYTES).digest()


def _is_full(tx: Transaction, lane: Lane | None) -> bool:
    waiting = 0 if lane is None else lane.size
    return waiting >= tx.limits.lane_cap or tx.tally.inbox_bytes >= tx.limits.inbox_cap_bytes


def _is_known(tx: Transaction, digests: Sequence[bytes]) -> bool:
    return any(tx.row("is_known", tx.ns, digest, tx.now_ms // 1_000) for digest in digests)


def _remember(tx: Transaction, digests: Sequence[bytes]) -> bool:
    """Remember all ids; whether none of them was known."""
    now_s = tx.now_ms // 1_000
    until_s = (tx.now_ms + tx.limits.dedupe_ms) // 1_000 + 1
    fresh = [tx.run("remember", tx.ns, digest, until_s, now_s) for digest in digests]
    before = tx.tally.remembered
    tx.tally.remembered += sum(fresh)
    if tx.tally.remembered // _PACE != before // _PACE:
        forget_expired(tx, _STEP)
    return all(fresh)
