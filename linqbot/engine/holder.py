"""Ready lanes -> held lanes. Takes lanes of one side, keeps them alive by a heartbeat, runs one task for each.

What worker and dispatcher have in common: neither polls, neither holds more than it has hands for, both survive a store
that is away, and both give back what they hold when they are told to leave.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any

import structlog

from linqbot.clock import Clock
from linqbot.engine.patience import pause_s
from linqbot.errors import StoreError
from linqbot.ids import TokenSource, random_token
from linqbot.records import Lease, Leases, Side
from linqbot.store.base import Lanes

_AT_FIRST, _AT_ONCE = 2, 16
"""How many lanes a look asks for after one that found less than it asked for, and at most: each one asked for in vain makes
a look dearer, so only looks that find all they ask for grow.
"""

_LONGEST_REST_S = 5.0
_LONGEST_ANSWER_S = 0.25
"""How long the answer to a task's last call may be on its way after the heartbeat's came."""
_LAST_LOOK_S = 1.0
"""How long who leaves waits for the answer to a look, to give back what it brings."""


class Holder:
    """Holds up to `hands` lanes of one side at once and runs `work` for each lease; `work` ends the lease itself.

    A lease holds up to `take` events. A lane that somebody else took over has its task cancelled if `cancel_lost`;
    otherwise the task is left to find out.
    """

    def __init__(  # noqa: PLR0913  # all by keyword: what one station needs to differ from the other
        self,
        store: Lanes,
        side: Side,
        work: Callable[[Lease], Coroutine[Any, Any, None]],
        *,
        clock: Clock,
        hands: int,
        lease_ms: int,
        cancel_lost: bool,
        take: int = 1,
        tokens: TokenSource = random_token,
    ) -> None:
        self._store = store
        self._side = side
        self._work = work
        self._clock = clock
        self._hands = hands
        self._lease_ms = lease_ms
        self._cancel_lost = cancel_lost
        self._take = take
        self._tokens = tokens
        self._held: dict[asyncio.Task[None], Lease] = {}
        self._newest: dict[str, asyncio.Task[None]] = {}
        """Of each lane the task that holds it; an earlier one has ended its lease, or lost it."""
        self._beaten_ms = clock.now_ms()
        self._looking = asyncio.Lock()
        self._hand_free = asyncio.Event()
        self._look = False
        self._rest_ends: asyncio.Timeout | None = None
        self._stopping = asyncio.Event()
        self._asked: tuple[str, ...] = ()
        self._asks = _AT_FIRST
        self._finishing = False
        self._giving_back = False
        self._resting = False
        self._log = structlog.get_logger(f"linqbot.{side.value}")

    @property
    def busy(self) -> int:
        """How many lanes are held."""
        return len(self._held)

    @property
    def idle(self) -> bool:
        """Whether nothing is held and the last look at the store found nothing to take."""
        return self.idle_but_for(0)

    def idle_but_for(self, waiting: int) -> bool:
        """Whether so many of the held lanes are all there is, and no more can be taken now."""
        return self._resting and len(self._held) == waiting

    async def run(self) -> None:
        """Take lanes until `stop`, then wait for the last task; whatever the store does, it does not end by itself.

        Cancelling it gives nothing back: whoever does that is no orderly leaving, and the leases run out.
        """
        beating = asyncio.create_task(self._beat(), name=f"linqbot-{self._side}-beat")
        try:
            await self._take_until_stopped()
            await self._until_empty()
        finally:
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)

    def stop(self) -> None:
        """Take no more lanes; what is held goes on to its end, and `run` returns after the last."""
        self._stopping.set()
        self.look_again()
        self._hand_free.set()

    def look_again(self) -> None:
        """Ask the store anew when the next thing falls due: a lane was just left to wait for a time."""
        self._look = True
        rest, self._rest_ends = self._rest_ends, None
        if rest is not None:
            rest.reschedule(0.0)  # long ago

    def finish(self) -> None:
        """Go on with what is ready, and stop when nothing is held and a look finds nothing."""
        self._finishing = True
        self.look_again()

    async def give_back(self) -> None:
        """Cancel all tasks and wait for them; each gives its lane back to the front of the queue, no attempt burnt."""
        self.stop()
        self._giving_back = True
        await asyncio.sleep(0)  # noqa: TID251  # one turn of the loop: cancelled before its first step a task gives nothing back
        for task in self._held:
            task.cancel()
        await self._until_empty()
        with suppress(TimeoutError):
            async with asyncio.timeout(_LAST_LOOK_S), self._looking:
                pass

    async def _until_empty(self) -> None:
        while self._held:
            await asyncio.wait(list(self._held))

    async def _take_until_stopped(self) -> None:
        troubles = 0
        while not self._stopping.is_set():
            try:
                await self._take_or_rest()
                troubles = 0
            except StoreError as error:
                if self._finishing and not self._held:
                    return  # nothing can be seen to be ready, and nothing is lost by leaving
                rest_s = pause_s(troubles)
                troubles += 1
                self._log.warning("store unavailable", side=self._side.value, error=str(error), pause_s=rest_s)
                with suppress(TimeoutError):  # real time: the store is away, not its clock
                    async with asyncio.timeout(rest_s):
                        await self._stopping.wait()

    async def _take_or_rest(self) -> None:
        free = self._hands - len(self._held)
        if free <= 0:
            await self._until_hand_free()
            return
        self._look = False
        if self._held and self._clock.now_ms() - self._beaten_ms > self._lease_ms * 2 / 3:
            await self._renew()  # or what ran out meanwhile would be taken once more, by its own holder
            if self._stopping.is_set():
                return
        async with self._looking:
            asked, leases = await self._lease(min(free, self._asks))
            await self._begin(leases.taken)
        if len(leases.taken) == asked:
            self._asks = min(self._asks * 2, _AT_ONCE)
            return
        self._asks = _AT_FIRST
        if self._finishing and not self._held:
            self.stop()
            return
        await self._rest(leases.next_ms)

    async def _until_hand_free(self) -> None:
        self._hand_free.clear()
        self._resting = True
        try:
            await self._hand_free.wait()
        finally:
            self._resting = False

    async def _lease(self, most: int) -> tuple[int, Leases]:
        """Ask for lanes; how many were asked for, and what came. After a call whose answer was lost the same tokens ask
        again, and what they took is given again.
        """
        self._asked = self._asked or tuple(self._tokens() for _ in range(most))
        asked, leases = self._asked, await self._store.lease(self._side, self._asked, take=self._take)
        self._asked = ()
        return len(asked), leases

    async def _rest(self, next_ms: int | None) -> None:
        """Wait for a ring, in this very task: it then looks in the same turn of the event loop as whoever rang, and on
        Redis both calls travel together.
        """
        rest_s = _LONGEST_REST_S if next_ms is None else min(max(next_ms / 1000, 0.001), _LONGEST_REST_S)
        alarm = self._clock.alarm(rest_s, self.look_again)
        self._resting = True
        try:
            async with asyncio.timeout(None) as self._rest_ends:
                if not self._look:
                    await self._store.wait(self._side, int(_LONGEST_REST_S * 1000))
        except TimeoutError:  # `look_again`
            pass
        finally:
            self._resting, self._rest_ends = False, None
            alarm.cancel()

    async def _begin(self, taken: Sequence[Lease]) -> None:
        for lease in taken:
            if self._giving_back:
                await self._release(lease)
            else:
                self._start(lease)

    def _start(self, lease: Lease) -> None:
        task = asyncio.create_task(self._work_safely(lease), name=f"linqbot-{lease.side}-{lease.lane}")
        self._held[task] = lease
        self._newest[lease.lane] = task
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        lane = self._held.pop(task).lane
        if self._newest.get(lane) is task:
            del self._newest[lane]
        self._hand_free.set()
        if self._finishing:
            self.look_again()

    async def _work_safely(self, lease: Lease) -> None:
        """Run the work; if it is cancelled to give its lane back, nothing waits for the lease to run out. Cancelled by
        anybody else it takes part in a disorderly end, which perhaps it caused: the lease runs out, and that is counted.
        """
        try:
            await self._work(lease)
        except asyncio.CancelledError:
            if self._giving_back:
                await self._release(lease)
        except Exception:  # noqa: BLE001  # a bug on one lane must not stop the others; it is logged whole
            self._log.exception("station broke on a lane, its lease runs out", chat_id=lease.chat_id)

    async def _release(self, lease: Lease) -> None:
        try:
            await self._store.release(self._side, lease.lane, lease.token)
        except StoreError:
            self._log.warning("lane not given back, the lease runs out", chat_id=lease.chat_id)

    async def _beat(self) -> None:
        while True:
            await self._clock.sleep(self._lease_ms / 3000)
            try:
                await self._renew()
            except StoreError as error:
                self._log.warning("heartbeat failed", side=self._side.value, error=str(error))
            except Exception:  # noqa: BLE001  # a bug met once must not end all later beats; it is logged whole
                self._log.exception("heartbeat broke, the next one may do", side=self._side.value)

    async def _renew(self) -> None:
        """Renew what is held; what is not any more is let go of. Raises what the store raises."""
        now_ms, held, newest = self._clock.now_ms(), dict(self._held), dict(self._newest)
        lost: frozenset[str] = frozenset()
        if held:
            lost = await self._store.beat(self._side, [(lane, held[task].token) for lane, task in newest.items()])
        self._beaten_ms = now_ms
        await self._drop(
            [task for task, lease in held.items() if lease.lane in lost or newest.get(lease.lane) is not task]
        )

    async def _drop(self, tasks: list[asyncio.Task[None]]) -> None:
        """Tasks that hold their lane no more. Most have just ended the lease themselves and are about to hear of it: they
        end by themselves in a moment; the lanes of the others were lost.
        """
        if tasks:
            await asyncio.wait(tasks, timeout=min(_LONGEST_ANSWER_S, self._lease_ms / 30_000))
        for task in tasks:
            if (lease := self._held.get(task)) is not None:
                self._log.warning("lane lost to another process", chat_id=lease.chat_id)
                if self._cancel_lost:
                    task.cancel()
