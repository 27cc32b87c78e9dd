"""The conformance suite on SQLite: one file, the same file through two connections, and memory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path

import pytest

from linqbot.ids import random_token
from linqbot.records import Limits
from linqbot.store.base import Store
from linqbot.store.sqlite.store import SqliteStore
from linqbot.testing.clock import TurnedClock
from linqbot.testing.store_contract import Build, StoreContract, WaitContract


class TestSqliteFile(StoreContract):
    """Handles of one process share a writer."""

    @pytest.fixture
    def build(self, clock: TurnedClock, tmp_path: Path) -> Build:
        """Stores in one file."""

        def make(limits: Limits, namespace: str) -> Store:
            return SqliteStore(f"sqlite:///{tmp_path}/bot.db", clock=clock, namespace=namespace, limits=limits)

        return make


class TestSqliteBell(WaitContract):
    """Without looking: within one process every wake-up comes by itself, also between two handles."""

    @pytest.fixture
    def build(self, clock: TurnedClock, tmp_path: Path) -> Build:
        """Stores in one file that look once a minute."""
        url = f"sqlite:///{tmp_path}/bot.db"

        def make(limits: Limits, namespace: str) -> Store:
            return SqliteStore(url, clock=clock, namespace=namespace, limits=limits, look_ms=60_000)

        return make


class TestSqliteConnections(StoreContract):
    """Handles that know the file under different names have writers of their own, as several processes do."""

    @pytest.fixture
    def build(self, clock: TurnedClock, tmp_path: Path) -> Build:
        """Stores in one file, each through a link of its own."""
        numbers = count()

        def make(limits: Limits, namespace: str) -> Store:
            link = tmp_path / f"link-{next(numbers)}.db"
            link.symlink_to(tmp_path / "bot.db")
            return SqliteStore(f"sqlite:///{link}", clock=clock, namespace=namespace, limits=limits)

        return make


class TestSqliteMemory(StoreContract):
    """Memory that the handles of one process share by name; one handle keeps it over the test's restarts."""

    @pytest.fixture
    async def build(self, clock: TurnedClock) -> AsyncIterator[Build]:
        """Stores in one memory."""
        url = f"sqlite:///:memory:{random_token()}"

        def make(limits: Limits, namespace: str) -> Store:
            return SqliteStore(url, clock=clock, namespace=namespace, limits=limits)

        async with make(Limits(), "keeper"):
            yield make
