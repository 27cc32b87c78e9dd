"""a namespace -> tidy, and in order whatever happened to it; a bounded amount at a time."""

from __future__ import annotations

from linqbot.records import Durability, Side, Stats
from linqbot.store.sqlite import knowledge, outbox, seen
from linqbot.store.sqlite import lane as lanes
from linqbot.store.sqlite.lane import LEASED
from linqbot.store.sqlite.transaction import SIDES, Transaction

_STEP = 500
_IDS = 5_000
_FULL = 2


def sweep(tx: Transaction) -> int:
    """`Keeper.sweep`."""
    seen.forget_expired(tx, _IDS)
    outbox.forget_expired(tx)
    knowledge.forget_expired(tx)
    return sum(_cut_leases(tx, side) + _place(tx, side) for side in Side) + _count_again(tx)


def stats(tx: Transaction) -> Stats:
    """`Keeper.stats`."""
    tally = tx.tally
    return Stats(inbox=tally.inbox, outbox=tally.outbox, dead=tally.dead, timers=tally.timers)


def touch(tx: Transaction) -> None:
    """Write something, to know that writing works."""
    tx.run("touch_namespace", tx.ns)


def durability(tx: Transaction) -> Durability:
    """`Keeper.durability`."""
    journal = tx.connection.execute("PRAGMA journal_mode").fetchone()[0]
    synchronous = tx.connection.execute("PRAGMA synchronous").fetchone()[0]
    if journal != "wal":
        return Durability(grade="D0", reason="SQLite in memory: everything is forgotten when the program ends")
    if synchronous < _FULL:
        return Durability(
            grade="D1", reason="SQLite file, synchronous below FULL: a power cut may take the last writes"
        )
    return Durability(
        grade="D2", reason="SQLite file, write-ahead log, synchronous=FULL: each answer waited for the disk"
    )


def _cut_leases(tx: Transaction, side: Side) -> int:
    """A lease that ends too far in the future was given by a clock or limits that were wrong."""
    lease_ms = tx.limits.lease_ms
    far = lanes.some(tx.rows("lanes_after", tx.ns, SIDES[side], LEASED, tx.now_ms + 2 * lease_ms, _STEP))
    for lane in far:
        lanes.put(tx, lane._replace(rank=tx.now_ms + lease_ms))
    return len(far)


def _place(tx: Transaction, side: Side) -> int:
    lost = lanes.some(tx.rows("lanes_in_no_place", tx.ns, SIDES[side], _STEP))
    for lane in lost:
        lanes.to_rear(tx, lane)
    return len(lost)


def _count_again(tx: Transaction) -> int:
    """Compare the next lanes with what is really in them; an empty one goes, a wrong number is set right."""
    tally = tx.tally
    rows = tx.rows("lanes_by_name", tx.ns, tally.hand_side, tally.hand_name, _STEP)
    tally.hand_side, tally.hand_name = rows[-1][:2] if len(rows) == _STEP else (-1, "")
    wrong = [row for row in rows if row[2] != row[3]]
    for side, name, _, count in wrong:
        _set_right(tx, Side.IN if side == SIDES[Side.IN] else Side.OUT, name, count)
    return len(wrong)


def _set_right(tx: Transaction, side: Side, name: str, count: int) -> None:
    lane = lanes.find(tx, side, name)
    assert lane is not None, "the lane was just seen"
    if side is Side.IN:
        tx.tally.inbox += count - lane.size
    else:
        tx.tally.outbox += count - lane.size
    if count:
        lanes.put(tx, lane._replace(size=count))
    else:
        tx.run("drop_marks", lane.id)
        tx.run("drop_lane", lane.id)
