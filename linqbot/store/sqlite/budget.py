"""a reply -> its pair's units spent now, or how long they take to come back."""

from __future__ import annotations

from linqbot.records import OutboxItem
from linqbot.store.sqlite.transaction import Transaction


def spend(tx: Transaction, reply: OutboxItem) -> int:
    """Spend what the reply costs and give 0; or spend nothing and give the milliseconds until it can be paid."""
    limits = tx.limits
    if not limits.budget or not reply.pair or reply.units <= 0:
        return 0
    tx.run("forget_spent", tx.ns, reply.pair, tx.now_ms - limits.budget_window_ms)
    row = tx.row("count_spent", tx.ns, reply.pair)
    assert row is not None, "a sum has a row"
    if row[0] and row[0] + reply.units > limits.budget:
        return _wait_ms(tx, reply, row[0])
    tx.run("spend", tx.ns, reply.pair, tx.now_ms, reply.units)
    return 0


def _wait_ms(tx: Transaction, reply: OutboxItem, spent: int) -> int:
    """Until enough of what was spent is a window old; for more than the whole budget, all of it."""
    back_ms = tx.now_ms
    for at_ms, units in tx.rows("list_spent", tx.ns, reply.pair):
        back_ms = int(at_ms) + tx.limits.budget_window_ms
        spent -= units
        if spent + reply.units <= tx.limits.budget:
            break
    return back_ms - tx.now_ms
