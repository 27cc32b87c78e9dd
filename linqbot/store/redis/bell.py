"""a lane became ready, here or in another process -> whoever waits for that side wakes.

Within the process a bell is rung at once: when a call that will make a lane ready is on its way, a waiter's look travels
right behind it and is answered in the same round trip. No other process is woken for what somebody here will take: who
waits, or who is just looking and hears of it then; if they do not come back, it is passed on after a moment. From other
processes a wake-up comes through a short list in Redis, on which one connection per side blocks, and only while
somebody waits.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from redis.asyncio import Redis
from redis.exceptions import RedisError

from linqbot.store.redis.connection import BLOCK_S

PASS_ON_S = 0.05
"""How long a lane for which no other process was woken waits for somebody here to look, before one is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What a call found on its way out."""

    takers: int
    """How many wait here whom no other call under way is all but sure to wake, and how many are looking."""
    waiters: int
    """Those of them who wait."""
    early: bool
    """Whether the call is all but sure to wake one."""
    looks: int
    """How many looks had begun."""


class Bell:
    """The waiters of one side. A ring that finds nobody waits for the next."""

    def __init__(self, client: Redis, key: str, *, give_back: Callable[[], Coroutine[None, None, None]]) -> None:
        self._client = client
        self._key = key
        self._give_back = give_back
        self._waiters: deque[asyncio.Future[None]] = deque()
        self._claimed = 0
        self._looks = 0
        self._looking = 0
        self._rung = False
        self._owed: asyncio.TimerHandle | None = None
        """Set while nobody heard a ring for which no other process was woken."""
        self._passing: set[asyncio.Task[None]] = set()
        self._listener: asyncio.Task[None] | None = None

    def ring(self, times: int, *, alone: bool = False) -> None:
        """Wake that many waiters. `alone`: no other process was woken for it, so it is passed on if nobody hears it."""
        for _ in range(times):
            if not self._wake_one():
                self._rung = True
                if alone and self._owed is None:
                    self._owed = asyncio.get_running_loop().call_later(PASS_ON_S, self._pass_on)
                return

    def claim(self, *, early: bool = False, looks: bool = False) -> Claim:
        """A call is on its way: it may wake those who wait here, and other processes need not be woken in their place.
        `early`: it is all but sure to make a lane ready, so one of them may begin to look. `looks`: it is a look itself.
        """
        waiters = max(len(self._waiters) - self._claimed, 0)
        if early:
            self._claimed += waiters
            if waiters:
                self._wake_one()
        return Claim(takers=waiters + self._looking - looks, waiters=waiters, early=early, looks=self._looks)

    def release(self, claim: Claim, times: int, *, in_order: bool) -> None:
        """The call is over and made so many lanes ready. Who began to look after it was sent has seen them, as long as the
        server got all calls in the order they were made.
        """
        if claim.early:
            self._claimed -= claim.waiters
        if not in_order or self._looks == claim.looks:
            self.ring(times, alone=claim.takers > 0)

    @contextmanager
    def looking(self) -> Iterator[None]:
        """Somebody looks now: forget a ring that nobody heard."""
        self._looks += 1
        self._looking += 1
        self._heard()
        try:
            yield
        finally:
            self._looking -= 1

    async def wait(self, seconds: float) -> None:
        """Return when rung, or after that time."""
        if self._heard():
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        if self._listener is None or self._listener.done():
            self._listener = asyncio.get_running_loop().create_task(self._listen())
        alarm = asyncio.get_running_loop().call_later(seconds, self._let_go, waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            if not waiter.cancelled():
                self.ring(1, alone=True)
            raise
        finally:
            alarm.cancel()
            self._let_go(waiter)

    async def close(self) -> None:
        """Wake everybody, pass on what is owed, and stop listening."""
        owed = self._owed is not None
        self._heard()
        self.ring(len(self._waiters))
        if owed:
            await self._give_back()
        if self._passing:
            await asyncio.wait(self._passing)
        while self._listener is not None and not self._listener.done():
            # redis-py swallows a cancellation that comes while it connects, so once may not be enough.
            self._listener.cancel()
            await asyncio.wait([self._listener], timeout=0.05)

    def _heard(self) -> bool:
        """Whether there was a ring that nobody had heard."""
        rung, self._rung = self._rung, False
        if self._owed is not None:
            self._owed.cancel()
            self._owed = None
        return rung

    def _pass_on(self) -> None:
        self._owed = None
        task = asyncio.get_running_loop().create_task(self._give_back())
        self._passing.add(task)
        task.add_done_callback(self._passing.discard)

    def _wake_one(self) -> bool:
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return True
        return False

    def _let_go(self, waiter: asyncio.Future[None]) -> None:
        """It waits no more, whatever ended that."""
        with suppress(ValueError):
            self._waiters.remove(waiter)
        if not waiter.done():
            waiter.set_result(None)

    async def _listen(self) -> None:
        """Take wake-ups while anybody waits. A connection that fails ends it: waiters have their time-out, the next one
        tries again.
        """
        while self._waiters:
            try:
                token = await self._client.blpop([self._key], timeout=BLOCK_S)
            except (RedisError, OSError):
                return
            if token is not None and not self._wake_one():
                await self._give_back()
