"""an address -> a Store in one SQLite file, shared by all stores and processes that name it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Self, TypeVar

from linqbot.clock import Clock
from linqbot.errors import StoreUnavailable
from linqbot.records import (
    Accepted,
    Arrival,
    Commit,
    Committed,
    DeadLetter,
    Durability,
    Fact,
    Leases,
    Limits,
    OutboxItem,
    Outcome,
    SentRecord,
    Side,
    StateCell,
    Stats,
)
from linqbot.store.sqlite import desk, holding, inbox, knowledge, leasing, letters, outbox, repair, sharing
from linqbot.store.sqlite.address import parse
from linqbot.store.sqlite.group import Verb
from linqbot.store.sqlite.storetime import StoreTime
from linqbot.store.sqlite.transaction import Session
from linqbot.store.sqlite.writer import Writer

T = TypeVar("T")


class SqliteStore:
    """The store behind `sqlite:///…`; the contract is `linqbot.store.base.Store`.

    `look_ms` is how often a waiter looks for what other processes did.
    """

    def __init__(self, url: str, *, clock: Clock, namespace: str, limits: Limits, look_ms: int = 250) -> None:
        self._address = parse(url)
        self._session = Session(namespace=namespace, limits=limits, time=StoreTime(clock))
        self._look_s = look_ms / 1_000
        self._writer: Writer | None = None

    async def __aenter__(self) -> Self:
        self._writer = sharing.join(self._address)
        try:
            await self.ping()
        except BaseException:
            await self.__aexit__(None, None, None)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writer is not None:
            self._writer = None
            await asyncio.shield(asyncio.ensure_future(sharing.part(self._address)))

    async def accept(self, arrival: Arrival) -> Accepted:
        """See `linqbot.store.base.Inbox.accept`."""
        return await self._write(lambda tx: inbox.accept(tx, arrival))

    async def bury(self, letter: DeadLetter) -> None:
        """See `linqbot.store.base.Inbox.bury`."""
        await self._write(lambda tx: letters.bury(tx, letter))

    async def lease(self, side: Side, tokens: Sequence[str], *, take: int = 1) -> Leases:
        """See `linqbot.store.base.Lanes.lease`."""
        return await self._write(lambda tx: leasing.lease(tx, side, tokens, take))

    async def beat(self, side: Side, held: Sequence[tuple[str, str]]) -> frozenset[str]:
        """See `linqbot.store.base.Lanes.beat`."""
        return await self._write(lambda tx: holding.beat(tx, side, held))

    async def release(self, side: Side, lane: str, token: str) -> bool:
        """See `linqbot.store.base.Lanes.release`."""
        return await self._write(lambda tx: holding.release(tx, side, lane, token))

    async def retry(self, lane: str, token: str, *, delay_ms: int) -> bool:
        """See `linqbot.store.base.Lanes.retry`."""
        return await self._write(lambda tx: holding.retry(tx, lane, token, delay_ms))

    async def wait(self, side: Side, timeout_ms: int) -> None:
        """See `linqbot.store.base.Lanes.wait`."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_ms / 1_000):
                await self._wait(side)

    async def commit(self, commit: Commit) -> Committed:
        """See `linqbot.store.base.Desk.commit`."""
        return await self._write(lambda tx: desk.commit(tx, commit))

    async def note(self, lane: str, token: str, name: str, value: bytes) -> bytes | None:
        """See `linqbot.store.base.Desk.note`."""
        return await self._write(lambda tx: desk.note(tx, lane, token, name, value))

    async def load(self, keys: Iterable[str]) -> Mapping[str, StateCell]:
        """See `linqbot.store.base.Desk.load`."""
        wanted = list(keys)
        return await self._read(lambda tx: desk.load(tx, wanted))

    async def post(self, items: Sequence[OutboxItem]) -> Accepted:
        """See `linqbot.store.base.Outbox.post`."""
        return await self._write(lambda tx: outbox.post(tx, items))

    async def settle(self, lane: str, token: str, outcome: Outcome) -> bool:
        """See `linqbot.store.base.Outbox.settle`."""
        return await self._write(lambda tx: outbox.settle(tx, lane, token, outcome))

    async def sent(self, message_id: str) -> SentRecord | None:
        """See `linqbot.store.base.Outbox.sent`."""
        return await self._read(lambda tx: outbox.sent(tx, message_id))

    async def learn(self, facts: Sequence[Fact]) -> None:
        """See `linqbot.store.base.Knowledge.learn`."""
        await self._write(lambda tx: knowledge.learn(tx, facts))

    async def facts(self, keys: Iterable[str]) -> Mapping[str, Fact]:
        """See `linqbot.store.base.Knowledge.facts`."""
        wanted = list(keys)
        return await self._read(lambda tx: knowledge.facts(tx, wanted))

    async def dead(self, limit: int = 50) -> Sequence[DeadLetter]:
        """See `linqbot.store.base.Keeper.dead`."""
        return await self._read(lambda tx: letters.dead(tx, max(limit, 0)))

    async def drop(self, kind: str, letter_id: str) -> bool:
        """See `linqbot.store.base.Keeper.drop`."""
        return await self._write(lambda tx: letters.drop(tx, kind, letter_id))

    async def stats(self) -> Stats:
        """See `linqbot.store.base.Keeper.stats`."""
        return await self._read(repair.stats)

    async def sweep(self) -> int:
        """See `linqbot.store.base.Keeper.sweep`."""
        return await self._write(repair.sweep)

    async def ping(self) -> None:
        """See `linqbot.store.base.Keeper.ping`."""
        await self._write(repair.touch)

    async def durability(self) -> Durability:
        """See `linqbot.store.base.Keeper.durability`."""
        return await self._read(repair.durability)

    async def _write(self, verb: Verb[T]) -> T:
        return await self._open().call(verb, self._session)

    async def _read(self, verb: Verb[T]) -> T:
        return await self._open().call(verb, self._session, writes=False)

    async def _wait(self, side: Side) -> None:
        """Until a ring in this process, or until a look finds what another process or the time has brought."""
        with self._open().bell.listening(self._session.namespace, side) as rung:
            while not await self._read(lambda tx: leasing.promising(tx, side)):
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._look_s):
                        await rung.wait()
                        return

    def _open(self) -> Writer:
        if self._writer is None:
            raise StoreUnavailable(f"the store {self._address.name} is closed: enter it before use")
        return self._writer
