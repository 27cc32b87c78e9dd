"""Event -> signed HTTP requests. Delivers webhooks as linq-api-v3.md sections 8.2 to 8.4 say, retries included.

Each subscription gets a delivery of its own with the same event id. Deliveries to one target run side by side, up to a
limit; nothing waits for an earlier event. 5xx, 429, timeouts and network errors are tried again, ten attempts in about
25 minutes of the clock, each with a fresh timestamp and signature; any other answer is final.
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any

import httpx

from linqbot.clock import Clock
from linqbot.emulator import affinity, choices
from linqbot.emulator.agenda import Agenda
from linqbot.emulator.entities import Json, Subscription
from linqbot.emulator.faults import Fault, Faults
from linqbot.emulator.names import Names
from linqbot.emulator.shapes import moment
from linqbot.emulator.signing import sign
from linqbot.emulator.world import World

ATTEMPTS = 10
TIMEOUT_MS = 10_000
LONGEST_DELAY_MS = 600_000
HOLD_MS = 5_000
"""How long a `reorder` waits for its number before it lets go of what it holds."""

KEPT_DELIVERIES = 10_000


@dataclass(slots=True, eq=False, kw_only=True)
class Event:
    """Something that happened; `data` makes its payload for a version, and each version is written once."""

    id: str
    type: str
    trace_id: str
    created_ms: int
    chat_id: str | None
    data: Callable[[str], Json] = field(repr=False)
    _bodies: dict[str, bytes] = field(default_factory=dict, repr=False)

    def body(self, version: str) -> bytes:
        """The raw body of the webhook in a payload version (section 8.4)."""
        if version not in self._bodies:
            self._bodies[version] = encode(
                {
                    "api_version": "v3",
                    "webhook_version": version,
                    "event_type": self.type,
                    "event_id": self.id,
                    "created_at": moment(self.created_ms),
                    "trace_id": self.trace_id,
                    "partner_id": "emulator",
                    "data": self.data(version),
                }
            )
        return self._bodies[version]


def encode(value: Json) -> bytes:
    """JSON as it goes over the wire."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


@dataclass(slots=True, eq=False, kw_only=True)
class Delivery:
    """One event on its way to one subscription; `state` is waiting, delivered, refused, lost or cancelled."""

    event_id: str
    event_type: str
    subscription: Subscription
    url: str
    body: bytes = field(repr=False)
    chat_id: str | None = None
    state: str = "waiting"
    attempts: list[Json] = field(default_factory=list)
    to_drop: int = 0


def delay_ms(attempt: int, names: Names) -> int:
    """How long to wait after the `attempt`-th attempt (from 1) failed."""
    plain = min(choices.RETRY_BASE_MS * 2 ** (attempt - 1), LONGEST_DELAY_MS)
    return min(int(plain * names.jitter(choices.RETRY_JITTER)), LONGEST_DELAY_MS)


class _Lane:
    """The deliveries to one subscription: how many are under way, and which wait for room."""

    __slots__ = ("busy", "waiting")

    def __init__(self) -> None:
        self.busy = 0
        self.waiting: deque[Delivery] = deque()


class Postman:
    """Delivers webhooks until `stop`."""

    def __init__(
        self,
        world: World,
        *,
        clock: Clock,
        agenda: Agenda,
        faults: Faults,
        names: Names,
        transport: httpx.AsyncBaseTransport,
        at_once: int = choices.DELIVERIES_AT_ONCE,
    ) -> None:
        self._world = world
        self._clock = clock
        self._agenda = agenda
        self._faults = faults
        self._names = names
        self._transport = transport
        self._at_once = at_once
        self._lanes: dict[str, _Lane] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._held: list[Delivery] = []
        self.log: deque[Delivery] = deque(maxlen=KEPT_DELIVERIES)

    @property
    def busy(self) -> bool:
        """Whether a webhook is under way."""
        return bool(self._tasks)

    def announce(
        self,
        event_type: str,
        data: Callable[[str], Json],
        *,
        line: str | None,
        trace_id: str,
        chat_id: str | None = None,
        event_id: str | None = None,
        only: str | None = None,
    ) -> str:
        """Deliver an event of a line to everybody who subscribed; returns the event's id.

        `only` names the one payload version in which the event exists.
        """
        event = Event(
            id=event_id or self._names.uuid(),
            type=event_type,
            trace_id=trace_id,
            created_ms=self._clock.now_ms(),
            chat_id=chat_id,
            data=data,
        )
        for subscription in self._world.subscribers(event_type, line):
            if only in (None, subscription.version):
                self._post(event, subscription)
        return event.id

    async def stop(self) -> None:
        """Give up everything that is under way."""
        self.clear()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._transport.aclose()

    def clear(self) -> None:
        """Forget all deliveries, made and to be made."""
        for task in self._tasks:
            task.cancel()
        self._lanes.clear()
        self._held.clear()
        self.log.clear()

    def release(self) -> None:
        """Make the deliveries that a `reorder` holds, newest first, one after another."""
        held, self._held = self._held[::-1], []
        if held:
            self._spawn(self._in_turn(held))

    async def attempt(self, delivery: Delivery, *, retry: bool = True) -> int | None:
        """Make one attempt now and settle what follows from it; returns the HTTP status, None without an answer."""
        if not self._is_wanted(delivery):
            delivery.state = "cancelled"
            return None
        status, error = await self._send(delivery)
        delivery.attempts.append({"at": moment(self._clock.now_ms()), "status": status, "error": error})
        if status is not None and 200 <= status < 300:
            delivery.state = "delivered"
        elif error == "host not found" or (status is not None and status != 429 and status < 500):
            delivery.state = "refused"  # choices.REDIRECTED_WEBHOOK
        elif not retry or len(delivery.attempts) >= ATTEMPTS:
            delivery.state = "lost"
        else:
            again_ms = self._clock.now_ms() + delay_ms(len(delivery.attempts), self._names)
            self._agenda.at(again_ms, partial(self._start, delivery))
        return status

    def _post(self, event: Event, subscription: Subscription) -> None:
        fault = self._faults.take(f"webhook:{event.type}")
        copies = fault.times if fault is not None and fault.kind == "duplicate" else 1
        for _ in range(copies):
            delivery = Delivery(
                event_id=event.id,
                event_type=event.type,
                subscription=subscription,
                url=subscription.target_url,
                body=event.body(subscription.version),
                chat_id=event.chat_id,
            )
            self.log.append(delivery)
            self._obey(delivery, fault)

    def _obey(self, delivery: Delivery, fault: Fault | None) -> None:
        if fault is not None and fault.kind == "reorder":
            self._hold(delivery, last=fault.left == 0)
        elif fault is not None and fault.kind == "delay":
            due_ms = self._clock.now_ms() + int(fault.seconds * 1000)
            self._agenda.at(due_ms, partial(self._start, delivery))
        else:
            if fault is not None and fault.kind == "drop":
                delivery.to_drop = fault.attempts
            self._start(delivery)

    def _hold(self, delivery: Delivery, *, last: bool) -> None:
        if not self._held:
            self._agenda.at(self._clock.now_ms() + HOLD_MS, self.release)
        self._held.append(delivery)
        if last:
            self.release()

    def _start(self, delivery: Delivery) -> None:
        lane = self._lanes.setdefault(delivery.subscription.id, _Lane())
        if lane.busy >= self._at_once:
            lane.waiting.append(delivery)
            return
        lane.busy += 1
        self._spawn(self._serve(lane, delivery))

    async def _serve(self, lane: _Lane, delivery: Delivery) -> None:
        try:
            await self.attempt(delivery)
            while lane.waiting:
                await self.attempt(lane.waiting.popleft())
        finally:
            lane.busy -= 1

    async def _in_turn(self, deliveries: list[Delivery]) -> None:
        for delivery in deliveries:
            await self.attempt(delivery)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._agenda.notify()

    def _is_wanted(self, delivery: Delivery) -> bool:
        return delivery.subscription.is_active and delivery.subscription.id in self._world.subscriptions

    async def _send(self, delivery: Delivery) -> tuple[int | None, str | None]:
        if len(delivery.attempts) < delivery.to_drop:
            return None, "dropped"
        request = self._request(delivery)
        try:
            async with asyncio.timeout(None) as limit:
                overdue = partial(limit.reschedule, asyncio.get_running_loop().time())
                deadline = self._agenda.at(self._clock.now_ms() + TIMEOUT_MS, overdue)
                try:
                    return await self._answer(delivery, request), None
                finally:
                    deadline.cancel()
        except TimeoutError:
            return None, "timeout"
        except Exception as error:  # noqa: BLE001  # whatever a target does is the network's word to us
            return None, _name(error)

    async def _answer(self, delivery: Delivery, request: httpx.Request) -> int:
        response = await self._transport.handle_async_request(request)
        try:
            await response.aread()
        finally:
            await response.aclose()
        wanted = delivery.subscription.routing_key_header
        if wanted is not None and response.is_success:
            affinity.learn(delivery.subscription, delivery.chat_id, response.headers.get(wanted))
        return response.status_code

    def _request(self, delivery: Delivery) -> httpx.Request:
        headers = sign(
            delivery.subscription.secret,
            webhook_id=delivery.event_id,  # choices.WEBHOOK_ID
            timestamp=self._clock.now_ms() // 1000,
            body=delivery.body,
        )
        headers |= {
            "content-type": "application/json",
            "user-agent": "linq-emulator",
            "x-webhook-event": delivery.event_type,
            "x-webhook-subscription-id": delivery.subscription.id,
            **affinity.headers(delivery.subscription, delivery.chat_id),
        }
        return httpx.Request("POST", _url(delivery.url), headers=headers, content=delivery.body)


@lru_cache(maxsize=256)
def _url(target: str) -> httpx.URL:
    return httpx.URL(target)


def _name(error: BaseException) -> str:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, socket.gaierror):
            return "host not found"
        cause = cause.__cause__ or cause.__context__
    return type(error).__name__
