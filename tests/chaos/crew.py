"""roles -> processes that are hurt and replaced. The supervisor of a chaos run, as a platform is one for its dynos."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import replace
from multiprocessing.process import BaseProcess
from typing import Any

from tests.chaos.bot import Role, perform
from tests.chaos.hands import Struck
from tests.chaos.trouble import Blow, Hurt
from tests.faults.stage import FORK
from tests.ports import free_port

_LOOK_S = 0.02
_STANDSTILL_S = 0.3
"""After so long without a look the machine is too busy for heartbeats, too."""

DRAIN_S = 30.0
"""A process that was told to stop must be gone by then."""


class Post:
    """One place to fill: a role, and the process that plays it now."""

    def __init__(self, role: Role) -> None:
        self.role = role
        self.process: BaseProcess | None = None
        self.frozen = False
        self.leaving = False
        """Told to stop; its successor waits because both would need one port."""

    @property
    def can_be_hurt(self) -> bool:
        """Whether a process is there, up, and not in trouble already."""
        return self.process is not None and self.process.is_alive() and not self.frozen and not self.leaving

    def signal(self, number: int) -> None:
        """Send a signal, to nobody if nobody is there."""
        if self.process is not None and self.process.pid is not None and self.process.is_alive():
            with suppress(ProcessLookupError):
                os.kill(self.process.pid, number)


class Crew:
    """The bot processes of a run; `supervise` replaces whoever has died."""

    def __init__(self, roles: list[Role], *, share_a_file: bool = False) -> None:
        self._share_a_file = share_a_file
        """Whether one that is frozen may keep the others from the store, as a writer of an SQLite file does."""
        self.posts = [Post(role) for role in roles]
        self.counts: Counter[str] = Counter()
        """Blows by kind and by target, processes that died unasked (`died`), and that did not leave (`stuck`)."""
        self.struck: list[Struck] = []
        """The blows after which a lease may end without a word."""
        self._leavers: list[BaseProcess] = []
        self._all: list[BaseProcess] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._expected: set[BaseProcess] = set()

    def start(self, post: Post) -> None:
        """Put a new process on a post; a worker gets another port, for its predecessor may still be there."""
        role = post.role if post.role.only != "worker" else replace(post.role, port=free_port())
        post.process = FORK.Process(target=perform, args=(role,), daemon=True)
        post.process.start()
        self._all.append(post.process)

    async def supervise(self) -> None:
        """Fill every empty post, for ever; when the machine stood still, that hit everybody."""
        looked_s = time.time()
        while True:
            if (now_s := time.time()) > looked_s + _STANDSTILL_S:
                self.struck.append(Struck(pid=None, at_s=looked_s, lasts_s=now_s - looked_s))
            looked_s = now_s
            for post in self.posts:
                if post.process is None or not post.process.is_alive():
                    self._note_death(post)
                    self.start(post)
            await asyncio.sleep(_LOOK_S)  # looking at other processes: there is no event to wait for

    def hurt(self, hurt: Hurt) -> None:
        """Strike one of those who can be hurt."""
        able = [post for post in self.posts if post.can_be_hurt]
        if not able:
            return
        post = able[int(hurt.target * len(able))]
        self.counts[hurt.blow] += 1
        self.counts[f"{hurt.blow} {post.role.only}"] += 1
        match hurt.blow:
            case Blow.KILL:
                self._expect(post)
                self._strike(post)
                post.signal(signal.SIGKILL)
            case Blow.FREEZE:
                self._strike(post, hurt.lasts_s)
                self._spawn(self._freeze(post, hurt.lasts_s))
            case Blow.TERM:
                self._terminate(post)

    def thaw(self) -> None:
        """Wake whoever is frozen."""
        for post in self.posts:
            if post.frozen:
                post.signal(signal.SIGCONT)
                post.frozen = False

    async def all_left(self, tick: Callable[[], None]) -> None:
        """Wait for those who were told to stop; who does not go is counted as stuck."""
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_S):
                while any(one.is_alive() for one in self._leavers):
                    tick()
                    await asyncio.sleep(_LOOK_S)
        self.counts["stuck"] += sum(one.is_alive() for one in self._leavers)

    async def dismiss(self) -> None:
        """End every process that was ever started."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for process in self._all:
            process.kill()
        for process in self._all:
            await asyncio.to_thread(process.join)

    async def _freeze(self, post: Post, seconds: float) -> None:
        post.frozen = True
        post.signal(signal.SIGSTOP)
        await asyncio.sleep(seconds)
        post.signal(signal.SIGCONT)
        post.frozen = False

    def _terminate(self, post: Post) -> None:
        self._expect(post)
        post.signal(signal.SIGTERM)
        assert post.process is not None
        self._leavers.append(post.process)
        if post.role.only == "worker":
            self.start(post)
        else:
            post.leaving = True

    def _strike(self, post: Post, lasts_s: float = 0.0) -> None:
        assert post.process is not None
        everybody = lasts_s and self._share_a_file
        self.struck.append(Struck(pid=None if everybody else post.process.pid, at_s=time.time(), lasts_s=lasts_s))

    def _expect(self, post: Post) -> None:
        assert post.process is not None
        self._expected.add(post.process)

    def _note_death(self, post: Post) -> None:
        post.leaving = False
        if post.process is not None and post.process not in self._expected:
            self.counts["died"] += 1

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
