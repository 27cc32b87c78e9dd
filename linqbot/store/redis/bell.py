"""a lane became ready, here or in another process -> whoever waits for that side wakes.

Within the process a bell is rung at once, and no other process is woken for what somebody here will take. From other
processes a wake-up comes through a short list in Redis, on which one connection per side blocks, and only while somebody
waits.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from redis.asyncio import Redis
from redis.exceptions import RedisError

from linqbot.store.redis.connection import BLOCK_S


class Bell:
    """The waiters of one side. A ring that finds nobody waits for the next."""

    def __init__(self, client: Redis, key: str, *, give_back: Callable[[], Awaitable[None]]) -> None:
        self._client = client
        self._key = key
        self._give_back = give_back
        self._waiters: deque[asyncio.Future[None]] = deque()
        self._claimed = 0
        self._rung = False
        self._listener: asyncio.Task[None] | None = None

    def ring(self, times: int) -> None:
        """Wake that many waiters."""
        for _ in range(times):
            if not self._wake_one():
                self._rung = True
                return

    def claim(self) -> int:
        """How many wait here that no call under way will perhaps wake: the next one may, and other processes need not be
        woken in their place.
        """
        free = max(len(self._waiters) - self._claimed, 0)
        self._claimed += free
        return free

    def release(self, claimed: int, times: int) -> None:
        """The call that claimed waiters is over: wake as many as it says."""
        self._claimed -= claimed
        self.ring(times)

    def hush(self) -> None:
        """Forget a ring that nobody heard: somebody is about to look anyway."""
        self._rung = False

    async def wait(self, seconds: float) -> None:
        """Return when rung, or after that time."""
        if self._rung:
            self._rung = False
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        if self._listener is None or self._listener.done():
            self._listener = asyncio.get_running_loop().create_task(self._listen())
        try:
            await asyncio.wait([waiter], timeout=seconds)
        except asyncio.CancelledError:
            if waiter.done():
                self.ring(1)
            raise
        finally:
            if not waiter.done():
                self._waiters.remove(waiter)

    async def close(self) -> None:
        """Wake everybody and stop listening."""
        self.ring(len(self._waiters))
        while self._listener is not None and not self._listener.done():
            # redis-py swallows a cancellation that comes while it connects, so once may not be enough.
            self._listener.cancel()
            await asyncio.wait([self._listener], timeout=0.05)

    def _wake_one(self) -> bool:
        if not self._waiters:
            return False
        self._waiters.popleft().set_result(None)
        return True

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
