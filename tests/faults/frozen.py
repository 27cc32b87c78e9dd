"""a process -> the same, stopped for as long as wanted; nobody else has to wait for it."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
from contextlib import closing

_MOMENT_S = 0.05
_WRITERS_S = 0.3
"""How long those who are not frozen may hold the file, at most."""


async def freeze(pid: int, store_url: str) -> None:
    """Stop a process outside a transaction: inside one it would keep everybody else from an SQLite file, and nobody could
    take over what it holds.
    """
    os.kill(pid, signal.SIGSTOP)
    while not await asyncio.to_thread(_can_be_written, store_url):
        os.kill(pid, signal.SIGCONT)
        await asyncio.sleep(_MOMENT_S)  # let another process go on: there is no event to wait for
        os.kill(pid, signal.SIGSTOP)


def wake(pid: int) -> None:
    """Let it go on."""
    os.kill(pid, signal.SIGCONT)


def _can_be_written(store_url: str) -> bool:
    """Whether anybody can write to the store; a server does not let a client hold it."""
    scheme, _, file = store_url.partition(":///")
    if scheme != "sqlite":
        return True
    with closing(sqlite3.connect(file, timeout=_WRITERS_S)) as database:
        try:
            database.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
        return True
