"""What a station makes of its heartbeat's answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from structlog.testing import capture_logs

from linqbot.engine.holder import Holder
from linqbot.errors import StoreUnavailable
from linqbot.records import Arrival, Commit, InboxItem, Lease, Leases, Limits, Side
from linqbot.store.base import Store
from linqbot.store.open import open_store
from linqbot.testing import TurnedClock

LIMITS = Limits(lease_ms=30_000)
EVENT = Arrival(item=InboxItem(event_id="e1", lane="chat:c", type="message.received", body=b"{}"))
OTHER = Arrival(item=InboxItem(event_id="e2", lane="chat:d", type="message.received", body=b"{}"))
SOON_S = 5.0


class BeatTold:
    """A store that tells when a heartbeat was answered, and may hold one back."""

    def __init__(self, inner: Store) -> None:
        self._inner = inner
        self.told = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()

    def __getattr__(self, name: str) -> object:
        return getattr(self._inner, name)

    async def beat(self, side: Side, held: Sequence[tuple[str, str]]) -> frozenset[str]:
        """As the store does."""
        await self.gate.wait()
        lost = await self._inner.beat(side, held)
        self.told.set()
        return lost


class Turn:
    """The work of one lane: commits, or does not, and hears of it late."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.begun = asyncio.Event()
        self.goes_on = asyncio.Event()
        self.over = asyncio.Event()
        self.ended = "no"
        self.commits = True

    async def __call__(self, lease: Lease) -> None:
        """Work on a lane."""
        if self.commits:
            await self._store.commit(Commit(lane=lease.lane, token=lease.token, event_id="e1"))
        self.begun.set()
        try:
            await self.goes_on.wait()
            self.ended = "by itself"
        except asyncio.CancelledError:
            self.ended = "cancelled"
            raise
        finally:
            self.over.set()


@asynccontextmanager
async def one_lane_held(clock: TurnedClock, *, commits: bool) -> AsyncIterator[tuple[BeatTold, Turn]]:
    """A station with one lane in hand."""
    async with open_store("sqlite:///:memory:", clock=clock, limits=LIMITS) as store:
        turn, told = Turn(store), BeatTold(store)
        turn.commits = commits
        await store.accept(EVENT)
        holder = Holder(
            told,  # type: ignore[arg-type]  # stands in for a store by attribute
            Side.IN,
            turn,
            clock=clock,
            hands=1,
            lease_ms=LIMITS.lease_ms,
            cancel_lost=True,
        )
        running = asyncio.create_task(holder.run())
        try:
            async with asyncio.timeout(SOON_S):
                await turn.begun.wait()
                yield told, turn
        finally:
            turn.goes_on.set()
            holder.stop()
            await running


async def test_a_lane_that_its_own_turn_just_ended_is_not_called_lost(clock: TurnedClock) -> None:
    """The heartbeat may see the lane ended before the turn has the answer to its commit: nobody else has the chat, the turn
    is not cancelled and nothing alarming is logged."""
    with capture_logs() as logs:
        async with one_lane_held(clock, commits=True) as (store, turn):
            clock.advance(milliseconds=LIMITS.lease_ms // 3)
            await store.told.wait()
            turn.goes_on.set()

    assert turn.ended == "by itself"
    assert [entry["event"] for entry in logs if entry["log_level"] == "warning"] == []


async def test_the_turn_of_a_lane_that_another_process_has_is_cancelled(clock: TurnedClock) -> None:
    """A lease that ran out and was taken over ends the turn here; its commit would be refused anyhow."""
    with capture_logs() as logs:
        async with one_lane_held(clock, commits=False) as (store, turn):
            store.gate.clear()
            clock.advance(milliseconds=LIMITS.lease_ms + 1)
            await store.lease(Side.IN, ["another"])  # type: ignore[operator]  # the real store's
            store.gate.set()
            await turn.over.wait()

    assert turn.ended == "cancelled"
    assert "lane lost to another process" in [entry["event"] for entry in logs]


class Line:
    """The way to a store: it may be cut, and tells of each look at the lanes."""

    def __init__(self, inner: Store) -> None:
        self._inner = inner
        self.cut = False
        self.looked = asyncio.Event()
        self.took: Callable[[], None] = lambda: None
        self.answers = asyncio.Event()
        self.answers.set()
        self.taken = asyncio.Event()
        self.pulse = asyncio.Event()
        self.pulse.set()
        self.beats: asyncio.Queue[None] = asyncio.Queue()

    def __getattr__(self, name: str) -> object:
        return getattr(self._inner, name)

    async def beat(self, side: Side, held: Sequence[tuple[str, str]]) -> frozenset[str]:
        """As the store does."""
        self.beats.put_nowait(None)
        await self.pulse.wait()
        self._check()
        return await self._inner.beat(side, held)

    async def lease(self, side: Side, tokens: Sequence[str], *, take: int = 1) -> Leases:
        """As the store does; the answer may be long on its way."""
        self._check()
        leases = await self._inner.lease(side, tokens, take=take)
        if leases.taken:
            self.taken.set()
            self.took()
        await self.answers.wait()
        self.looked.set()
        return leases

    def _check(self) -> None:
        if self.cut:
            raise StoreUnavailable("the line is cut")


class Runs:
    """Work that goes on until it is told to end; counts how often it began and how it ended."""

    def __init__(self) -> None:
        self.begun = 0
        self.cancelled = 0
        self.may_end = asyncio.Event()

    async def __call__(self, _lease: Lease) -> None:
        """Work on a lane."""
        self.begun += 1
        try:
            await self.may_end.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise


@asynccontextmanager
async def station(clock: TurnedClock) -> AsyncIterator[tuple[Line, Runs, Holder]]:
    """A station that has nothing to do yet."""
    async with open_store("sqlite:///:memory:", clock=clock, limits=LIMITS) as store:
        runs, line = Runs(), Line(store)
        holder = Holder(
            line,  # type: ignore[arg-type]  # stands in for a store by attribute
            Side.IN,
            runs,
            clock=clock,
            hands=2,
            lease_ms=LIMITS.lease_ms,
            cancel_lost=True,
        )
        running = asyncio.create_task(holder.run())
        try:
            async with asyncio.timeout(SOON_S):
                yield line, runs, holder
        finally:
            runs.may_end.set()
            holder.stop()
            await running


async def test_a_lane_whose_lease_ran_out_while_the_store_was_away_is_not_taken_twice(clock: TurnedClock) -> None:
    """Who comes back first renews what it holds and then looks for more: the turn goes on, alone."""
    async with station(clock) as (line, runs, holder):
        await line.accept(EVENT)  # type: ignore[operator]  # the real store's
        await line.taken.wait()
        line.cut = True
        clock.advance(milliseconds=LIMITS.lease_ms + 1)
        await line.beats.get()  # in vain
        line.looked.clear()
        line.cut = False
        holder.look_again()
        await line.looked.wait()
        clock.advance(milliseconds=LIMITS.lease_ms // 3)
        await line.beats.get()
        await line.stats()  # type: ignore[operator]  # by now the beat was answered

        assert (runs.begun, runs.cancelled) == (1, 0)


async def test_who_is_told_to_stop_while_it_renews_takes_nothing_more(clock: TurnedClock) -> None:
    """The look that would follow comes too late: whoever waits for the end would not wait for what it brings."""
    async with station(clock) as (line, runs, holder):
        await line.accept(EVENT)  # type: ignore[operator]  # the real store's
        await line.taken.wait()
        line.pulse.clear()
        clock.advance(milliseconds=LIMITS.lease_ms - 1)
        for _ in ("the heartbeat", "the look"):
            await line.beats.get()
        await line.accept(OTHER)  # type: ignore[operator]  # the real store's
        holder.stop()
        line.pulse.set()

    assert runs.begun == 1


async def test_what_was_asked_for_while_leaving_is_given_back(clock: TurnedClock) -> None:
    """A look whose answer comes when the process leaves already starts nothing and keeps no chat until its lease ends."""
    async with station(clock) as (line, runs, holder):
        line.answers.clear()
        await line.accept(EVENT)  # type: ignore[operator]  # the real store's
        await line.taken.wait()
        leaving = asyncio.create_task(holder.give_back())
        await asyncio.sleep(0)
        line.answers.set()
        await leaving

        (taken,) = (await line.lease(Side.IN, ["another"])).taken
        assert (taken.stalls, runs.begun) == (0, 0)


async def test_what_was_just_taken_when_the_process_leaves_is_given_back(clock: TurnedClock) -> None:
    """Also before its turn took its first step."""
    async with station(clock) as (line, _, holder):
        leaving: list[asyncio.Task[None]] = []
        line.took = lambda: leaving.append(asyncio.create_task(holder.give_back()))
        await line.accept(EVENT)  # type: ignore[operator]  # the real store's
        await line.taken.wait()
        await leaving[0]

        (taken,) = (await line.lease(Side.IN, ["another"])).taken
        assert taken.stalls == 0
