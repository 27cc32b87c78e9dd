"""Several processes on one file: nothing is lost or held twice, and a kill takes only what was not acknowledged."""

from __future__ import annotations

import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from linqbot.errors import StoreUnavailable
from linqbot.records import Accepted, Limits
from linqbot.store.sqlite.store import SqliteStore
from linqbot.testing.clock import TurnedClock
from linqbot.testing.store_contract.samples import arrival, drain

ROOT = Path(__file__).parents[2]


class Processes:
    """Starts processes and ends them with the test."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """`python -m tests.store.sqlite_process ...` with pipes."""
        process = self._stack.enter_context(
            subprocess.Popen(
                [sys.executable, "-m", "tests.store.sqlite_process", *arguments],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        )
        self._stack.callback(process.kill)
        return process


@pytest.fixture
def processes() -> Iterator[Processes]:
    """A starter of processes."""
    with ExitStack() as stack:
        yield Processes(stack)


def line(process: subprocess.Popen[str]) -> str:
    """The next line that the process prints."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def rest(process: subprocess.Popen[str]) -> list[str]:
    """All lines until the process ends, whole ones only."""
    assert process.stdout is not None
    return [one.strip() for one in process.stdout if one.endswith("\n")]


def store_of(file: Path, clock: TurnedClock, namespace: str = "bot") -> SqliteStore:
    """A store of this process on the file."""
    limits = Limits(inbox_cap_bytes=1_000_000_000, lane_cap=1_000_000)
    return SqliteStore(f"sqlite:///{file}", clock=clock, namespace=namespace, limits=limits)


async def test_processes_share_the_work(file: Path, clock: TurnedClock, processes: Processes) -> None:
    """Two workers and one ingress: each event is ended once, each lane in its order, no reply is missing."""
    async with store_of(file, clock) as store:
        workers = [processes.start("work", str(file)) for _ in range(2)]
        assert [line(worker) for worker in workers] == ["ready", "ready"]
        for number in range(300):
            await store.accept(arrival(f"{number:03}", f"lane-{number % 7}"))
        done = [one for worker in workers for one in worker.communicate()[0].splitlines()]
        stats = await store.stats()
        keys = await drain(store)

    assert sorted(one.split()[1] for one in done) == [f"{number:03}" for number in range(300)]
    assert (stats.inbox, stats.outbox, keys) == (0, 300, [])


async def test_one_process_keeps_a_lanes_order(file: Path, clock: TurnedClock, processes: Processes) -> None:
    """What a worker of another process prints for a lane is in the order of acceptance."""
    async with store_of(file, clock) as store:
        for number in range(100):
            await store.accept(arrival(f"{number:03}", f"lane-{number % 5}"))
        output = processes.start("work", str(file)).communicate()[0].splitlines()[1:]

    by_lane = defaultdict(list)
    for lane, event_id in (one.split() for one in output):
        by_lane[lane].append(event_id)
    assert list(by_lane.values()) == [sorted(ids) for ids in by_lane.values()]
    assert sum(len(ids) for ids in by_lane.values()) == 100


async def test_kill_loses_nothing_that_was_acknowledged(file: Path, clock: TurnedClock, processes: Processes) -> None:
    """Killed in the middle of shared commits, three times: every printed id is there, and a repeat is a duplicate."""
    acknowledged: list[str] = []
    for run in range(3):
        flood = processes.start("flood", str(file), f"run{run}")
        acknowledged += [line(flood) for _ in range(500)]
        flood.kill()
        acknowledged += rest(flood)

    async with store_of(file, clock) as store:
        answers = {await store.accept(arrival(event_id, "again")) for event_id in acknowledged}
        stats = await store.stats()
        ended = await drain(store)

    assert answers == {Accepted.DUPLICATE}
    assert set(acknowledged) <= set(ended)
    assert (len(ended), len(set(ended))) == (stats.inbox, stats.inbox)


async def test_many_processes_may_make_the_file_at_once(file: Path, clock: TurnedClock, processes: Processes) -> None:
    """Whoever comes first lays it out; the others find it done."""
    workers = [processes.start("work", str(file)) for _ in range(4)]

    assert [line(worker) for worker in workers] == ["ready"] * 4

    for worker in workers:
        worker.communicate()
    assert [worker.returncode for worker in workers] == [0] * 4


async def test_locked_file_is_unavailable_not_a_hang(file: Path, clock: TurnedClock, processes: Processes) -> None:
    """Another writer that holds on longer than the busy timeout: an error in bounded time, and all is well after."""
    async with store_of(file, clock) as store:
        holder = processes.start("hold", str(file))
        assert line(holder) == "held"

        with pytest.raises(StoreUnavailable, match="locked"):
            await store.accept(arrival("event-1"))

        holder.communicate()
        assert await store.accept(arrival("event-1")) is Accepted.ACCEPTED


async def test_locked_file_can_still_be_read(file: Path, clock: TurnedClock, processes: Processes) -> None:
    """Who writes does not stop who looks."""
    async with store_of(file, clock) as store:
        await store.accept(arrival("event-1"))
        holder = processes.start("hold", str(file))
        assert line(holder) == "held"

        assert (await store.stats()).inbox == 1

        holder.communicate()
