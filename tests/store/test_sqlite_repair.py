"""Rows that expired and rows that somebody broke: both leave the SQLite store in order."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from linqbot.errors import StoreUnavailable
from linqbot.records import Accepted, Limits, Sent, Side, Stats
from linqbot.testing.clock import TurnedClock
from linqbot.testing.store_contract.samples import arrival, drain, fact, freeze, lanes, lease, reply, turn
from tests.store.sqlite_file import count, open_at, tamper


async def test_old_ids_leave_the_file(file: Path, clock: TurnedClock) -> None:
    """New ids push the expired ones out, without any sweep."""
    async with open_at(file, clock, Limits(lane_cap=10**6)) as store:
        for number in range(500):
            await store.accept(arrival(f"old-{number}"))
        clock.advance(hours=25)
        for number in range(500):
            await store.accept(arrival(f"new-{number}"))

        assert count(file, "seen") <= 520


async def test_sweep_forgets_what_expired(file: Path, clock: TurnedClock) -> None:
    """Ids, spent units and sent messages past their time are gone after a sweep."""
    async with open_at(file, clock) as store:
        for number in range(100):
            await store.accept(arrival(f"old-{number}"))
        await drain(store)
        await freeze(store, reply("key-1", pair="line/chat"))
        held = await lease(store, Side.OUT)
        await store.settle(held.lane, held.token, Sent(message_id="message-1"))
        before = [count(file, table) for table in ("seen", "spent", "sent")]
        clock.advance(hours=25)
        await store.sweep()

        assert before == [101, 1, 1]
        assert [count(file, table) for table in ("seen", "spent", "sent")] == [0, 0, 0]


async def test_one_sweep_forgets_what_a_busy_minute_brought(file: Path, clock: TurnedClock) -> None:
    """Sixty messages a second, each with a fact and a spending of its own: the file does not grow from day to day."""
    async with open_at(file, clock) as store:
        facts = [fact(f"told:{number}", ttl_ms=1_000) for number in range(3_600)]
        await store.learn(facts)
        tamper(
            file,
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3600) "
            "INSERT INTO spent (ns, pair, at_ms, units) SELECT 1, 'chat-' || i, 0, 1 FROM n",
        )
        before = [count(file, table) for table in ("fact", "spent")]
        clock.advance(seconds=90)
        await store.sweep()

        assert before == [3_600, 3_600]
        assert [count(file, table) for table in ("fact", "spent")] == [0, 0]


async def test_lane_in_no_place_becomes_ready(file: Path, clock: TurnedClock) -> None:
    """Whatever happened to the row, its events are handled."""
    async with open_at(file, clock) as store:
        await store.accept(arrival("event-1"))
        tamper(file, "UPDATE lane SET place = 7")

        assert await store.sweep() == 1

        assert await lanes(store, 1) == ["chat:a"]


async def test_place_without_items_is_emptied(file: Path, clock: TurnedClock) -> None:
    """A lane whose items are gone goes, and the counts are right again."""
    async with open_at(file, clock) as store:
        await store.accept(arrival("event-1", "a"))
        await store.accept(arrival("event-2", "b"))
        tamper(file, "DELETE FROM item WHERE seq = 1")

        assert [await store.sweep(), await store.sweep()] == [1, 0]

        assert await lanes(store, 2) == ["b"]
        assert await store.stats() == Stats(inbox=1, outbox=0, dead=0, timers=0)


async def test_lane_without_items_does_not_stop_the_lease(file: Path, clock: TurnedClock) -> None:
    """Before any sweep, the next lane is given instead."""
    async with open_at(file, clock) as store:
        await store.accept(arrival("event-1", "a"))
        await store.accept(arrival("event-2", "b"))
        tamper(file, "DELETE FROM item WHERE seq = 1")

        assert await lanes(store, 1) == ["b"]


async def test_store_that_broke_is_unavailable_not_wrong(file: Path, clock: TurnedClock) -> None:
    """A missing table is trouble of the store, told as such; the writer lives on."""
    async with open_at(file, clock) as store:
        await store.accept(arrival("event-1"))
        tamper(file, "DROP TABLE timer")

        with pytest.raises(StoreUnavailable):
            await store.lease(Side.IN, ["token"])

        assert await store.accept(arrival("event-1")) is Accepted.DUPLICATE


async def test_commit_survives_a_program_that_never_closes(file: Path, clock: TurnedClock) -> None:
    """Another writer on the same file sees what was committed while the first is still open."""
    async with open_at(file, clock) as store:
        await store.accept(arrival("event-1"))
        await store.commit(turn(await lease(store)))
        connection = sqlite3.connect(file)
        left = connection.execute("SELECT count(*) FROM item").fetchone()
        connection.close()

    assert left == (0,)
