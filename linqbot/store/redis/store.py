"""the verbs of `Store` -> one Lua script each, on Redis 6.2 or later, or Valkey."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from types import TracebackType
from typing import Any, Self

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from linqbot.clock import Clock
from linqbot.errors import ConfigurationError, LayoutError, StoreError
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
from linqbot.store.redis import entries
from linqbot.store.redis.bell import Bell
from linqbot.store.redis.connection import BLOCK_S, plain_client, script_wire, waiting_client
from linqbot.store.redis.faults import TLS_REMEDY, store_error, untrusted
from linqbot.store.redis.keys import LAYOUT, prefix
from linqbot.store.redis.line import Line
from linqbot.store.redis.scripts import load_scripts
from linqbot.store.redis.server import check_eviction, durability_of, read_configuration, refuses_login
from linqbot.store.redis.wire import Argument

_log = structlog.get_logger("linqbot.store")


class RedisStore:
    """A `Store` on a Redis server; several processes share it by the namespace.

    `url` is `redis://` or `rediss://`; `tls` is `verify`, `insecure` or the path of a CA file. Entering raises
    `ConfigurationError` for a server that evicts keys, refuses the password or has an untrusted certificate, `LayoutError`
    for a newer layout, `StoreUnavailable` when the server does not answer.
    """

    def __init__(self, url: str, *, clock: Clock, namespace: str, limits: Limits, tls: str = "verify") -> None:
        start = prefix(namespace)
        self._namespace = namespace
        self._limits = limits
        self._scripts = load_scripts(limits)
        self._client: Redis = plain_client(url, tls=tls)
        self._waiting: Redis = waiting_client(url, tls=tls)
        self._line = Line(partial(script_wire, url, tls=tls), meta=f"{start}meta", clock=clock)
        self._buckets = entries.bucket_count(limits.dedupe_capacity)
        self._bells = {side: self._bell(side, f"{start}{side.value}:wake") for side in Side}

    async def __aenter__(self) -> Self:
        try:
            await self._open()
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._close()

    # Inbox

    async def accept(self, arrival: Arrival) -> Accepted:
        """See `linqbot.store.base.Inbox.accept`."""
        early = None if arrival.item is None else Side.IN
        result = await self._call("accept", *entries.arrival_arguments(arrival, self._buckets), early=early)
        return Accepted(result.decode())

    async def bury(self, letter: DeadLetter) -> None:
        """See `linqbot.store.base.Inbox.bury`."""
        await self._call("bury", *entries.letter_arguments(letter))

    # Lanes

    async def lease(self, side: Side, tokens: Sequence[str], *, take: int = 1) -> Leases:
        """See `linqbot.store.base.Lanes.lease`."""
        with self._bells[side].looking():
            taken, next_ms = await self._call("lease", side.value, take, *tokens, looks=side)
        return Leases(
            taken=tuple(entries.lease_of(side, found) for found in taken),
            next_ms=None if next_ms < 0 else next_ms,
        )

    async def beat(self, side: Side, held: Sequence[tuple[str, str]]) -> frozenset[str]:
        """See `linqbot.store.base.Lanes.beat`."""
        if not held:
            return frozenset()
        lost = await self._call("beat", side.value, *(word for pair in held for word in pair))
        return frozenset(lane.decode() for lane in lost)

    async def release(self, side: Side, lane: str, token: str) -> bool:
        """See `linqbot.store.base.Lanes.release`."""
        return bool(await self._call("release", side.value, lane, token))

    async def retry(self, lane: str, token: str, *, delay_ms: int) -> bool:
        """See `linqbot.store.base.Lanes.retry`."""
        return bool(await self._call("retry", lane, token, delay_ms))

    async def wait(self, side: Side, timeout_ms: int) -> None:
        """See `linqbot.store.base.Lanes.wait`; it never waits longer than 5 s."""
        await self._bells[side].wait(min(timeout_ms / 1000, BLOCK_S))

    # Desk

    async def commit(self, commit: Commit) -> Committed:
        """See `linqbot.store.base.Desk.commit`."""
        early = Side.OUT if commit.replies else None
        result = await self._call("commit", *entries.commit_arguments(commit, self._buckets), early=early)
        return Committed(result.decode())

    async def note(self, lane: str, token: str, name: str, value: bytes) -> bytes | None:
        """See `linqbot.store.base.Desk.note`."""
        kept: bytes | None = await self._call("note", lane, token, name, value)
        return kept

    async def load(self, keys: Iterable[str]) -> Mapping[str, StateCell]:
        """See `linqbot.store.base.Desk.load`."""
        names = list(keys)
        if not names:
            return {}
        cells = await self._call("load", *names)
        return {name: entries.cell_of(cell) for name, cell in zip(names, cells, strict=True) if cell is not None}

    # Outbox

    async def post(self, items: Sequence[OutboxItem]) -> Accepted:
        """See `linqbot.store.base.Outbox.post`."""
        result = await self._call("post", *entries.post_arguments(items, self._buckets), early=Side.OUT)
        return Accepted(result.decode())

    async def settle(self, lane: str, token: str, outcome: Outcome) -> bool:
        """See `linqbot.store.base.Outbox.settle`."""
        return bool(await self._call("settle", lane, token, *entries.outcome_arguments(lane, outcome)))

    async def sent(self, message_id: str) -> SentRecord | None:
        """See `linqbot.store.base.Outbox.sent`."""
        record = await self._call("sent", message_id)
        return None if record is None else entries.sent_of(message_id, record)

    # Knowledge

    async def learn(self, facts: Sequence[Fact]) -> None:
        """See `linqbot.store.base.Knowledge.learn`."""
        if facts:
            await self._call("learn", *entries.fact_arguments(facts))

    async def facts(self, keys: Iterable[str]) -> Mapping[str, Fact]:
        """See `linqbot.store.base.Knowledge.facts`."""
        names = tuple(keys)
        return entries.facts_of(await self._call("facts", *names)) if names else {}

    # Keeper

    async def dead(self, limit: int = 50) -> Sequence[DeadLetter]:
        """See `linqbot.store.base.Keeper.dead`."""
        return [entries.letter_of(blob) for blob in await self._call("dead", limit)] if limit > 0 else []

    async def drop(self, kind: str, letter_id: str) -> bool:
        """See `linqbot.store.base.Keeper.drop`."""
        return bool(await self._call("drop", entries.letter_id(kind, letter_id)))

    async def stats(self) -> Stats:
        """See `linqbot.store.base.Keeper.stats`."""
        inbox, outbox, dead, timers = await self._call("stats")
        return Stats(inbox=inbox, outbox=outbox, dead=dead, timers=timers)

    async def sweep(self) -> int:
        """See `linqbot.store.base.Keeper.sweep`."""
        repairs: int = await self._call("sweep")
        if repairs:
            _log.warning("store repaired", namespace=self._namespace, repairs=repairs)
        return repairs

    async def ping(self) -> None:
        """See `linqbot.store.base.Keeper.ping`; also fails when the memory is full."""
        await self._call("ping")

    async def durability(self) -> Durability:
        """See `linqbot.store.base.Keeper.durability`."""
        try:
            return durability_of(await self._configuration())
        except (RedisError, OSError) as error:
            raise store_error(error, "durability") from error

    # Underneath

    async def _call(self, name: str, *arguments: Argument, early: Side | None = None, looks: Side | None = None) -> Any:
        """Run a verb. `early` is the side on which it is all but sure to make a lane ready, `looks` the one it looks at."""
        bell_in, bell_out = self._bells[Side.IN], self._bells[Side.OUT]
        claim_in = bell_in.claim(early=early is Side.IN, looks=looks is Side.IN)
        claim_out = bell_out.claim(early=early is Side.OUT, looks=looks is Side.OUT)
        here = claim_in.takers, claim_out.takers
        woken_in, woken_out = claim_in.waiters, claim_out.waiters  # without an answer all of them look
        detours = self._line.detours
        try:
            woken_in, woken_out, result = await self._line.call(self._scripts[name], *arguments, here=here)
        finally:
            in_order = detours == self._line.detours
            bell_in.release(claim_in, woken_in, in_order=in_order)
            bell_out.release(claim_out, woken_out, in_order=in_order)
        return result

    def _bell(self, side: Side, key: str) -> Bell:
        async def give_back() -> None:
            try:
                await self._line.call(self._scripts["ring"], side.value)
            except StoreError:
                _log.debug("wake-up lost", side=side.value)

        return Bell(self._waiting, key, give_back=give_back)

    async def _configuration(self) -> Mapping[str, str]:
        """Asked for seldom, so no connection is kept for it: small plans have few."""
        try:
            return await read_configuration(self._client)
        finally:
            await self._client.connection_pool.disconnect()

    async def _open(self) -> None:
        try:
            check_eviction(await self._configuration())
        except (RedisError, OSError) as error:
            if untrusted(error):
                raise ConfigurationError(TLS_REMEDY) from error
            if refuses_login(error):
                raise ConfigurationError("Redis refuses the user or password of the URL (REDIS_URL)") from error
            raise store_error(error, "open") from error
        layout, buckets = await self._call("open", LAYOUT, self._buckets)
        if layout > LAYOUT:
            raise LayoutError(
                f"the namespace {self._namespace!r} was written by a newer linqbot (layout {layout}, known is {LAYOUT}); "
                "upgrade linqbot, or choose another LINQBOT_NAMESPACE"
            )
        if buckets != self._buckets:
            _log.warning(
                "dedupe capacity stays as it was when the namespace was made", buckets=buckets, wanted=self._buckets
            )
            self._buckets = buckets

    async def _close(self) -> None:
        for bell in self._bells.values():
            await bell.close()
        await self._line.close()
        await self._client.aclose()
        await self._waiting.aclose()
