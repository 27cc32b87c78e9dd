"""a turn -> its replies frozen, state written, timers set and events ended, or nothing of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from linqbot.records import Commit, Committed, Side, StateCell, StateWrite, TimerWrite
from linqbot.store.sqlite import lane as lanes
from linqbot.store.sqlite import letters, outbox
from linqbot.store.sqlite.lane import FROZEN, NOTE, Lane
from linqbot.store.sqlite.transaction import Transaction


def commit(tx: Transaction, turn: Commit) -> Committed:
    """`Desk.commit`."""
    lane = lanes.held(tx, Side.IN, turn.lane, turn.token)
    if lane is None:
        return Committed.STALE
    if not _is_current(tx, turn.state):
        return Committed.CONFLICT
    frozen = _frozen(tx, lane)
    fresh = [reply for reply in turn.replies if reply.key not in frozen]
    for reply in fresh:
        outbox.freeze(tx, reply)
    for letter in turn.dead:
        letters.bury(tx, letter)
    for write in turn.state:
        _write(tx, write)
    for timer in turn.timers:
        _set(tx, timer)
    if turn.take:
        ended = lanes.end_head(tx, lane, turn.take)
        tx.tally.inbox -= len(ended)
        tx.tally.inbox_bytes -= sum(ended)
    else:
        _mark(tx, lane, FROZEN, {reply.key: b"" for reply in fresh})
    return Committed.COMMITTED


def note(tx: Transaction, lane_name: str, token: str, name: str, value: bytes) -> bytes | None:
    """`Desk.note`."""
    lane = lanes.held(tx, Side.IN, lane_name, token)
    if lane is None:
        return None
    _mark(tx, lane, NOTE, {name: value})
    row = tx.row("find_mark", lane.id, NOTE, name)
    assert row is not None, "a note is there when it was made"
    return bytes(row[0])


def load(tx: Transaction, keys: Iterable[str]) -> Mapping[str, StateCell]:
    """`Desk.load`."""
    rows = tx.rows("load_states", tx.ns, json.dumps(list(keys)))
    return {key: StateCell(version=version, value=value) for key, version, value in rows}


def _is_current(tx: Transaction, writes: Sequence[StateWrite]) -> bool:
    if not writes:
        return True
    cells = load(tx, [write.key for write in writes])
    return all(write.expected == (cells[write.key].version if write.key in cells else 0) for write in writes)


def _frozen(tx: Transaction, lane: Lane) -> frozenset[str]:
    marks = tx.rows("marks", lane.id) if lane.marked else []
    return frozenset(name for kind, name, _ in marks if kind == FROZEN)


def _mark(tx: Transaction, lane: Lane, kind: int, marks: Mapping[str, bytes]) -> None:
    for name, value in marks.items():
        tx.run("add_mark", lane.id, kind, name, value)
    if marks and not lane.marked:
        lanes.put(tx, lane._replace(marked=1))


def _write(tx: Transaction, write: StateWrite) -> None:
    """One counter gives the versions of all keys, so that none comes again after a deletion."""
    tx.tally.version += 1
    if write.value is None:
        tx.run("drop_state", tx.ns, write.key)
    else:
        tx.run("put_state", tx.ns, write.key, tx.tally.version, write.value)


def _set(tx: Transaction, timer: TimerWrite) -> None:
    tx.tally.timers -= tx.run("drop_timer", tx.ns, timer.key)
    if timer.item is not None:
        tx.run("add_timer", tx.ns, timer.key, timer.due_ms, timer.item.to_bytes())
        tx.tally.timers += 1
