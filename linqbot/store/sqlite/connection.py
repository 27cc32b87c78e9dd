"""an address -> an open connection with the newest layout, set up so that a commit survives a power cut."""

from __future__ import annotations

import re
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from linqbot.errors import LayoutError, StoreUnavailable
from linqbot.store.sqlite import sql
from linqbot.store.sqlite.address import Address

_APPLICATION = 0x6C_71_62_31
"""`lqb1` in the file's header: this database is linqbot's."""
_BUSY_MS = 5_000
_WAL_LIMIT_BYTES = 16 << 20
_COLUMN = re.compile(r"ALTER TABLE (?P<table>\w+) ADD COLUMN (?P<name>\w+)")


def connect(address: Address) -> sqlite3.Connection:
    """Open the database, making its folder and its layout where they are missing.

    Raises `LayoutError` when the file is not ours or was written by a newer linqbot, `StoreUnavailable` when it cannot be
    opened.
    """
    try:
        if address.path is not None:
            address.path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(address.database, isolation_level=None, cached_statements=256)
    except (OSError, sqlite3.Error) as error:
        raise StoreUnavailable(f"the database {address.name} cannot be opened: {error}") from error
    try:
        _settle_in(connection, address)
    except sqlite3.OperationalError as error:
        connection.close()
        raise StoreUnavailable(f"the database {address.name} cannot be used: {error}") from error
    except sqlite3.DatabaseError as error:
        connection.close()
        raise LayoutError(f"{address.name} is not a database of linqbot ({error}): name another file") from error
    except BaseException:
        connection.close()
        raise
    return connection


def _settle_in(connection: sqlite3.Connection, address: Address) -> None:
    connection.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
    _refuse_strangers(connection, address)
    _write_ahead(connection)
    # FULL makes each commit wait for the disk (https://sqlite.org/pragma.html#pragma_synchronous): an answer means kept.
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA journal_size_limit = {_WAL_LIMIT_BYTES}")
    _migrate(connection, address)
    _add_beside(connection)


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Switch to write-ahead logging; when several processes open a new file at once, SQLite answers `locked` without
    waiting, so the waiting is done here.
    """
    for _ in range(_BUSY_MS // 50):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            threading.Event().wait(0.05)
        else:
            return
    connection.execute("PRAGMA journal_mode = WAL")


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    return int(connection.execute(f"PRAGMA {pragma}").fetchone()[0])


def _refuse_strangers(connection: sqlite3.Connection, address: Address) -> None:
    newest = max(sql.layouts())
    version = _number(connection, "user_version")
    used = connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone() is not None
    if used and _number(connection, "application_id") != _APPLICATION:
        raise LayoutError(f"{address.name} is a database of another program: name another file")
    if version > newest:
        raise LayoutError(
            f"{address.name} has layout {version}, this linqbot knows {newest}: update linqbot or name another file"
        )


def _migrate(connection: sqlite3.Connection, address: Address) -> None:
    """Apply the layouts that are missing, each in a transaction, once however many processes start together."""
    for number, script in sql.layouts().items():
        if _number(connection, "user_version") >= number:
            continue
        with _transaction(connection):
            _refuse_strangers(connection, address)
            if _number(connection, "user_version") < number:
                for statement in sql.statements(script):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {number}")
                connection.execute(f"PRAGMA application_id = {_APPLICATION}")


def _add_beside(connection: sqlite3.Connection) -> None:
    """Add what came to the layout later, where it is missing."""
    with _transaction(connection):
        for statement in sql.statements(sql.beside()):
            column = _COLUMN.search(statement)
            if column is None or not _has_column(connection, column["table"], column["name"]):
                connection.execute(statement)


def _has_column(connection: sqlite3.Connection, table: str, name: str) -> bool:
    return any(row[1] == name for row in connection.execute(f"PRAGMA table_info({table})"))


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
