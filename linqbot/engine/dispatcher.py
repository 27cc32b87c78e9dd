"""OutboxItem -> HTTP -> Outcome. Sends frozen replies to Linq, each chat's in order, and settles what came of them.

What is sent is exactly what was frozen, under the same key on every attempt, in every process. An answer is judged by
`protocol.outcome`; here is only the doing. While Linq is sick, or refuses the API key, the replies in hand wait at a gate
and one at a time goes to see; nothing is lost and nothing is burnt by waiting.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from typing import Protocol, TypeVar

import structlog

from linqbot.clock import Clock
from linqbot.engine.holder import Holder
from linqbot.engine.patience import insist
from linqbot.errors import StoreUnavailable, TransportError
from linqbot.ids import TokenSource, random_token
from linqbot.protocol.answer import Answer
from linqbot.protocol.breaker import Breaker, Gate
from linqbot.protocol.guard import hearsay
from linqbot.protocol.naming import edits_of, request_of, whereabouts
from linqbot.protocol.outcome import Verdict, before_send, classify
from linqbot.records import Dead, Lease, OutboxItem, Request, Sent, Side, Wait
from linqbot.store.base import Knowledge, Lanes, Outbox

log = structlog.get_logger("linqbot.dispatcher")

LEFT_IN_FLIGHT_MS = 5_000
"""How long a reply rests whose process left before the answer came: time for the answer to be confirmed by webhook."""

_LEFT = Verdict(
    outcome=Wait(delay_ms=LEFT_IN_FLIGHT_MS, reason="the process left before the answer came", ambiguous=True),
    news="reply left in flight",
)
"""What becomes of an attempt that is cut short; nobody waits for a store that is away to hear it."""

_T = TypeVar("_T")


class Outgoing(Lanes, Outbox, Knowledge, Protocol):
    """The slice of the store that a dispatcher asks for."""


class Sender(Protocol):
    """What speaks to Linq: `client.http.LinqClient`."""

    async def send(self, request: Request) -> Answer:
        """One exchange, whatever the answer's status; not cut short when the caller is cancelled. Raises `NotSent` or
        `OutcomeUnknown`.
        """
        ...


Settled = Callable[[Lease, Verdict], None]
"""Told of each attempt after it was settled; must not block. What it raises is logged and changes nothing."""


class Dispatcher:
    """Sends the replies of up to `hands` chats at once.

    `random` gives numbers in [0, 1) to spread retries with; `lease_ms` is the store's `Limits.lease_ms`.
    """

    def __init__(
        self,
        store: Outgoing,
        client: Sender,
        *,
        clock: Clock,
        random: Callable[[], float],
        tokens: TokenSource = random_token,
        hands: int = 256,
        lease_ms: int = 30_000,
        settled: Settled | None = None,
    ) -> None:
        self._store = store
        self._client = client
        self._clock = clock
        self._random = random
        self._settled = settled
        self._breaker = Breaker()
        self._gate_moved = asyncio.Event()
        self._at_gate = 0
        self._stopping = False
        self._finishing = False
        self._holder = Holder(
            store,
            Side.OUT,
            self._deliver,
            clock=clock,
            tokens=tokens,
            hands=hands,
            lease_ms=lease_ms,
            cancel_lost=False,
        )

    async def run(self) -> None:
        """Send until `stop`; returns when the last send in flight is settled."""
        await self._holder.run()

    def stop(self) -> None:
        """Take no more replies; sends in flight go on to their end, replies that wait at the gate are given back."""
        self._stopping = True
        self._holder.stop()
        self._move_gate()

    def finish(self) -> None:
        """Send what is ready, then stop; at once when Linq is not to be bothered, for nothing would be sent."""
        self._finishing = True
        if self._at_gate:
            self.stop()
        else:
            self._holder.finish()

    async def leave(self) -> None:
        """Wait no longer: replies still in flight are marked as perhaps sent, so that their keys decide; the exchanges
        themselves are not cut short.
        """
        self._stopping = True
        await self._holder.give_back()

    @property
    def idle(self) -> bool:
        """Whether nothing is in flight and the last look found nothing to send; what waits for a sick Linq is no work."""
        return self._holder.idle_but_for(self._at_gate)

    async def _deliver(self, lease: Lease) -> None:
        """Bring one leased reply to an outcome. Cancelled before the send, the lane is given back by the holder."""
        lease = await self._informed(lease)
        verdict = before_send(lease, lease.now_ms)
        if verdict is None:
            if not await self._passes_gate():
                await self._give_back(lease)
                return
            verdict = await self._attempt(lease)
        try:
            held = await (self._settle_once if verdict is _LEFT else self._settle)(lease, verdict)
        except asyncio.CancelledError:  # not passed on: what may have arrived must not look as if it was never sent
            held = await self._settle_once(lease, verdict)
        self._tell(lease, verdict, held=held)

    async def _passes_gate(self) -> bool:
        """Whether to send now. If not, it returns when the gate is open or the process is told to leave; by then more may
        be known than the lease tells, so nothing is sent under it.
        """
        now_ms = self._clock.now_ms()
        if self._stopping or self._breaker.gate(now_ms) is Gate.OPEN:
            await self._until_gate_opens()
            return False
        self._breaker = self._breaker.probe(now_ms)
        return True

    async def _until_gate_opens(self) -> None:
        while not self._stopping and self._breaker.gate(self._clock.now_ms()) is Gate.OPEN:
            if self._finishing:
                self.stop()
                return
            await self._gate_moves(within_s=self._breaker.left_ms(self._clock.now_ms()) / 1000)

    async def _give_back(self, lease: Lease) -> None:
        """As if it had never been leased: what it spent is given back, and what arrived meanwhile counts."""
        unsent = Wait(delay_ms=0, reason="sending rested", paid_ms=lease.now_ms)
        if self._stopping:
            with suppress(StoreUnavailable):  # then the lease runs out
                await self._store.settle(lease.lane, lease.token, unsent)
            return
        await self._insist(lambda: self._store.settle(lease.lane, lease.token, unsent), lease)
        self._holder.look_again()

    async def _gate_moves(self, within_s: float) -> None:
        waits = [asyncio.ensure_future(self._clock.sleep(within_s)), asyncio.ensure_future(self._gate_moved.wait())]
        self._at_gate += 1
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._at_gate -= 1
            for wait in waits:
                wait.cancel()

    def _move_gate(self) -> None:
        """Let all who wait at the gate look again."""
        self._gate_moved.set()
        self._gate_moved = asyncio.Event()

    async def _attempt(self, lease: Lease) -> Verdict:
        if (where := whereabouts(lease)) is not None:
            await self._insist(lambda: self._store.learn([where]), lease)
        began_ms = self._clock.now_ms()
        answer: Answer | TransportError
        try:
            answer = await self._client.send(request_of(lease))
        except TransportError as error:
            answer = error
        except asyncio.CancelledError:  # see `leave`
            return _LEFT
        now_ms = lease.now_ms + self._clock.now_ms() - began_ms
        verdict = classify(answer, lease=lease, now_ms=now_ms, jitter=self._random())
        self._heed(verdict)
        return verdict

    def _heed(self, verdict: Verdict) -> None:
        """Open, hold or close the gate, and sound the alarm once."""
        before, now_ms = self._breaker, self._clock.now_ms()
        if verdict.hold_ms is not None:
            self._breaker = before.hold(now_ms, rest_ms=verdict.hold_ms)
        else:
            self._breaker = before.failure(now_ms) if verdict.sick else before.success()
        was_open, is_open = before.opened_ms is not None, self._breaker.opened_ms is not None
        if verdict.alarm is not None and not (was_open and is_open):
            log.error("alarm", alarm=verdict.alarm, status=verdict.status, code=verdict.code, trace_id=verdict.trace_id)
        if is_open and not was_open:
            log.warning("sending rests", rest_ms=self._breaker.resting_ms, failures=self._breaker.failures)
        if was_open and not is_open:
            log.info("sending goes on")
            self._move_gate()

    async def _informed(self, lease: Lease) -> Lease:
        """The lease with the facts that its facts point to; mostly there are none."""
        edits = edits_of(lease)
        keys = (*hearsay(lease), *((edits,) if edits else ()))
        if not keys:
            return lease
        told = await self._insist(lambda: self._store.facts(keys), lease)
        return replace(lease, facts={**lease.facts, **told})

    async def _settle(self, lease: Lease, verdict: Verdict) -> bool:
        """Learn first: what comes next must know what this attempt taught."""
        if verdict.learn:
            await self._insist(lambda: self._store.learn(verdict.learn), lease)
        return await self._insist(lambda: self._store.settle(lease.lane, lease.token, verdict.outcome), lease)

    def _insist(self, step: Callable[[], Awaitable[_T]], lease: Lease) -> Awaitable[_T]:
        return insist(step, "store unavailable, the outcome waits to be stored", log=log, **_ids(lease))

    async def _settle_once(self, lease: Lease, verdict: Verdict) -> bool:
        with suppress(StoreUnavailable):
            return await self._store.settle(lease.lane, lease.token, verdict.outcome)
        return False

    def _tell(self, lease: Lease, verdict: Verdict, *, held: bool) -> None:
        """One line for each state change, and whoever listens."""
        if not held:
            log.warning(
                "outcome stored before, or the lease is lost and the key decides", news=verdict.news, **_ids(lease)
            )
            return
        if isinstance(verdict.outcome, Wait):
            self._holder.look_again()
        log.log(_level(verdict), verdict.news, attempt=lease.attempts + 1, **_facts(verdict), **_ids(lease))
        if self._settled is None:
            return
        try:
            self._settled(lease, verdict)
        except Exception:  # a listener's bug is not the reply's
            log.exception("listener failed", **_ids(lease))


def _reply(lease: Lease) -> OutboxItem:
    assert lease.reply is not None, "a lease of the out side has its reply"
    return lease.reply


def _ids(lease: Lease) -> dict[str, str | None]:
    """Who a line is about; a lane that is not a chat's names phone numbers and stays out (design.md section 9, Lanes)."""
    reply = _reply(lease)
    key = reply.plain_key if lease.use_plain else reply.key
    return {"key": key, "chat_id": lease.chat_id, "event_id": reply.event_id}


def _facts(verdict: Verdict) -> dict[str, object]:
    facts: dict[str, object] = {"status": verdict.status, "code": verdict.code, "trace_id": verdict.trace_id}
    match verdict.outcome:
        case Sent(message_id=message_id):
            facts["message_id"] = message_id
        case Wait(delay_ms=delay_ms, reason=reason):
            facts |= {"delay_ms": delay_ms, "reason": reason}
        case Dead(letter=letter):
            facts["reason"] = letter.reason
    return {name: fact for name, fact in facts.items() if fact is not None}


def _level(verdict: Verdict) -> int:
    """What a person must look at is an error; what may be a duplicate or a loss in the making is a warning."""
    match verdict.outcome:
        case Dead():
            return logging.ERROR
        case Wait(ambiguous=True):
            return logging.WARNING
        case _:
            return logging.INFO
