"""arrivals -> the inbox; timers enter it the same way."""

from __future__ import annotations

from dataclasses import replace

from linqbot.records import Accepted, Arrival, InboxItem, Side
from linqbot.store.sqlite import knowledge, outbox, seen
from linqbot.store.sqlite import lane as lanes
from linqbot.store.sqlite.lane import Lane
from linqbot.store.sqlite.transaction import Transaction


def accept(tx: Transaction, arrival: Arrival) -> Accepted:
    """`Inbox.accept`."""
    item = arrival.item
    lane = None if item is None else lanes.find(tx, Side.IN, item.lane)
    digests = [seen.digest(name) for name in dict.fromkeys(arrival.remember)]
    if item is not None and _is_full(tx, lane) and not seen.is_known(tx, digests):
        return Accepted.FULL
    is_new = seen.remember(tx, digests)
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


def _is_full(tx: Transaction, lane: Lane | None) -> bool:
    waiting = 0 if lane is None else lane.size
    return waiting >= tx.limits.lane_cap or tx.tally.inbox_bytes >= tx.limits.inbox_cap_bytes
