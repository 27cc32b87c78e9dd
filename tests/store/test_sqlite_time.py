"""Clocks that are set back, and the store time that never is."""

from __future__ import annotations

from pathlib import Path

from linqbot.records import Limits
from linqbot.store.sqlite.store import SqliteStore
from linqbot.store.sqlite.storetime import StoreTime
from linqbot.testing.store_contract.samples import arrival, lease, nothing
from tests.store.sqlite_file import SetClock


async def test_a11_time_never_runs_backwards(file: Path) -> None:
    """A clock that is set back a little: store time stands still until the clock has caught up.

    Held by `StoreTime`, which never tells less than what was stored.
    """
    clock = SetClock(1_000_000)
    async with SqliteStore(f"sqlite:///{file}", clock=clock, namespace="bot", limits=Limits()) as store:
        await store.accept(arrival("event-1", "a"))
        clock.time_ms -= 20_000
        await store.accept(arrival("event-2", "b"))

        assert [held.accepted_ms for held in [(await lease(store)).events[0], (await lease(store)).events[0]]] == [
            1_000_000,
            1_000_000,
        ]


async def test_time_goes_on_after_a_large_step_back(file: Path) -> None:
    """A clock that is set back by years, over a restart: leases come to their end nonetheless."""
    clock = SetClock(100_000_000_000)
    async with SqliteStore(f"sqlite:///{file}", clock=clock, namespace="bot", limits=Limits()) as store:
        await store.accept(arrival("event-1"))
        await lease(store)
    clock.time_ms = 5_000
    async with SqliteStore(f"sqlite:///{file}", clock=clock, namespace="bot", limits=Limits()) as store:
        early = await nothing(store)
        clock.time_ms += 31_000

        assert early
        assert (await lease(store)).now_ms == 100_000_031_000


def test_store_time_returns_to_the_clock() -> None:
    """Once the clock is right again it is followed."""
    clock = SetClock(1_000_000)
    time = StoreTime(clock)
    behind = time.now_ms(9_000_000)
    clock.time_ms = 10_000_000

    assert (behind, time.now_ms(9_500_000)) == (9_000_000, 10_000_000)
