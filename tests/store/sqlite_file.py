"""An SQLite file, and what is done to it and to its clock behind the store's back."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from linqbot.clock import Clock
from linqbot.records import Limits
from linqbot.store.sqlite.store import SqliteStore
from linqbot.store.sqlite.transaction import Transaction


def open_at(file: Path, clock: Clock, limits: Limits | None = None) -> SqliteStore:
    """A store on the file, to be entered."""
    return SqliteStore(f"sqlite:///{file}", clock=clock, namespace="bot", limits=limits or Limits())


def tamper(file: Path, *statements: str) -> None:
    """Do this to the file behind the store's back."""
    connection = sqlite3.connect(file)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def count(file: Path, table: str) -> int:
    """How many rows a table has."""
    connection = sqlite3.connect(file)
    rows: int = connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
    connection.close()
    return rows


def read(file: Path, query: str) -> object:
    """What a query gives, of one value."""
    connection = sqlite3.connect(file)
    (value,) = connection.execute(query).fetchone()
    connection.close()
    return value


def scribble(file: Path) -> None:
    """Put something else there."""
    file.unlink(missing_ok=True)
    file.write_bytes(b"a letter to my aunt " * 100)


def remove(file: Path) -> None:
    """Delete it under the store's feet."""
    file.unlink()


async def limit_pages(store: SqliteStore, pages: int) -> None:
    """Let the file grow by so many pages of 4 kB at the most, as a full disk would."""

    def limit(tx: Transaction) -> None:
        (used,) = tx.connection.execute("PRAGMA page_count").fetchone()
        tx.connection.execute(f"PRAGMA max_page_count = {used + pages}")

    await store._open().call(limit, store._session)


class SetClock:
    """A clock that is put to any time, also an earlier one."""

    offset_ms = 0

    def __init__(self, now_ms: int) -> None:
        self.time_ms = now_ms

    def now_ms(self) -> int:
        """What it was put to."""
        return self.time_ms

    async def sleep(self, seconds: float) -> None:
        """Time does not pass by itself."""
        raise AssertionError("nobody sleeps on this clock")
