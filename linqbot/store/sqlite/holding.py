"""a lease -> renewed, given back, or failed and delayed."""

from __future__ import annotations

from collections.abc import Sequence

from linqbot.records import Side
from linqbot.store.sqlite import lane as lanes
from linqbot.store.sqlite import outbox
from linqbot.store.sqlite.transaction import SIDES, Transaction


def beat(tx: Transaction, side: Side, held: Sequence[tuple[str, str]]) -> frozenset[str]:
    """`Lanes.beat`."""
    until_ms = tx.now_ms + tx.limits.lease_ms
    return frozenset(
        name for name, token in held if not tx.run("renew_lane", tx.ns, SIDES[side], name, token, until_ms)
    )


def release(tx: Transaction, side: Side, name: str, token: str) -> bool:
    """`Lanes.release`."""
    lane = lanes.held(tx, side, name, token)
    if lane is None:
        return False
    if lane.proof is not None:
        outbox.finish(tx, lane, lane.proof)
    else:
        lanes.to_front(tx, lane._replace(token=None))
    return True


def retry(tx: Transaction, name: str, token: str, delay_ms: int) -> bool:
    """`Lanes.retry`."""
    lane = lanes.held(tx, Side.IN, name, token)
    if lane is None:
        return False
    lanes.delay(tx, lane._replace(attempts=lane.attempts + 1), delay_ms)
    return True
