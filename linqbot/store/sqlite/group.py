"""calls that came together -> one transaction, and an answer for each. Runs in the writer's thread.

When a shared transaction fails, each of its verbs is run again by itself, so that one does not spoil the others.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from linqbot.errors import StoreUnavailable
from linqbot.records import Side
from linqbot.store.sqlite.transaction import Session, Tally, Transaction, read_tally, write_tally

LOCK_TRY_MS = 25
LOCK_TRIES = 200
"""Together the 5 s for which a locked database is waited for (design.md section 9, Processes)."""

T = TypeVar("T")
Verb = Callable[[Transaction], T]
"""What a store's method does in a transaction. It may be run more than once, always on an unchanged database."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A verb, who asked, and where the answer is awaited."""

    verb: Verb[Any]
    session: Session
    writes: bool
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What became of a call."""

    call: Call
    result: Any = None
    error: Exception | None = None
    ready: frozenset[Side] = frozenset()
    """Sides on which lanes became ready."""


class Database:
    """An open connection and the file that it must still be."""

    def __init__(self, connection: sqlite3.Connection, path: Path | None) -> None:
        self._connection = connection
        connection.execute(f"PRAGMA busy_timeout = {LOCK_TRY_MS}")
        self._path = path
        self._file = _identity(path)

    def execute(self, calls: Sequence[Call]) -> Iterator[list[Answer]]:
        """Run the calls, in one transaction if that works; answers come when their commit is done."""
        try:
            answers = self._together(calls)
        except Exception as error:  # noqa: BLE001  whatever a verb raises is its caller's answer, not the thread's end
            if len(calls) == 1 or _is_locked(error):
                yield [Answer(call=call, error=_told(error)) for call in calls]
                return
        else:
            yield answers
            return
        for call in calls:
            yield from self.execute([call])

    def close(self) -> None:
        """Close the connection; SQLite folds the log into the file when it is the last."""
        self._connection.close()

    def _together(self, calls: Sequence[Call]) -> list[Answer]:
        connection = self._connection
        self._begin("BEGIN IMMEDIATE" if any(call.writes for call in calls) else "BEGIN")
        try:
            before = connection.total_changes
            tallies: dict[str, Tally] = {}
            answers = [self._run(call, tallies) for call in calls]
            if connection.total_changes != before:
                for tally in tallies.values():
                    write_tally(connection, tally)
            connection.execute("COMMIT")
        except BaseException:
            # SQLite may have rolled back by itself (https://sqlite.org/lang_transaction.html section 3).
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        self._must_be_there()
        return answers

    def _begin(self, statement: str) -> None:
        """Wait for the lock in many short tries: SQLite sleeps ever longer within one, and a process that does so for 5 s
        beside busy ones may never have its turn.
        """
        for _ in range(LOCK_TRIES - 1):
            try:
                self._connection.execute(statement)
            except sqlite3.OperationalError as error:
                if not _is_locked(error):
                    raise
            else:
                return
        self._connection.execute(statement)

    def _run(self, call: Call, tallies: dict[str, Tally]) -> Answer:
        session = call.session
        tally = tallies.get(session.namespace)
        if tally is None:
            tally = tallies[session.namespace] = read_tally(self._connection, session.namespace)
        tally.now_ms = session.time.now_ms(tally.now_ms)
        transaction = Transaction(
            connection=self._connection, tally=tally, limits=session.limits, now_ms=tally.now_ms, ready=set()
        )
        result = call.verb(transaction)
        return Answer(call=call, result=result, ready=frozenset(transaction.ready))

    def _must_be_there(self) -> None:
        """A deleted file would take writes until it is closed, and then be gone with them."""
        if _identity(self._path) != self._file:
            raise StoreUnavailable(f"the database {self._path} was deleted or replaced: restart the program")


def _identity(path: Path | None) -> tuple[int, int] | None:
    if path is None:
        return None
    try:
        status = path.stat()
    except OSError:
        return (0, 0)
    return status.st_dev, status.st_ino


def _is_locked(error: Exception) -> bool:
    return isinstance(error, sqlite3.OperationalError) and error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY


def _told(error: Exception) -> Exception:
    """What a caller is told: trouble of the database is `StoreUnavailable`, other errors are bugs and stay themselves."""
    if isinstance(error, sqlite3.IntegrityError | sqlite3.ProgrammingError | sqlite3.DataError):
        return error
    if not isinstance(error, sqlite3.DatabaseError):
        return error
    told = StoreUnavailable(f"the database did not answer: {error}; the same call may succeed later")
    told.__cause__ = error
    return told
