"""A process of its own that uses an SQLite store; run as `python -m tests.store.sqlite_process MODE FILE ...`.

`work FILE`: handles events until told to stop by the end of stdin; prints `lane event_id` for each turn it committed.
`flood FILE NAME`: accepts events, many at once, for ever; prints each id when it is acknowledged.
`hold FILE`: takes the write lock of the file, prints `held`, and keeps it until stdin ends.
"""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from itertools import count

from linqbot.clock import SystemClock
from linqbot.ids import random_token
from linqbot.records import Limits, Side
from linqbot.store.sqlite.store import SqliteStore
from linqbot.testing.store_contract.samples import arrival, reply, turn


def _store(file: str) -> SqliteStore:
    limits = Limits(inbox_cap_bytes=1_000_000_000, lane_cap=1_000_000)
    return SqliteStore(f"sqlite:///{file}", clock=SystemClock(), namespace="bot", limits=limits)


async def work(file: str) -> None:
    """Handle events until a round finds nothing and stdin has ended."""
    async with _store(file) as store:
        print("ready", flush=True)
        over = asyncio.create_task(asyncio.to_thread(sys.stdin.read))
        while True:
            last = over.done()
            taken = (await store.lease(Side.IN, [random_token(), random_token()])).taken
            for held in taken:
                event_id = held.events[0].event_id
                await store.commit(turn(held, replies=[reply(f"key-{event_id}", held.lane)]))
                print(held.lane, event_id, flush=True)
            if not taken and last:
                return
            if not taken:
                await store.wait(Side.IN, 100)


async def flood(file: str, name: str) -> None:
    """Accept without end, 32 at a time."""
    async with _store(file) as store:
        numbers = count()

        async def accept() -> None:
            for number in numbers:
                await store.accept(arrival(f"{name}-{number}", f"lane-{number % 10}"))
                print(f"{name}-{number}", flush=True)

        await asyncio.gather(*(accept() for _ in range(32)))


def hold(file: str) -> None:
    """Be the other writer that does not let go."""
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    print("held", flush=True)
    sys.stdin.read()
    connection.execute("ROLLBACK")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["work", file]:
            asyncio.run(work(file))
        case ["flood", file, name]:
            asyncio.run(flood(file, name))
        case ["hold", file]:
            hold(file)
        case _:
            sys.exit(__doc__)
