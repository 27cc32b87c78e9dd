"""requests and people -> Emulator -> answers and webhooks. A whole Linq in one object.

`Emulator.app` is the HTTP side: the API under `/api/partner`, the control API at the root. The methods of `Emulator`
are the same controls for a test in the same process.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import httpx
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount
from starlette.types import Receive, Scope, Send

from linqbot.clock import Clock
from linqbot.emulator import choices, control, subscriptions
from linqbot.emulator.entities import Json, Subscription
from linqbot.emulator.faults import read_fault
from linqbot.emulator.gate import PAIR_LIMIT
from linqbot.emulator.linq import Linq, Tuning, build_linq
from linqbot.emulator.operation import refusal
from linqbot.emulator.people import People
from linqbot.emulator.postman import Delivery, encode
from linqbot.emulator.problems import DEFAULT_CODES, Problem
from linqbot.emulator.routes import api_routes, file_routes
from linqbot.emulator.wire import RAW_SEND
from linqbot.emulator.world import KEPT_MESSAGES, LINES, Heard
from linqbot.errors import LinqbotError

API = "/api/partner"
SOON_MS = 100
"""`quiet` waits for what happens within this time by itself; what lies farther off waits for the clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """What became of somebody's message; `dropped` without any ids when Linq keeps it from us (a blocked sender)."""

    event_id: str
    message_id: str
    chat_id: str
    dropped: bool = False


class Emulator:
    """A Linq in memory; enter it to let its webhooks fly.

    `transport` carries webhooks, `httpx.ASGITransport(app=bot)` in tests; None is the network. With a transport any http
    target may be subscribed, else HTTPS ones and loopback. A `seed` gives the same ids in each run, `pair_limit` None
    lifts the limit of 30 messages per 60 s and pair, `lifecycle_ms` are the times from acceptance to sent, delivered
    and read, `at_once` bounds the webhooks under way to one target (1: strictly one after another), `kept` the
    messages remembered.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        transport: httpx.AsyncBaseTransport | None = None,
        lines: Sequence[str] = LINES,
        seed: int | None = None,
        pair_limit: int | None = PAIR_LIMIT,
        lifecycle_ms: tuple[int, int, int] = choices.LIFECYCLE_MS,
        at_once: int = choices.DELIVERIES_AT_ONCE,
        kept: int = KEPT_MESSAGES,
    ) -> None:
        tuning = Tuning(
            lines=tuple(lines),
            seed=seed,
            pair_limit=pair_limit,
            lifecycle_ms=lifecycle_ms,
            at_once=at_once,
            kept=kept,
            any_target=transport is not None,
        )
        self.clock = clock
        self.linq = build_linq(clock, transport or _network(), tuning)
        self.people = People(self.linq)
        self.app: Starlette = _App(self.linq, self)
        self._entered = 0
        self._running: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Start; entering again only counts, so that a server's lifespan and a test may both enter."""
        self._entered += 1
        if self._entered == 1:
            self._running = asyncio.create_task(self.linq.agenda.run())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop; webhooks under way are given up."""
        self._entered -= 1
        if self._entered or self._running is None:
            return
        self._running.cancel()
        with suppress(asyncio.CancelledError):
            await self._running
        self._running = None
        await self.linq.postman.stop()
        self.linq.vault.clear()

    async def inbound(self, from_: str, *, text: str | None = None, **more: Any) -> Arrived:
        """Let somebody write; its webhooks are on their way, `quiet` waits for them.

        `more`: `to` (a line), `parts`, `service`, `group` (the other people), `chat_id`, `reply_to` (a message id, or an
        object with `message_id` and `part_index`), `effect`, `poll` (its options), `late_by_s` (recovered so long after
        it was written), and for repeats `event_id` and `message_id`. A media part with `filename` and `data` (base64)
        is stored, so that it can be downloaded.
        """
        inbound = control.read_inbound(self.linq, {"from": from_, "text": text, **more})
        arrived = control.take_in(self.linq, inbound)
        if arrived is None:
            return Arrived(event_id="", message_id="", chat_id="", dropped=True)
        event_id, message = arrived
        return Arrived(event_id=event_id, message_id=message.id, chat_id=message.chat.id)

    def subscribe(
        self,
        url: str,
        events: Sequence[str] = subscriptions.EVENT_TYPES,
        *,
        phone_numbers: Sequence[str] | None = None,
    ) -> Subscription:
        """Subscribe a target, to everything unless `events` says less; the result holds the secret."""
        phones = None if phone_numbers is None else tuple(phone_numbers)
        return subscriptions.subscribe(self.linq, url, events, phone_numbers=phones)

    def fault(self, kind: str, *, match: str | None = None, count: int | None = 1, **details: Any) -> None:
        """Make the next `count` matching acts go wrong (None: all); kinds and details: `linqbot.emulator.faults`."""
        self.linq.faults.add(read_fault(kind, match=match, count=count, **details))

    async def deliver(self, event: Mapping[str, Any] | bytes, url: str, *, webhook_id: str | None = None) -> int | None:
        """Sign and post any event once, now, to a subscribed target; returns the HTTP status, None without an answer.

        Bytes are sent as they are. The webhook id is the event's id, unless given.
        """
        target = next((one for one in self.linq.world.subscriptions.values() if one.target_url == url), None)
        if target is None:
            raise LinqbotError("nobody subscribed this target, so there is no secret to sign with; subscribe it first")
        known = {} if isinstance(event, bytes) else event
        one = Delivery(
            event_id=webhook_id or known.get("event_id") or self.linq.names.uuid(),
            event_type=str(known.get("event_type", "")),
            subscription=target,
            url=url,
            body=event if isinstance(event, bytes) else encode(dict(event)),
        )
        self.linq.postman.log.append(one)
        return await self.linq.postman.attempt(one, retry=False)

    def messages(self) -> list[Heard]:
        """Everything that reached a phone, in the order of acceptance; a group message once per phone."""
        return list(self.linq.world.heard)

    def messages_to(self, handle: str) -> list[Heard]:
        """Everything that reached one phone, in the order of acceptance."""
        return [one for one in self.linq.world.heard if one.to == handle]

    def deeds(self) -> list[Json]:
        """What the lines did besides sending: reactions, edits, typing, read, shared cards, votes; in order."""
        return list(self.linq.world.deeds)

    def seen(self) -> list[Heard | Json]:
        """Messages that reached a phone and what the lines did besides, in one order: that of acceptance."""
        return list(self.linq.world.seen)

    def transcript(self) -> Json:
        """The same as `GET /_control/transcript`."""
        return control.transcript(self.linq)

    def deliveries(self) -> list[Json]:
        """Each webhook's attempts and state, oldest first."""
        return [control.delivery(one) for one in self.linq.postman.log]

    @property
    def requests(self) -> list[Json]:
        """Every request the API saw, oldest first."""
        return list(self.linq.requests)

    @property
    def counters(self) -> Mapping[str, int]:
        """How many requests were replays (`replays`), and replays with another body (`key_conflicts`)."""
        return self.linq.world.counters

    def reset(self) -> None:
        """As new: nothing said, nobody subscribed, no faults."""
        self.linq.reset()

    async def quiet(self) -> None:
        """Wait until every webhook that is due was delivered, failed for good, or waits for the clock."""
        if self._running is None:
            raise LinqbotError("the emulator is not running; enter it with `async with emulator:` first")
        linq = self.linq
        linq.agenda.look()
        while linq.postman.busy or linq.agenda.due_by(linq.clock.now_ms() + SOON_MS):
            await linq.agenda.changed()


class _App(Starlette):
    """The HTTP side; keeps the server's own `send`, so that a fault can reach the connection."""

    def __init__(self, linq: Linq, emulator: Emulator) -> None:
        @asynccontextmanager
        async def lifespan(_app: Starlette) -> AsyncIterator[None]:
            async with emulator:
                yield

        async def refuse(_request: Request, error: Exception) -> Response:
            status = error.status_code if isinstance(error, HTTPException) else 500
            trace_id = linq.names.trace_id()
            why = "The emulator broke" if status == 500 else "No such endpoint"
            answer = refusal(Problem(status, DEFAULT_CODES.get(status, 3006), why), trace_id)
            return Response(answer.body, status, {"x-trace-id": trace_id}, answer.content_type)

        super().__init__(
            routes=[Mount(API, routes=api_routes(linq)), *file_routes(linq), *control.control_routes(linq)],
            lifespan=lifespan,
            exception_handlers={HTTPException: refuse, Exception: refuse},
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope[RAW_SEND] = send
        await super().__call__(scope, receive, send)


def _network() -> httpx.AsyncBaseTransport:
    from httpx_aiohttp import AiohttpTransport

    return AiohttpTransport(limits=httpx.Limits(max_connections=None))
