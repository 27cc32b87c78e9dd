"""verbs, from any event loop -> the one thread that owns the connection, and back.

Verbs that arrive while a transaction runs are executed together in the next one; nobody is answered before its commit.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Sequence
from typing import TypeVar

from linqbot.errors import StoreUnavailable
from linqbot.store.sqlite.address import Address
from linqbot.store.sqlite.bell import Bell
from linqbot.store.sqlite.connection import connect
from linqbot.store.sqlite.group import Answer, Call, Database, Verb
from linqbot.store.sqlite.transaction import Session

T = TypeVar("T")

_TOGETHER = 256
"""How many verbs share a transaction at the most, so that the first of them does not wait long."""


class Writer:
    """The thread of one database."""

    def __init__(self, address: Address) -> None:
        self.bell = Bell()
        self._address = address
        self._calls: queue.SimpleQueue[Call | None] = queue.SimpleQueue()
        self._gate = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name=f"linqbot-{address.name}", daemon=True)
        self._thread.start()

    async def call(self, verb: Verb[T], session: Session, *, writes: bool = True) -> T:
        """Run the verb in a transaction and give its result once that is committed.

        A caller that is cancelled takes back only its interest: the verb is run nonetheless. Raises `StoreUnavailable`
        when the database is locked, full, broken, gone or closed.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        with self._gate:
            if self._closed:
                raise StoreUnavailable(f"the store {self._address.name} is closed: enter it before use")
            self._calls.put(Call(verb=verb, session=session, writes=writes, loop=loop, future=future))
        return await future

    async def close(self) -> None:
        """Run what was asked for before, then close the connection and end the thread."""
        with self._gate:
            self._closed = True
            self._calls.put(None)
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        try:
            database = Database(connect(self._address), self._address.path)
        except Exception as error:  # noqa: BLE001  whatever it is, nobody may wait for an answer that never comes
            self._refuse(error)
            return
        try:
            while calls := self._next():
                for answers in database.execute(calls):
                    self._deliver(answers)
        finally:
            database.close()

    def _next(self) -> list[Call]:
        """All calls that wait, at least one; none when there will be no more."""
        first = self._calls.get()
        calls = [] if first is None else [first]
        with contextlib.suppress(queue.Empty):
            while calls and len(calls) < _TOGETHER:
                following = self._calls.get_nowait()
                if following is None:
                    self._calls.put(None)  # the end comes after what came before it
                    break
                calls.append(following)
        return calls

    def _refuse(self, error: Exception) -> None:
        while calls := self._next():
            self._deliver([Answer(call=call, error=error) for call in calls])

    def _deliver(self, answers: Sequence[Answer]) -> None:
        for answer in answers:
            self.bell.ring(answer.call.session.namespace, answer.ready)
        by_loop: dict[asyncio.AbstractEventLoop, list[Answer]] = {}
        for answer in answers:
            by_loop.setdefault(answer.call.loop, []).append(answer)
        for loop, theirs in by_loop.items():
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody awaits the answers any more
                loop.call_soon_threadsafe(_hand_over, theirs)


def _hand_over(answers: Sequence[Answer]) -> None:
    """In the event loop: answer those who still wait."""
    for answer in answers:
        future = answer.call.future
        if future.done():
            continue
        if answer.error is not None:
            future.set_exception(answer.error)
        else:
            future.set_result(answer.result)
