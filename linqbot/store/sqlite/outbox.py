"""replies -> the outbox; settled or proven ones -> the sent index, the dead letters, or another try."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from linqbot.ids import fact_key, lane_fact
from linqbot.records import (
    Accepted,
    Dead,
    Fact,
    OutboxItem,
    Outcome,
    Receipt,
    Sent,
    SentRecord,
    Side,
    Wait,
    chat_of,
)
from linqbot.store.sqlite import budget, knowledge, letters, seen
from linqbot.store.sqlite import lane as lanes
from linqbot.store.sqlite.lane import DELAYED, LEASED, Lane
from linqbot.store.sqlite.transaction import Transaction

_STEP = 500
DEPTH = 16
"""How far into a lane one looks for an answer among broadcasts."""
_LOWER = {"failed": '["sent"]', "delivered": '["sent","failed"]', "read": '["sent","failed","delivered"]'}
"""Which statuses each one is beyond."""


def post(tx: Transaction, replies: Sequence[OutboxItem]) -> Accepted:
    """`Outbox.post`."""
    fresh = [reply for reply in replies if not (reply.once and seen.is_known(tx, [_once(reply)]))]
    if not fresh:
        return Accepted.DUPLICATE
    if tx.tally.outbox >= max(tx.limits.outbox_cap * 4 // 5, 1):
        return Accepted.FULL
    for reply in fresh:
        freeze(tx, reply)
    return Accepted.ACCEPTED


def freeze(tx: Transaction, reply: OutboxItem) -> None:
    """Put a reply at the end of its lane, or of the one that its lane became, unless its `once` is known."""
    if reply.once and not seen.remember(tx, [_once(reply)]):
        return
    lane = lanes.append(tx, Side.OUT, _lane_of(tx, reply), reply.to_bytes(), later=reply.broadcast)
    tx.tally.outbox += 1
    if lane is not None and lane.place == DELAYED and not reply.broadcast and _head(tx, lane).broadcast:
        give_way(tx, lane._replace(size=lane.size + 1))


def give_way(tx: Transaction, lane: Lane) -> bool:
    """Let an answer go before an untried broadcast that waits for its time; False: there is no such, or none behind it."""
    seq = _first_answer(tx, lane) if lane.untried else None
    if seq is not None:
        lanes.to_head(tx, lane, seq)
    return seq is not None


def prove(tx: Transaction, receipt: Receipt) -> None:
    """End the reply that the receipt names, or see to it that its holder's silence will; and note how far it came."""
    found = _proven(tx, receipt) if receipt.key else None
    if found is not None:
        lane, reply = found
        if lane.place == LEASED:
            lanes.put(tx, lane._replace(proof=lane.proof or receipt.message_id))
            _remember(tx, reply, receipt.message_id)
        else:
            finish(tx, lane, receipt.message_id)
    lower = _LOWER.get(receipt.status)
    if lower is not None:
        tx.run("raise_sent", tx.ns, receipt.message_id, lower, receipt.status)


def _proven(tx: Transaction, receipt: Receipt) -> tuple[Lane, OutboxItem] | None:
    """The lane whose head a receipt proves, and the head: the receipt's own, or the one that a fact tells."""
    key = lane_fact(receipt.key)
    fact = knowledge.facts(tx, [key]).get(key)
    others = () if fact is None or fact.value is None else (fact.value.decode(),)
    for lane in filter(None, (lanes.find(tx, Side.OUT, name) for name in (receipt.lane, *others))):
        reply = _head(tx, lane)
        if receipt.key in (reply.key, reply.plain_key):
            return lane, reply
    return None


def settle(tx: Transaction, name: str, token: str, outcome: Outcome) -> bool:
    """`Outbox.settle`."""
    lane = lanes.held(tx, Side.OUT, name, token)
    if lane is None:
        return False
    lasts = lane.place == LEASED and lane.rank > tx.now_ms
    paid_ms = None if isinstance(outcome, Sent) or lane.proof is not None else outcome.paid_ms
    if paid_ms is not None and lasts:
        budget.refund(tx, _head(tx, lane), name, paid_ms)
    match outcome:
        case Sent(message_id=message_id, passes_to=passes_to):
            finish(tx, lane, message_id or lane.proof)
            if passes_to is not None:
                _pass(tx, name, passes_to)
        case Wait() if lane.proof is not None:
            finish(tx, lane, lane.proof)
        case Wait(gives_way=True) if (seq := _first_answer(tx, lane)) is not None:
            lanes.to_head(tx, lane, seq)
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
    name, key, event_id, handler, position, ref, sent_ms, status = row
    return SentRecord(
        message_id=name,
        key=key,
        event_id=event_id,
        handler=handler,
        position=position,
        ref=ref,
        sent_ms=sent_ms,
        status=status,
    )


def forget_expired(tx: Transaction) -> None:
    """Let the oldest messages and spendings go, a bounded number of each."""
    old = [seq for seq, sent_ms in tx.rows("oldest_sent", tx.ns, _STEP) if sent_ms <= tx.now_ms - tx.limits.sent_ms]
    if old:
        tx.tally.sent -= tx.run("drop_sent_until", tx.ns, old[-1])
    budget.forget_expired(tx)


def _once(reply: OutboxItem) -> bytes:
    return seen.digest(f"once:{reply.once}")


def _lane_of(tx: Transaction, reply: OutboxItem) -> str:
    if chat_of(reply.lane):
        return reply.lane
    key = fact_key("lane", reply.lane)
    chat = knowledge.facts(tx, [key]).get(key)
    return reply.lane if chat is None or chat.value is None else f"chat:{chat.value.decode()}"


def _pass(tx: Transaction, name: str, passes_to: str) -> None:
    """What still waits in the lane moves to the chat's, and what comes later goes there."""
    lane = lanes.find(tx, Side.OUT, name)
    if lane is not None:
        records = lanes.head(tx, lane, lane.size)
        lanes.end_head(tx, lane, lane.size)
        for record in records:
            lanes.append(tx, Side.OUT, passes_to, record)
    chat = (chat_of(passes_to) or "").encode()
    fact = Fact(key=fact_key("lane", name), value=chat, rank=tx.now_ms, ttl_ms=tx.limits.passed_ms)
    knowledge.learn(tx, [fact])


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


def _first_answer(tx: Transaction, lane: Lane) -> int | None:
    """Where the first answer behind the head is, as far as one looks."""
    behind = tx.rows("first_items", lane.id, DEPTH)[1:]
    return next((seq for seq, record in behind if not OutboxItem.from_bytes(record).broadcast), None)


def _wait(tx: Transaction, lane: Lane, wait: Wait) -> None:
    ambiguous_ms = None if wait.use_plain else lane.ambiguous_ms
    if wait.ambiguous and ambiguous_ms is None:
        ambiguous_ms = tx.now_ms
    lane = lane._replace(
        attempts=lane.attempts + wait.burn, ambiguous_ms=ambiguous_ms, use_plain=int(lane.use_plain or wait.use_plain)
    )
    lanes.delay(tx, lane, wait.delay_ms)


def _remember(tx: Transaction, reply: OutboxItem, message_id: str) -> None:
    names = (reply.key, reply.event_id, reply.handler, reply.position, reply.ref)
    tx.tally.sent += tx.run("add_sent", tx.ns, message_id, *names, tx.now_ms)
    if tx.tally.sent > tx.limits.sent_cap:
        oldest = tx.rows("oldest_sent", tx.ns, tx.tally.sent - tx.limits.sent_cap)
        tx.tally.sent -= tx.run("drop_sent_until", tx.ns, oldest[-1][0])
