"""ready lanes -> leases, after what time has brought is in its place."""

from __future__ import annotations

import json
from collections.abc import Sequence
from enum import Enum

from linqbot.records import InboxItem, Lease, Leases, OutboxItem, Side
from linqbot.store.sqlite import budget, inbox, knowledge, outbox
from linqbot.store.sqlite import lane as lanes
from linqbot.store.sqlite.lane import DELAYED, EDGE, FROZEN, LATER, LEASED, NOTE, READY, Lane
from linqbot.store.sqlite.transaction import SIDES, Transaction

_STEP = 64
"""How many expired, due or fired things one call moves at the most."""
_LOOKS = 256
"""How many lanes without budget one call passes at the most."""
_PATIENCE = 16
"""How many answers go before a broadcast that is ready."""


def lease(tx: Transaction, side: Side, tokens: Sequence[str], take: int) -> Leases:
    """`Lanes.lease`."""
    if any(due is not None and due <= tx.now_ms for due in _times(tx, side)):
        _catch_up(tx, side)
    again = _again(tx, side, tokens)
    taken = [_lease(tx, side, lane, take) for lane in again]
    used = {lane.token for lane in again}
    free = [token for token in dict.fromkeys(tokens) if token not in used]
    paused = side is Side.IN and tx.tally.outbox >= tx.limits.outbox_cap
    if free and not paused:
        taken += _take(tx, side, free, take)
    if len(taken) >= len(tokens):
        return Leases(taken=tuple(taken))
    return Leases(taken=tuple(taken), next_ms=_next_ms(tx, side, paused=paused))


def promising(tx: Transaction, side: Side) -> bool:
    """Whether a call of `lease` would change something now."""
    paused = side is Side.IN and tx.tally.outbox >= tx.limits.outbox_cap
    if not paused and tx.row("any_ready", tx.ns, SIDES[side]):
        return True
    return any(due is not None and due <= tx.now_ms for due in _times(tx, side))


def _times(tx: Transaction, side: Side) -> tuple[int | None, ...]:
    row = tx.row("times", tx.ns, SIDES[side])
    assert row is not None, "a query of three minima has a row"
    return row if side is Side.IN else row[:2]


def _next_ms(tx: Transaction, side: Side, *, paused: bool) -> int | None:
    if not paused and tx.row("any_ready", tx.ns, SIDES[side]):
        return 0
    times = [due for due in _times(tx, side) if due is not None]
    return max(min(times) - tx.now_ms, 0) if times else None


def _catch_up(tx: Transaction, side: Side) -> None:
    for lane in lanes.some(tx.rows("lanes_until", tx.ns, SIDES[side], LEASED, tx.now_ms, _STEP)):
        _expire(tx, side, lane)
    for lane in lanes.some(tx.rows("lanes_until", tx.ns, SIDES[side], DELAYED, tx.now_ms, _STEP)):
        lanes.to_rear(tx, lane)
    if side is Side.IN:
        for key, record in tx.rows("due_timers", tx.ns, tx.now_ms, _STEP):
            tx.tally.timers -= tx.run("drop_timer", tx.ns, key)
            inbox.enter(tx, InboxItem.from_bytes(record))


def _expire(tx: Transaction, side: Side, lane: Lane) -> None:
    """A holder said nothing: the lane is for others, yet its token stays good until one of them takes it."""
    if lane.proof is not None:
        outbox.finish(tx, lane, lane.proof)
        return
    if side is Side.OUT and lane.ambiguous_ms is None:
        lane = lane._replace(ambiguous_ms=tx.now_ms)
    lanes.to_front(tx, lane._replace(stalls=lane.stalls + 1))


def _again(tx: Transaction, side: Side, tokens: Sequence[str]) -> list[Lane]:
    """The lanes that these tokens hold already: the answer was lost. One whose time is over is anybody's."""
    found = lanes.some(tx.rows("lanes_of_tokens", tx.ns, SIDES[side], json.dumps(list(tokens))))
    for lane in found:
        if lane.place != LEASED:
            lanes.put(tx, lane._replace(token=None))
    return [lane for lane in found if lane.place == LEASED]


def _take(tx: Transaction, side: Side, tokens: Sequence[str], take: int) -> list[Lease]:
    taken: list[Lease] = []
    passing = side is Side.OUT and bool(_first_later(tx))
    for _ in range(_LOOKS):
        missing = len(tokens) - len(taken)
        ready = _ready(tx, side, missing, passing=passing) if missing else []
        for lane in ready:
            found = _look(tx, side, lane)
            if found is _Found.LATER:
                passing = True
                break  # the order has changed
            if side is Side.OUT:
                tx.tally.passed = 0 if lane.rank >= EDGE else tx.tally.passed + (passing and found is _Found.FREE)
            if found is _Found.FREE:
                leased = lane._replace(place=LEASED, rank=tx.now_ms + tx.limits.lease_ms, token=tokens[len(taken)])
                lanes.put(tx, leased)
                taken.append(_lease(tx, side, leased, take))
        if not ready:
            break
    return taken


def _ready(tx: Transaction, side: Side, most: int, *, passing: bool) -> list[Lane]:
    """The lanes whose turn it is; `passing`: they go before broadcasts, of which one goes first when enough have."""
    if passing and tx.tally.passed >= _PATIENCE and (first := _first_later(tx)):
        return first
    most = min(most, max(_PATIENCE - tx.tally.passed, 1)) if passing else most
    return lanes.some(tx.rows("lanes_in_order", tx.ns, SIDES[side], READY, most))


def _first_later(tx: Transaction) -> list[Lane]:
    return lanes.some(tx.rows("lanes_after", tx.ns, SIDES[Side.OUT], READY, EDGE, 1))


class _Found(Enum):
    """What a look at a ready lane says."""

    FREE = "may be leased"
    BUSY = "was delayed, or dropped since nothing is in it"
    LATER = "holds broadcasts alone, and was put behind the others"


def _look(tx: Transaction, side: Side, lane: Lane) -> _Found:
    records = lanes.head(tx, lane)
    if not records:
        tx.run("drop_lane", lane.id)
        return _Found.BUSY
    if side is Side.IN:
        return _Found.FREE
    reply = OutboxItem.from_bytes(records[0])
    if reply.broadcast and lane.rank < EDGE and _only_broadcasts(tx, lane):
        lanes.put(tx, lane._replace(rank=lane.rank + LATER))
        return _Found.LATER
    wait_ms = budget.spend(tx, reply, lane.name)
    if wait_ms and not (reply.broadcast and outbox.give_way(tx, lane)):
        lanes.put_off(tx, lane, wait_ms)
    return _Found.BUSY if wait_ms else _Found.FREE


def _only_broadcasts(tx: Transaction, lane: Lane) -> bool:
    return all(OutboxItem.from_bytes(record).broadcast for record in lanes.head(tx, lane, outbox.DEPTH))


def _lease(tx: Transaction, side: Side, lane: Lane, take: int) -> Lease:
    assert lane.token is not None, "a leased lane has a token"
    records = lanes.head(tx, lane, take if side is Side.IN else 1)
    marks = tx.rows("marks", lane.id) if lane.marked else []
    reply = OutboxItem.from_bytes(records[0]) if side is Side.OUT else None
    guards = {} if reply is None or not reply.guards else knowledge.facts(tx, reply.guards)
    return Lease(
        side=side,
        lane=lane.name,
        token=lane.token,
        now_ms=tx.now_ms,
        until_ms=lane.rank,
        events=tuple(InboxItem.from_bytes(record) for record in records) if side is Side.IN else (),
        reply=reply,
        attempts=lane.attempts,
        stalls=lane.stalls,
        notes={name: value for kind, name, value in marks if kind == NOTE},
        frozen=frozenset(name for kind, name, _ in marks if kind == FROZEN),
        ambiguous_ms=lane.ambiguous_ms,
        use_plain=bool(lane.use_plain),
        facts=guards,
    )
