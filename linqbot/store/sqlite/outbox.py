"""replies -> the outbox; settled or proven ones -> the sent index, the dead letters, or another try."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from linqbot.records import Dead, Fact, OutboxItem, Outcome, Receipt, Sent, SentRecord, Side, Wait
from linqbot.store.sqlite import knowledge, letters
from linqbot.store.sqlite import lane as lanes
from linqbot.store.sqlite.lane import LEASED, Lane
from linqbot.store.sqlite.transaction import Transaction

_STEP = 500


def freeze(tx: Transaction, reply: OutboxItem) -> None:
    """Put a reply at the end of its lane."""
    lanes.append(tx, Side.OUT, reply.lane, reply.to_bytes())
    tx.tally.outbox += 1


def prove(tx: Transaction, receipt: Receipt) -> None:
    """End the reply that the receipt names, or see to it that its holder's silence will."""
    lane = lanes.find(tx, Side.OUT, receipt.lane)
    if lane is None:
        return
    reply = _head(tx, lane)
    if receipt.key not in (reply.key, reply.plain_key):
        return
    if lane.place == LEASED:
        lanes.put(tx, lane._replace(proof=receipt.message_id))
    else:
        finish(tx, lane, receipt.message_id)


def settle(tx: Transaction, name: str, token: str, outcome: Outcome) -> bool:
    """`Outbox.settle`."""
    lane = lanes.held(tx, Side.OUT, name, token)
    if lane is None:
        return False
    match outcome:
        case Sent(message_id=message_id):
            finish(tx, lane, message_id or lane.proof)
        case Wait() if lane.proof is not None:
            finish(tx, lane, lane.proof)
        case Wait():
            _wait(tx, lane, outcome)
        case Dead(letter=letter):
            letters.bury(tx, replace(letter, item=_head(tx, lane).to_bytes()))
            _end(tx, lane)
    return True


def finish(tx: Transaction, lane: Lane, message_id: str | None) -> None:
    """The head was sent; with an id it is remembered."""
    if message_id is not None:
        reply = _head(tx, lane)
        _remember(tx, reply, message_id)
        knowledge.learn(tx, _named(tx, reply.names, message_id))
    _end(tx, lane)


def sent(tx: Transaction, message_id: str) -> SentRecord | None:
    """`Outbox.sent`."""
    row = tx.row("find_sent", tx.ns, message_id, tx.now_ms - tx.limits.sent_ms)
    if row is None:
        return None
    name, key, event_id, handler, position, ref, sent_ms = row
    return SentRecord(
        message_id=name, key=key, event_id=event_id, handler=handler, position=position, ref=ref, sent_ms=sent_ms
    )


def forget_expired(tx: Transaction) -> None:
    """Let the oldest messages and spendings go, a bounded number of each."""
    old = [seq for seq, sent_ms in tx.rows("oldest_sent", tx.ns, _STEP) if sent_ms <= tx.now_ms - tx.limits.sent_ms]
    if old:
        tx.tally.sent -= tx.run("drop_sent_until", tx.ns, old[-1])
    tx.run("forget_old_spent", tx.ns, tx.now_ms - tx.limits.budget_window_ms, _STEP)


def _named(tx: Transaction, names: Iterable[str], message_id: str) -> Iterator[Fact]:
    for name in names:
        yield Fact(key=name, value=message_id.encode(), rank=tx.now_ms, ttl_ms=tx.limits.sent_ms)


def _head(tx: Transaction, lane: Lane) -> OutboxItem:
    return OutboxItem.from_bytes(lanes.head(tx, lane)[0])


def _end(tx: Transaction, lane: Lane) -> None:
    was_full = tx.tally.outbox >= tx.limits.outbox_cap
    tx.tally.outbox -= len(lanes.end_head(tx, lane))
    if was_full:
        tx.ready.add(Side.IN)


def _wait(tx: Transaction, lane: Lane, wait: Wait) -> None:
    ambiguous_ms = None if wait.use_plain else lane.ambiguous_ms
    if wait.ambiguous and ambiguous_ms is None:
        ambiguous_ms = tx.now_ms
    lane = lane._replace(
        attempts=lane.attempts + wait.burn, ambiguous_ms=ambiguous_ms, use_plain=int(lane.use_plain or wait.use_plain)
    )
    lanes.delay(tx, lane, wait.delay_ms)


def _remember(tx: Transaction, reply: OutboxItem, message_id: str) -> None:
    tx.tally.sent -= tx.run("drop_sent", tx.ns, message_id)
    names = (reply.key, reply.event_id, reply.handler, reply.position, reply.ref)
    tx.run("add_sent", tx.ns, message_id, *names, tx.now_ms)
    tx.tally.sent += 1
    if tx.tally.sent > tx.limits.sent_cap:
        oldest = tx.rows("oldest_sent", tx.ns, tx.tally.sent - tx.limits.sent_cap)
        tx.tally.sent -= tx.run("drop_sent_until", tx.ns, oldest[-1][0])
