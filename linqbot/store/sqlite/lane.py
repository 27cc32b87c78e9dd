"""items -> lanes: append, find, move, and end what is at the head. The structural rules of the store live here."""

from __future__ import annotations

from typing import NamedTuple

from linqbot.records import Side
from linqbot.store.sqlite.transaction import SIDES, Row, Transaction

READY, LEASED, DELAYED = 0, 1, 2
NOTE, FROZEN = 0, 1
LATER, EDGE = 1 << 41, 1 << 40
"""Lanes in which only broadcasts wait are ready behind all others: their ranks begin far above any that those have."""


class Lane(NamedTuple):
    """A row of the table; a change is a new value, which `put` stores."""

    id: int
    side: int
    name: str
    place: int
    rank: int
    size: int
    token: str | None
    attempts: int
    stalls: int
    ambiguous_ms: int | None
    use_plain: int
    proof: str | None
    marked: int

    @property
    def untried(self) -> bool:
        """Whether nothing happened to the head yet, and nobody holds it."""
        trouble = (self.token, self.ambiguous_ms, self.proof)
        return not (self.attempts or self.stalls or self.use_plain) and trouble == (None, None, None)


def some(rows: list[Row]) -> list[Lane]:
    """Lanes of a query."""
    return [Lane(*row) for row in rows]


def find(tx: Transaction, side: Side, name: str) -> Lane | None:
    """The lane of this name, if it holds items."""
    row = tx.row("find_lane", tx.ns, SIDES[side], name)
    return None if row is None else Lane(*row)


def held(tx: Transaction, side: Side, name: str, token: str) -> Lane | None:
    """The lane, if the token is its last holder's."""
    lane = find(tx, side, name)
    return lane if lane is not None and lane.token == token else None


def append(
    tx: Transaction, side: Side, name: str, record: bytes, *, lane: Lane | None = None, later: bool = False
) -> Lane | None:
    """Put an item at the end of a lane; `lane` if it was found before, `later` if it is a broadcast. An answer takes along
    the broadcasts before it. The lane as it was, None if it was empty.
    """
    lane = lane or find(tx, side, name)
    if lane is None:
        lane_id = tx.add("add_lane", tx.ns, SIDES[side], name, _rear(tx) + (LATER if later else 0))
        tx.ready.add(side)
    else:
        lane_id = lane.id
        tx.run("grow_lane", lane_id)
        if lane.place == READY and lane.rank >= EDGE and not later:
            put(tx, lane._replace(rank=_rear(tx), size=lane.size + 1))
    tx.run("add_item", lane_id, record)
    return lane


def head(tx: Transaction, lane: Lane, count: int = 1) -> list[bytes]:
    """The records at the head, at most so many."""
    return [row[0] for row in tx.rows("head_items", lane.id, count)]


def put(tx: Transaction, lane: Lane) -> None:
    """Store the lane as it is now."""
    tx.run("put_lane", lane.id, *lane[3:])


def to_rear(tx: Transaction, lane: Lane) -> None:
    """Make the lane ready, after the others; whether its token may still be shown is the caller's choice."""
    _make_ready(tx, lane._replace(rank=_rear(tx)))


def to_front(tx: Transaction, lane: Lane) -> None:
    """Make the lane ready, before the others; its token as with `to_rear`."""
    tx.tally.front -= 1
    _make_ready(tx, lane._replace(rank=tx.tally.front))


def delay(tx: Transaction, lane: Lane, delay_ms: int) -> None:
    """Let the lane wait; without a delay it goes to the rear. Its lease is over."""
    if delay_ms <= 0:
        to_rear(tx, lane._replace(token=None))
    else:
        put_off(tx, lane._replace(token=None), delay_ms)


def put_off(tx: Transaction, lane: Lane, delay_ms: int) -> None:
    """Let the lane wait; its token as with `to_rear`."""
    put(tx, lane._replace(place=DELAYED, rank=tx.now_ms + delay_ms))


def to_head(tx: Transaction, lane: Lane, seq: int) -> None:
    """Let another item be the head, of which nothing was tried yet; the lane goes to the rear, its lease over."""
    tx.run("first_item", seq)
    to_rear(tx, _fresh(lane))


def end_head(tx: Transaction, lane: Lane, count: int = 1) -> list[int]:
    """Take items off the head, with all that belonged to them; what is left goes to the rear. The sizes of what ended."""
    ended = [row[0] for row in tx.rows("end_items", lane.id, count)]
    if lane.marked:
        tx.run("drop_marks", lane.id)
    size = lane.size - len(ended)
    if size:
        to_rear(tx, _fresh(lane._replace(size=size, marked=0)))
    else:
        tx.run("drop_lane", lane.id)
    return ended


def _fresh(lane: Lane) -> Lane:
    """With a head of which nothing is known yet, in nobody's hands."""
    return lane._replace(token=None, attempts=0, stalls=0, ambiguous_ms=None, use_plain=0, proof=None)


def _make_ready(tx: Transaction, lane: Lane) -> None:
    put(tx, lane._replace(place=READY))
    tx.ready.add(Side.IN if lane.side == SIDES[Side.IN] else Side.OUT)


def _rear(tx: Transaction) -> int:
    tx.tally.rear += 1
    return tx.tally.rear
