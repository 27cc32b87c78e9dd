"""What a station makes of its heartbeat's answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from structlog.testing import capture_logs

from linqbot.engine.holder import Holder
from linqbot.records import Arrival, Commit, InboxItem, Lease, Limits, Side
from linqbot.store.base import Store
from linqbot.store.open import open_store
from linqbot.testing import TurnedClock

LIMITS = Limits(lease_ms=30_000)
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
        await store.accept(Arrival(item=InboxItem(event_id="e1", lane="chat:c", type="message.received", body=b"{}")))
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
