"""a reply -> its units spent now in every budget, or how long they take to come back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from linqbot.records import OutboxItem, chat_of
from linqbot.store.sqlite.transaction import Transaction

DAY_MS = 24 * 3_600_000
_GRAIN_MS = DAY_MS // 144
"""Spendings of a day are kept by ten minutes, so that a day has few rows."""
_STEP = 5_000
"""More than a busy minute brings: what chats spent that are silent since leaves as fast as it comes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Book:
    """What was spent in a window under one name; `kind` says by which queries it is kept."""

    kind: str
    name: str
    most: int
    window_ms: int
    grain_ms: int = 1

    def shortage_ms(self, tx: Transaction, units: int) -> int:
        """How long until there is room; a reply of more than the whole budget needs an empty window."""
        tx.run(f"forget_{self.kind}", tx.ns, self.name, tx.now_ms - self.window_ms)
        row = tx.row(f"count_{self.kind}", tx.ns, self.name)
        assert row is not None, "a sum has a row"
        spent, back_ms = row[0], tx.now_ms
        if not spent or spent + units <= self.most:
            return 0
        for at_ms, some in tx.rows(f"list_{self.kind}", tx.ns, self.name):
            back_ms = int(at_ms) + self.window_ms
            spent -= some
            if spent + units <= self.most:
                break
        return back_ms - tx.now_ms

    def spend(self, tx: Transaction, units: int) -> None:
        """Write it down."""
        if self.kind == "spent":
            tx.run("spend", tx.ns, self.name, tx.now_ms, units)
        else:
            tx.run("spend_pace", tx.ns, self.name, tx.now_ms // self.grain_ms, tx.now_ms, units)

    def refund(self, tx: Transaction, units: int, paid_ms: int) -> None:
        """Take it off what was spent last, and what is more than that off what was spent before; nothing if what was spent
        then is back by itself.
        """
        if paid_ms <= tx.now_ms - self.window_ms:
            return
        for at_ms, some in reversed(tx.rows(f"list_{self.kind}", tx.ns, self.name)):
            tx.run(f"refund_{self.kind}", tx.ns, self.name, at_ms, min(some, units))
            units -= min(some, units)
            if not units:
                return


def spend(tx: Transaction, reply: OutboxItem, lane: str) -> int:
    """Spend what the reply costs and give 0; or spend nothing and give the milliseconds until all of it can be paid.

    `lane` is where it waits now: of a chat that was not known when the reply was frozen, the pair is known since.
    """
    if reply.units <= 0:
        return 0
    books = tuple(_books(tx, reply, lane))
    wait_ms = max((book.shortage_ms(tx, reply.units) for book in books), default=0)
    if not wait_ms:
        for book in books:
            book.spend(tx, reply.units)
    return wait_ms


def refund(tx: Transaction, reply: OutboxItem, lane: str, paid_ms: int) -> None:
    """Give back what the reply cost at that time."""
    if reply.units > 0:
        for book in _books(tx, reply, lane):
            book.refund(tx, reply.units, paid_ms)


def forget_expired(tx: Transaction) -> None:
    """Let the oldest spendings go, a bounded number of them."""
    tx.run("forget_old_spent", tx.ns, tx.now_ms - tx.limits.budget_window_ms, _STEP)
    tx.run("forget_old_pace", tx.ns, tx.now_ms - DAY_MS, _STEP)


def _books(tx: Transaction, reply: OutboxItem, lane: str) -> Iterator[_Book]:
    limits, chat_id = tx.limits, chat_of(lane)
    if chat_id is not None and reply.pair.startswith("to:"):
        reply = replace(reply, pair=chat_id)
    if limits.budget and reply.pair:
        yield _Book(kind="spent", name=reply.pair, most=limits.budget, window_ms=limits.budget_window_ms)
    if limits.line_budget and reply.line:
        most = _share(reply, limits.line_budget)
        yield _Book(kind="pace", name=f"line:{reply.line}", most=most, window_ms=limits.line_window_ms)
    if limits.line_day_budget and reply.line:
        most = _share(reply, limits.line_day_budget)
        yield _Book(kind="pace", name=f"day:{reply.line}", most=most, window_ms=DAY_MS, grain_ms=_GRAIN_MS)


def _share(reply: OutboxItem, most: int) -> int:
    """Broadcasts leave a fifth to answers."""
    return max(most * 4 // 5, 1) if reply.broadcast else most
