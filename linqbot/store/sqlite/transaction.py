"""a verb's work -> SQL inside the transaction that was begun, with the namespace's numbers, the time, and whom to wake."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import Any

from linqbot.records import Limits, Side
from linqbot.store.sqlite.sql import QUERIES
from linqbot.store.sqlite.storetime import StoreTime

SIDES = {Side.IN: 0, Side.OUT: 1}

Row = tuple[Any, ...]


@dataclass(slots=True)
class Tally:
    """A namespace's row: read when a transaction first needs it, changed in memory, written at its end."""

    id: int
    now_ms: int
    inbox: int
    inbox_bytes: int
    outbox: int
    dead: int
    timers: int
    sent: int
    front: int
    rear: int
    version: int
    remembered: int
    seen_hand: bytes
    hand_side: int
    hand_name: str
    passed: int


_VALUES = attrgetter(*(one.name for one in fields(Tally)))


def read_tally(connection: sqlite3.Connection, namespace: str) -> Tally:
    """The namespace's row, made if it is not there."""
    row = connection.execute(QUERIES["find_namespace"], (namespace,)).fetchone()
    if row is None:
        connection.execute(QUERIES["add_namespace"], (namespace,))
        return read_tally(connection, namespace)
    return Tally(*row)


def write_tally(connection: sqlite3.Connection, tally: Tally) -> None:
    """Store the namespace's row."""
    connection.execute(QUERIES["save_namespace"], _VALUES(tally))


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Who asks: one handle's namespace, limits and time."""

    namespace: str
    limits: Limits
    time: StoreTime


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """What one verb works with; several verbs may follow one another in one transaction of the database."""

    connection: sqlite3.Connection
    tally: Tally
    limits: Limits
    now_ms: int
    ready: set[Side] = field(default_factory=set)
    """Sides on which somebody who waits should look."""

    @property
    def ns(self) -> int:
        """The namespace's number."""
        return self.tally.id

    def run(self, query: str, *values: Any) -> int:
        """Change rows by the query of this name; how many."""
        return self.connection.execute(QUERIES[query], values).rowcount

    def add(self, query: str, *values: Any) -> int:
        """Insert a row by the query of this name; its row id."""
        row_id = self.connection.execute(QUERIES[query], values).lastrowid
        assert row_id is not None, "an insert gives a row id"
        return row_id

    def row(self, query: str, *values: Any) -> Row | None:
        """The first row of the query of this name."""
        found: Row | None = self.connection.execute(QUERIES[query], values).fetchone()
        return found

    def rows(self, query: str, *values: Any) -> list[Row]:
        """All rows of the query of this name."""
        return self.connection.execute(QUERIES[query], values).fetchall()
