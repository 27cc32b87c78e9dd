"""what was given up -> the dead letters, the newest of which are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from linqbot.records import DeadLetter
from linqbot.store.sqlite.transaction import Transaction


def bury(tx: Transaction, letter: DeadLetter) -> None:
    """`Inbox.bury`."""
    drop(tx, letter.kind, letter.id)
    tx.run("add_letter", tx.ns, letter.kind, letter.id, replace(letter, at_ms=tx.now_ms).to_bytes())
    tx.tally.dead += 1
    if tx.tally.dead > tx.limits.dead_cap:
        tx.tally.dead -= tx.run("drop_oldest_letters", tx.ns, tx.tally.dead - tx.limits.dead_cap)


def dead(tx: Transaction, limit: int) -> Sequence[DeadLetter]:
    """`Keeper.dead`."""
    return [DeadLetter.from_bytes(record) for (record,) in tx.rows("newest_letters", tx.ns, limit)]


def drop(tx: Transaction, kind: str, letter_id: str) -> bool:
    """`Keeper.drop`."""
    dropped = tx.run("drop_letter", tx.ns, kind, letter_id)
    tx.tally.dead -= dropped
    return bool(dropped)
