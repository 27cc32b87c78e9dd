"""Lease -> Commit. One chat at a time, in order: runs the turns of leased lanes and commits what they leave behind.

A turn that fails is tried again after a while; a turn that keeps failing, or whose worker keeps dying, goes to the dead
letters and the chat goes on. What a turn answers reaches the store in one commit or not at all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Protocol, TypeVar

import structlog

from linqbot.clock import Clock
from linqbot.engine.holder import Holder
from linqbot.engine.patience import insist
from linqbot.engine.suspects import STALL_LIMIT, STALLS_AT_MOST, Suspects, died_alone
from linqbot.errors import HandlerError, HandlerTimeout, LeaseLost, PayloadError, ReplyError
from linqbot.handling.runner import Port
from linqbot.ids import TokenSource, random_token
from linqbot.protocol.parking import NotYet, failures, park_ms, parking_note
from linqbot.records import Commit, Committed, DeadLetter, Fact, Lease, Request, SentRecord, Side, StateCell
from linqbot.replies import Upload
from linqbot.store.base import Desk, Knowledge, Lanes

log = structlog.get_logger("linqbot.worker")

RETRY_DELAYS_S = (1.0, 4.0, 15.0, 60.0)
"""How long a chat waits after its first, second, … failed turn; the last one counts for all later ones."""

CONFLICT_LIMIT = 5
"""How often a turn is run again at once because somebody else changed its state (design.md section 9)."""

_LOOK_AHEAD = 2
"""One event for the turn, one to know whether others spoke since."""

_LAST_WORD_S = 1.0
"""How long a process that leaves tries to store that a run failed."""

_T = TypeVar("_T")


class Work(Lanes, Desk, Knowledge, Protocol):
    """The slice of the store that a worker asks for."""

    async def sent(self, message_id: str) -> SentRecord | None:
        """Which reply a message of ours was; None when unknown or forgotten."""
        ...


Quote = Callable[[str, int], Awaitable[str | None]]
"""Reads the text of a part of a message back from Linq: `engine.quoting.Quoting`."""


async def _nothing(_message_id: str, _part_index: int) -> str | None:
    return None


Carry = Callable[[Upload], Awaitable[str]]
"""Brings a file to Linq and gives its id there: `client.uploads.Uploader.upload`."""


async def _nowhere(_upload: Upload) -> str:
    raise ReplyError("this program uploads nothing; give files by url= or attachment_id=")


class Turns(Protocol):
    """What runs the user's handlers: `handling.runner.Runner`."""

    def wanted(self, event_type: str) -> bool:
        """Whether any handler is for events of a type."""
        ...

    async def run(self, lease: Lease, port: Port, *, others_spoke: bool = False) -> Commit:
        """Run the handlers for the leased events and return what to commit; `others_spoke`: newer events wait."""
        ...


class Worker:
    """Runs the turns of up to `hands` chats at once, each chat's in order.

    `threads` is how many plain `def` handlers can run at once; `threads_lost` is called when as many handlers, of whatever
    kind, overran their time and still run: such a process can only be replaced. `hint` takes requests to Linq that are nice
    to have, and the lane they are for.
    """

    def __init__(  # noqa: PLR0913  # all by keyword: what the seams of a worker are
        self,
        store: Work,
        turns: Turns,
        *,
        clock: Clock,
        random: Callable[[], float],
        tokens: TokenSource = random_token,
        hands: int = 64,
        attempts: int = 3,
        lease_ms: int = 30_000,
        threads: int = 16,
        threads_lost: Callable[[], None] = lambda: None,
        quote: Quote = _nothing,
        hint: Callable[[str, Request], None] = lambda _lane, _request: None,
        upload: Carry = _nowhere,
    ) -> None:
        self._store = store
        self._turns = turns
        self._clock = clock
        self._random = random
        self._attempts = attempts
        self._threads = threads
        self._threads_lost = threads_lost
        self._quote = quote
        self._hint = hint
        self._upload = upload
        self._runaways = 0
        self._began_ms = clock.now_ms()
        self._suspects = Suspects()
        self._holder = Holder(
            store,
            Side.IN,
            self._turn,
            clock=clock,
            tokens=tokens,
            hands=hands,
            lease_ms=lease_ms,
            cancel_lost=True,
            take=_LOOK_AHEAD,
        )

    async def run(self) -> None:
        """Take lanes and run their turns until `stop`; returns after the last turn."""
        await self._holder.run()

    def stop(self) -> None:
        """Take no more lanes; turns that run go on to their end."""
        self._holder.stop()

    async def leave(self) -> None:
        """Cancel what still runs and give its lanes back to the front of the queue, with no attempt burnt."""
        await self._holder.give_back()

    @property
    def idle(self) -> bool:
        """Whether no turn runs and the last look found none to run."""
        return self._holder.idle

    @property
    def out_of_threads(self) -> bool:
        """Whether as many handlers overran their time and still run as there are threads for plain `def` ones."""
        return self._runaways >= self._threads

    async def _turn(self, lease: Lease) -> None:
        if not self._turns.wanted(lease.events[0].type):
            await self._park(lease)
            return
        if lease.stalls < STALL_LIMIT - 1:
            await self._try(lease)
        elif lease.stalls >= STALLS_AT_MOST or died_alone(lease):
            await self._give_up(lease, f"{lease.stalls} workers died or froze on this event; see the logs of that time")
        else:
            async with self._suspects.beside(lease, self._port(lease)):
                await self._try(lease)

    async def _park(self, lease: Lease) -> None:
        """Leave an event to a release that has a handler for it, for a while: this one must not drop it in silence."""
        event_type = lease.events[0].type
        delay_ms = park_ms(lease, up_ms=self._clock.now_ms() - self._began_ms)
        if delay_ms is None:
            await self._give_up(
                lease, f"no handler of this release is for {event_type} events; bring it back, or drop it"
            )
            return
        log.warning("event parked, no handler is for its type", type=event_type, delay_ms=delay_ms, **_ids(lease))
        await self._postpone(lease, delay_ms)

    async def _postpone(self, lease: Lease, delay_ms: int) -> None:
        """Let the lane wait, without counting it as a failure of the event."""
        with suppress(LeaseLost):
            await self._port(lease).note(parking_note(lease), b"")
            await self._retry(lease, delay_ms / 1000)

    def _port(self, lease: Lease) -> _LeasePort:
        return _LeasePort(self._store, lease, self._quote, self._hint, self._upload)

    async def _try(self, lease: Lease) -> None:
        try:
            await self._run(lease)
        except LeaseLost:
            log.warning("turn dropped, another process has the chat", **_ids(lease))
        except NotYet as wait:
            log.debug("event waits for the answer that says what it is about", delay_ms=wait.delay_ms, **_ids(lease))
            await self._postpone(lease, wait.delay_ms)
        except PayloadError as error:
            await self._give_up(lease, str(error), kind="payload")
        except HandlerError as error:
            await self._after_failure(lease, error)

    async def _run(self, lease: Lease) -> None:
        others_spoke = len(lease.events) > 1
        turn = replace(lease, events=lease.events[:1]) if others_spoke else lease
        for _ in range(CONFLICT_LIMIT):
            commit = await self._turns.run(turn, self._port(lease), others_spoke=others_spoke)
            if await self._commit(lease, commit) is not Committed.CONFLICT:
                return
        log.warning("state of the chat kept changing, the turn waits", **_ids(lease))
        await self._retry(lease, RETRY_DELAYS_S[0])

    async def _after_failure(self, lease: Lease, error: HandlerError) -> None:
        log.error("handler failed", handler=error.handler, attempt=failures(lease) + 1, exc_info=error, **_ids(lease))
        try:
            await self._until_it_ends(error)
        except asyncio.CancelledError:  # the process leaves: the chat is not given back as if nothing had happened
            with suppress(TimeoutError):
                async with asyncio.timeout(_LAST_WORD_S):
                    await self._count_failure(lease, error)
            raise
        await self._count_failure(lease, error)

    async def _count_failure(self, lease: Lease, error: HandlerError) -> None:
        limit = error.attempts or self._attempts
        failed = failures(lease)
        if failed + 1 >= limit:
            await self._give_up(
                lease, f"handler {error.handler!r} failed {limit} times: {error}", handler=error.handler
            )
            return
        delay_s = RETRY_DELAYS_S[min(failed, len(RETRY_DELAYS_S) - 1)] * (0.75 + self._random() / 4)
        await self._retry(lease, delay_s)

    async def _retry(self, lease: Lease, delay_s: float) -> None:
        await _insist(lambda: self._store.retry(lease.lane, lease.token, delay_ms=int(delay_s * 1000)))
        self._holder.look_again()

    async def _until_it_ends(self, error: HandlerError) -> None:
        """Some runs cannot be stopped: while one goes on its chat stays leased, or a second run could overtake it."""
        if not isinstance(error, HandlerTimeout) or error.thread is None:
            return
        self._runaways += 1
        if self.out_of_threads:
            log.error("too many handlers do not end, this process leaves", runs=self._runaways)
            self._threads_lost()
        try:
            await asyncio.wait([asyncio.ensure_future(error.thread)])
        finally:
            self._runaways -= 1

    async def _give_up(self, lease: Lease, reason: str, *, kind: str = "event", handler: str = "") -> None:
        event = lease.events[0]
        letter = DeadLetter(
            id=event.event_id,
            kind=kind,
            reason=reason,
            lane=lease.lane,
            event_id=event.event_id,
            handler=handler,
            item=event.to_bytes(),
        )
        await self._commit(
            lease, Commit(lane=lease.lane, token=lease.token, event_id=event.event_id, take=1, dead=(letter,))
        )

    async def _commit(self, lease: Lease, commit: Commit) -> Committed:
        done = await _insist(lambda: self._store.commit(commit))
        if done is Committed.STALE:
            log.warning("commit refused, another process has the chat", **_ids(lease))
        elif done is Committed.COMMITTED:
            for letter in commit.dead:
                log.warning(
                    "moved to the dead letters", kind=letter.kind, id=letter.id, reason=letter.reason, **_ids(lease)
                )
            log.debug("turn committed", replies=len(commit.replies), **_ids(lease))
        return done


class _LeasePort:
    """What a running turn may reach outside, under its lease."""

    def __init__(
        self, store: Work, lease: Lease, quote: Quote, hint: Callable[[str, Request], None], upload: Carry
    ) -> None:
        self._store = store
        self._quote = quote
        self._upload = upload
        self._lease = lease
        self._hint = hint

    async def note(self, name: str, value: bytes) -> bytes:
        """Keep a note about the event; the first one of a name wins. Raises `LeaseLost`."""
        kept = await _insist(lambda: self._store.note(self._lease.lane, self._lease.token, name, value))
        if kept is None:
            raise LeaseLost(f"the lease on {self._lease.lane} is lost; another process runs its event")
        return kept

    async def freeze(self, commit: Commit) -> None:
        """Commit one bubble of a stream. Raises `LeaseLost`."""
        if await _insist(lambda: self._store.commit(commit)) is not Committed.COMMITTED:
            raise LeaseLost(f"the lease on {self._lease.lane} is lost; another process runs event {commit.event_id}")

    async def sent(self, message_id: str) -> SentRecord | None:
        """Which reply a message of ours was."""
        return await _insist(lambda: self._store.sent(message_id))

    async def facts(self, keys: Iterable[str]) -> Mapping[str, Fact]:
        """What is known under these keys."""
        wanted = tuple(keys)
        return await _insist(lambda: self._store.facts(wanted))

    async def learn(self, facts: Sequence[Fact]) -> None:
        """Keep facts."""
        await _insist(lambda: self._store.learn(facts))

    async def upload(self, upload: Upload) -> str:
        """Linq's id of a file."""
        return await _insist(lambda: self._upload(upload))

    async def quoted(self, message_id: str, part_index: int) -> str | None:
        """The text of a part of a message."""
        return await self._quote(message_id, part_index)

    async def load(self, keys: Iterable[str]) -> Mapping[str, StateCell]:
        """The stored state under these keys."""
        wanted = tuple(keys)
        return await _insist(lambda: self._store.load(wanted))

    def hint(self, request: Request) -> None:
        """Ask Linq for what is nice to have, after what this lane asked for before."""
        self._hint(self._lease.lane, request)


def _insist(step: Callable[[], Awaitable[_T]]) -> Awaitable[_T]:
    return insist(step, "store unavailable, the turn waits to be stored", log=log)


def _ids(lease: Lease) -> dict[str, str | None]:
    return {"event_id": lease.events[0].event_id, "chat_id": lease.chat_id, "lane": lease.lane}
