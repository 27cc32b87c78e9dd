"""Lease -> Commit. Runs a user's handlers for a leased event and says what is to be stored; stores nothing itself.

A handler that raises or overruns is an error for the worker to answer. An answer that cannot be said is not: trying
again would not help, so the turn ends with a dead letter.
"""

from __future__ import annotations

from collections.abc import Awaitable
from types import TracebackType
from typing import Self

import structlog

from linqbot.clock import Clock
from linqbot.errors import ConfigurationError, HandlerTimeout, ReplyError
from linqbot.events import Event, Message
from linqbot.handling.attempt import Attempt, House
from linqbot.handling.deadline import Overrun
from linqbot.handling.loops import Loops
from linqbot.handling.news import News
from linqbot.handling.plan import plan_of
from linqbot.handling.router import Router
from linqbot.handling.services import Scope
from linqbot.handling.threads import Threads
from linqbot.handling.turn import Port, Turn
from linqbot.protocol.inbound import event_of
from linqbot.protocol.sampling import Sampler
from linqbot.protocol.tally import Tally
from linqbot.records import Commit, DeadLetter, InboxItem, Lease
from linqbot.replies import Thread

log = structlog.get_logger("linqbot.handling")

ODD_EVERY_MS = 60_000
"""How often a field that is not as documented is told; each time is counted."""

__all__ = ["Port", "Runner"]


class Runner:
    """All handlers of a tree, ready to run; entering it makes the bot's services, leaving it cleans them up.

    Raises `RegistrationError` when the tree does not fit together. `thread` and `timeout_s` hold where neither handler nor
    router says otherwise; `threads` is how many plain `def` handlers run at once. With `own_attempts` off no handler's
    failure names its `attempts`, so that the worker's number holds for all. `line` is where a `Send` leaves from of which
    nothing else says it; `tally` counts what Linq sends against its own documentation.
    """

    def __init__(  # noqa: PLR0913  # all by keyword: what the settings of a bot say of its handlers
        self,
        router: Router,
        *,
        namespace: str,
        clock: Clock,
        thread: Thread = "first",
        timeout_s: float = 60.0,
        threads: int = 16,
        own_attempts: bool = True,
        line: str | None = None,
        tally: Tally | None = None,
    ) -> None:
        plan = plan_of(router)
        self._plan = plan if own_attempts else plan.without_attempts()
        self._namespace = namespace
        self._clock = clock
        self._thread: Thread = thread
        self._timeout_s = timeout_s
        self._threads = threads
        self._line = line
        self._tally = tally or Tally()
        self._sampler = Sampler(most=1, window_ms=ODD_EVERY_MS)
        self._types = self._plan.event_types
        self._news = News(self._plan.routes)
        self._house: House | None = None

    @property
    def threads(self) -> int:
        """How many plain `def` handlers can run at once; when as many have overrun, none can."""
        return self._threads

    def event_types(self) -> frozenset[str]:
        """The event types that handlers are for; what a webhook subscription should ask for."""
        return self._types

    def wanted(self, event_type: str) -> bool:
        """Whether any handler is for events of a type."""
        return event_type in self._types

    async def __aenter__(self) -> Self:
        """Make what lives as long as the bot. Raises what a factory raises, with what was made cleaned up."""
        services = Scope(self._plan.catalogue)
        async with services.stack:
            await services.open_all()
            services.stack = services.stack.pop_all()
        self._house = House(
            plan=self._plan,
            namespace=self._namespace,
            thread=self._thread,
            timeout_s=self._timeout_s,
            clock=self._clock,
            threads=Threads(self._threads),
            services=services,
            line=self._line,
            loops=Loops(),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Clean up in reverse order; threads that still run are left to their end."""
        house, self._house = self._house, None
        if house is not None:
            house.threads.close()
            await house.services.stack.__aexit__(kind, error, trace)

    async def run(self, lease: Lease, port: Port, *, others_spoke: bool = False) -> Commit:
        """Run the handlers for the leased events and return what to commit; nothing of it is stored yet.

        Several events are one turn that answers the newest. A stream's bubbles are committed through `port` as they come;
        those that an earlier run committed are not said again. `others_spoke` tells that somebody wrote in the chat since.
        Raises `HandlerFailed`, `HandlerTimeout` (a run that cannot be stopped is its `thread`), `PayloadError`, `NotYet`
        when it is too early to ask any handler, and `LeaseLost` from the port. When cancelled, the handler is cancelled
        too, and awaited for a few seconds.
        """
        house = self._house
        if house is None:
            raise ConfigurationError("the runner is not started; use `async with runner:`")
        events = tuple(self._read(item) for item in lease.events)
        turn = _turn(lease, events, port)
        delivery = await self._news.of(lease, events[-1], port)
        attempt = Attempt(
            house, lease, event=events[-1], turn=turn, port=port, delivery=delivery, others_spoke=others_spoke
        )
        try:
            await attempt.deadline.run(attempt.work())
        except Overrun as overrun:
            raise _timeout(attempt, events[-1], still_runs=attempt.running or overrun.runaway) from None
        except ReplyError as error:
            return _commit(lease, attempt, letter=_letter(lease, attempt, error, now_ms=house.clock.now_ms()))
        return _commit(lease, attempt)

    def _read(self, item: InboxItem) -> Event:
        """The event; what in it contradicts Linq's documentation is counted, and told once in a while."""
        return event_of(item, lambda field: self._count(item, field))

    def _count(self, item: InboxItem, field: str) -> None:
        name = f"{item.type} {field}"
        self._tally.add("odd", name)
        left_out = self._sampler.take(name, self._clock.now_ms())
        if left_out is not None:
            log.warning(
                "field is not as Linq documents it, read as if it were missing",
                type=item.type,
                field=field,
                event_id=item.event_id,
                left_out=left_out,
            )


def _turn(lease: Lease, events: tuple[Event, ...], port: Port) -> Turn:
    event = events[-1]
    return Turn(
        event=event,
        messages=tuple(event for event in events if isinstance(event, Message)),
        already_sent=len(lease.frozen),
        notes=lease.notes,
        port=port,
        log=structlog.get_logger("linqbot.handler", event_id=event.event_id, chat_id=event.chat_id),
    )


def _commit(lease: Lease, attempt: Attempt, *, letter: DeadLetter | None = None) -> Commit:
    return Commit(
        lane=lease.lane,
        token=lease.token,
        event_id=lease.events[0].event_id,
        take=len(lease.events),
        replies=() if letter else attempt.replies,
        dead=attempt.dead if letter is None else (*attempt.dead, letter),
        state=() if letter else attempt.state,
    )


def _letter(lease: Lease, attempt: Attempt, error: ReplyError, *, now_ms: int) -> DeadLetter:
    head, name = lease.events[0], attempt.route.name if attempt.route else ""
    log.error(
        "handler made a reply that cannot be sent",
        handler=name,
        event_id=head.event_id,
        chat_id=lease.chat_id,
        exc_info=error,
    )
    return DeadLetter(
        id=head.event_id,
        kind="event",
        reason=f"handler {name!r} made a reply that cannot be sent: {error}",
        lane=lease.lane,
        event_id=head.event_id,
        handler=name,
        at_ms=now_ms,
        item=head.to_bytes(),
    )


def _timeout(attempt: Attempt, event: Event, *, still_runs: Awaitable[object] | None) -> HandlerTimeout:
    name, attempts = ("", None) if attempt.route is None else (attempt.route.name, attempt.route.attempts)
    still = "" if still_runs is None else "; it still runs and cannot be stopped"
    return HandlerTimeout(
        f"handler {name!r} overran its time on event {event.event_id}{still}; give it timeout= or make it faster",
        handler=name,
        attempts=attempts,
        thread=still_runs,
    )
