"""one leased event -> what its handlers say. Asks the handlers in order and freezes what the first taker answers.

The deadline runs per handler, for a stream between two bubbles; it stands still while the turn waits for a thread or for
the store, which is not the handler's fault.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from linqbot.clock import Clock
from linqbot.errors import HandlerFailed, LeaseLost, ReplyError
from linqbot.events import Event, Message, MessageEdited, MessageEvent
from linqbot.handling.deadline import Deadline
from linqbot.handling.delivery import Delivery
from linqbot.handling.loops import Loops
from linqbot.handling.parameters import Need, Origin
from linqbot.handling.plan import Plan
from linqbot.handling.policy import Visit
from linqbot.handling.route import Route
from linqbot.handling.services import Scope
from linqbot.handling.threads import Threads
from linqbot.handling.trigger import Match
from linqbot.handling.turn import Port, Turn, chat_of
from linqbot.protocol.guard import guards_of_answer, line_key
from linqbot.protocol.outbound import Answering, Frozen, freeze, keys_of_position
from linqbot.protocol.proactive import Cause, begin, chat_fact, chat_in, letter_of
from linqbot.protocol.threading import Circumstances
from linqbot.records import Commit, DeadLetter, Fact, Lease, OutboxItem, StateWrite
from linqbot.replies import NEXT, Action, Elsewhere, Reply, Send, Target, Thread, compose
from linqbot.replies.uploading import Answered, uploads_of, with_uploads


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """What all turns of a bot share."""

    plan: Plan
    namespace: str
    thread: Thread
    timeout_s: float
    clock: Clock
    threads: Threads
    services: Scope
    line: str | None = None
    """Where a `Send` leaves from that neither names a line nor answers an event of one."""
    loops: Loops


class Attempt:
    """One run of the handlers for the events of a lease."""

    def __init__(
        self,
        house: House,
        lease: Lease,
        *,
        event: Event,
        turn: Turn,
        port: Port,
        delivery: Delivery | None = None,
        others_spoke: bool,
    ) -> None:
        self.route: Route | None = None
        """The handler that was asked last."""
        self.replies: tuple[OutboxItem, ...] = ()
        self.dead: tuple[DeadLetter, ...] = ()
        self.state: tuple[StateWrite, ...] = ()
        self.deadline = Deadline(house.clock)
        self.running: asyncio.Future[Any] | None = None
        """The thread of a plain `def`, as long as it runs."""
        self._house = house
        self._lease = lease
        self._event = event
        self._turn = turn
        self._port = port
        self._delivery = delivery
        self._others_spoke = others_spoke
        self._scope = Scope(house.plan.catalogue, outer=house.services)
        self._frozen = Frozen()
        self._line = _number(event) or house.line
        self._facts: Mapping[str, Fact] = {}
        self._did = "raised"

    async def work(self) -> None:
        """Ask the handlers in order until one takes the event; its answer is in `replies` and `dead`.

        Raises `HandlerFailed` from what a handler or a service raised (a `StoreUnavailable` of its own calls, too: those of
        the turn wait for the store), `ReplyError` for an answer that cannot be said, and `LeaseLost` from the port.
        """
        done = False
        try:
            async with self._scope.stack:
                await self._ask()
                done = True
        except (ReplyError, LeaseLost, GeneratorExit):
            raise
        except asyncio.CancelledError as error:
            if _is_cancelled_from_outside():
                raise
            raise self._failure("was cancelled from inside") from error
        except BaseException as error:  # some would end the loop, and all with it
            raise self._failure(f"{self._did} {type(error).__name__}") from error
        if not done:
            raise self._failure("raised, and a service that it uses swallowed the error")

    async def _ask(self) -> None:
        for route in self._house.plan.routes:
            match = route.match(self._event)
            values = None if match is None else route.values(match)
            if match is None or values is None or not route.may_ask(self._event) or not await self._concerns(route):
                continue
            self.route, self._frozen = route, Frozen()
            if await self._visits(route, match, dict(values)):
                return

    async def _concerns(self, route: Route) -> bool:
        """Whether the event is about a message of ours, where the handler wants no other."""
        if route.condition.delivery:
            return route.condition.hears(self._delivery)
        message_id = getattr(self._event, "message_id", None)
        if not route.condition.on_ours or message_id is None:
            return not route.condition.on_ours
        self.deadline.stop()
        return await self._port.sent(message_id) is not None

    async def _visits(self, route: Route, match: Match, values: dict[str, Any]) -> bool:
        """Run a handler if its policies allow it; False: it returned `NEXT`."""
        visit = Visit(
            self._event,
            route.name,
            self._lease,
            clock=self._house.clock,
            port=self._port,
            loops=self._house.loops,
        )
        self.deadline.stop()
        for policy in route.policies:
            if not await policy.allows(visit):
                return True
        self.deadline.start(self._timeout_s)
        try:
            for policy in route.policies:
                policy.begins(visit)
            return await self._takes(route, match, values)
        finally:
            visit.end(answered=self._frozen.position > 0)
            self.state = tuple(visit.writes)

    async def _takes(self, route: Route, match: Match, values: dict[str, Any]) -> bool:
        """Run a handler; False: it returned `NEXT`."""
        for need in route.needs:
            if need.origin is not Origin.GROUP and self._can_fill(need):
                values[need.name] = await self._supply(need)
        answer = await self._call(partial(route.function, **values))
        answering = self._answering(route, match)
        if isinstance(answer, AsyncIterator):
            return await self._stream(answer, answering)
        replies = compose(answer)
        if replies is NEXT:
            return False
        replies = await self._upload(replies)
        await self._look_up(replies)
        frozen = self._freeze(replies, answering)
        self.replies, self.dead = frozen.items, frozen.dead
        return True

    async def _call(self, function: Callable[[], Any]) -> Any:
        inner = getattr(function, "func", function)
        on_loop = inspect.iscoroutinefunction(inner) or inspect.isasyncgenfunction(inner)
        answer = function() if on_loop else await self._in_thread(function)
        return await answer if inspect.isawaitable(answer) else answer

    async def _in_thread(self, function: Callable[[], Any]) -> Any:
        self.deadline.stop()
        await self._house.threads.acquire()
        self.deadline.start(self._timeout_s)
        self.running = self._house.threads.start(function)
        answer, error = await asyncio.shield(self.running)
        self.running = None
        if error is None:
            return answer
        if isinstance(error, Exception):
            raise error
        raise RuntimeError(f"the handler left its thread by {type(error).__name__}") from error

    async def _stream(self, bubbles: AsyncIterator[Any], answering: Answering) -> bool:
        async with AsyncExitStack() as stack:
            if inspect.isasyncgen(bubbles):
                await stack.enter_async_context(aclosing(bubbles))
            async for bubble in bubbles:
                replies = compose(bubble)
                if replies is NEXT:
                    if self._frozen.position:
                        raise ReplyError("NEXT came after a bubble; a stream passes on before it says something")
                    return False
                replies = await self._upload(replies)
                await self._look_up(replies)
                await self._commit_bubble(self._freeze(replies, answering), answering)
        return True

    async def _upload(self, replies: tuple[Answered, ...]) -> tuple[Answered, ...]:
        """Bring the files of the replies to Linq, so that what is frozen holds its ids of them."""
        files = [upload for reply in replies for upload in uploads_of(reply)]
        if not files:
            return replies
        self.deadline.stop()
        self._did = "could not upload a file:"
        ids = iter([await self._port.upload(file) for file in files])
        self._did = "raised"
        self.deadline.start(self._timeout_s)
        return tuple(with_uploads(reply, ids) for reply in replies)

    async def _look_up(self, replies: tuple[Answered, ...]) -> None:
        """Learn which chats the recipients of sends have."""
        sends = [reply for reply in replies if isinstance(reply, Send)]
        keys = [key for send in sends if (key := chat_fact(send, self._line)) is not None]
        if keys:
            self.deadline.stop()
            self._facts = await self._port.facts(keys)
            self.deadline.start(self._timeout_s)

    def _freeze(self, replies: tuple[Answered, ...], answering: Answering) -> Frozen:
        """Freeze the next replies, without those that an earlier run has sent."""
        items: list[OutboxItem] = []
        dead: list[DeadLetter] = []
        for reply in replies:
            if isinstance(reply, Reply | Action):
                frozen, said = self._freeze_reply(reply, answering)
            else:
                frozen, said = self._freeze_send(reply, answering)
            if not said:
                items += frozen.items
                dead += frozen.dead
        return Frozen(items=tuple(items), dead=tuple(dead))

    def _freeze_reply(self, reply: Reply | Action, answering: Answering) -> tuple[Frozen, bool]:
        known = self._lease.frozen  # most runs are the first: then no key need be made to look for it
        said = bool(known) and bool(keys_of_position(answering, self._frozen.position) & known)
        self._frozen = freeze([reply], answering, after=self._frozen)
        return self._frozen, said

    def _freeze_send(self, send: Elsewhere, answering: Answering) -> tuple[Frozen, bool]:
        """What goes elsewhere takes a place in the turn's order, and none of its bubbles."""
        assert isinstance(send, Send), "nothing else is said elsewhere"
        cause = Cause(
            namespace=answering.namespace,
            event_id=answering.event_id,
            handler=answering.handler,
            position=self._frozen.position,
            line=self._line,
            now_ms=answering.now_ms,
        )
        self._frozen = replace(self._frozen, position=self._frozen.position + 1)
        try:
            items = begin(send, cause, chat_id=chat_in(self._facts, send, self._line) or self._same_chat(send))
        except ReplyError as error:
            return Frozen(dead=(letter_of(send, cause, error),)), False
        return Frozen(items=items), any(item.key in self._lease.frozen for item in items)

    def _same_chat(self, send: Send) -> str | None:
        """The chat of the event, if the send goes to the very person who is in it."""
        is_theirs = send.recipients == (_person(self._event),) and (send.line or self._line) == _number(self._event)
        return self._event.chat_id if is_theirs else None

    async def _commit_bubble(self, bubble: Frozen, answering: Answering) -> None:
        self.dead += bubble.dead
        self.deadline.stop()
        try:
            if bubble.items:
                head = self._lease
                await self._port.freeze(
                    Commit(lane=head.lane, token=head.token, event_id=answering.event_id, take=0, replies=bubble.items)
                )
        finally:
            self.deadline.start(self._timeout_s)

    def _answering(self, route: Route, match: Match) -> Answering:
        return Answering(
            namespace=self._house.namespace,
            event_id=self._lease.events[0].event_id,
            handler=route.name,
            chat_id=self._event.chat_id,
            thread=route.thread or self._house.thread,
            around=_around(self._event, match, others_spoke=self._others_spoke),
            about=_about(self._event, match),
            line=_line(self._event),
            guards=guards_of_answer(_person(self._event)),
            now_ms=self._lease.now_ms,
        )

    def _can_fill(self, need: Need) -> bool:
        return need.origin is not Origin.SERVICE or self._house.plan.catalogue.provides(need)

    async def _supply(self, need: Need) -> Any:
        if need.origin is Origin.EVENT:
            return self._event
        if need.origin is Origin.TURN:
            return self._turn
        if need.origin is Origin.DELIVERY:
            if self._delivery is None and not need.may_be_none:
                raise LookupError(
                    f"event {self._event.event_id} is not handled by @bot.delivery, so there is no Delivery"
                )
            return self._delivery
        if need.origin is Origin.SERVICE:
            return await self._scope.get(need, self._supply)
        chat = chat_of(self._event)
        if chat is None and not need.may_be_none:
            raise LookupError(f"event {self._event.event_id} does not say of which chat it is; annotate `Chat | None`")
        return chat

    @property
    def _timeout_s(self) -> float:
        own = None if self.route is None else self.route.timeout_s
        return self._house.timeout_s if own is None else own

    def _failure(self, what: str) -> HandlerFailed:
        name, attempts = ("", None) if self.route is None else (self.route.name, self.route.attempts)
        return HandlerFailed(
            f"handler {name!r} {what} on event {self._event.event_id}", handler=name, attempts=attempts
        )


def _around(event: Event, match: Match, *, others_spoke: bool) -> Circumstances:
    """How the chat stands, for threading; an event that is no message is not threaded on."""
    is_group = None if event.chat is None else event.chat.is_group
    is_message = isinstance(event, Message)
    return Circumstances(
        message=_about(event, match) if is_message else None,
        service=_service(event),
        is_group=is_group is True,
        is_direct=is_group is False,
        person_threaded=isinstance(event, Message) and event.reply_to is not None,
        others_spoke=others_spoke,
    )


def _number(event: Event) -> str | None:
    """The line that an event came to, where its webhook says so."""
    line = None if event.chat is None else event.chat.line
    return None if line is None else line.handle or None


def _line(event: Event) -> str:
    """The name of the line that the event came to; empty: Linq did not say."""
    number = _number(event)
    return line_key(number) if number else ""


def _person(event: Event) -> str | None:
    """Whom an answer to the event reaches; None: a group, or Linq did not say."""
    if event.is_from_me or event.sender is None or event.chat is None:
        return None
    direct = not event.chat.is_group if isinstance(event, Message) else event.chat.is_group is False
    return event.sender.handle if direct else None


def _about(event: Event, match: Match) -> Target | None:
    """The message that an event is, or is about: where an action without a target belongs."""
    if isinstance(event, Message):
        return Target(event.id, match.part_index)
    message_id = event.id if isinstance(event, MessageEvent | MessageEdited) else getattr(event, "message_id", None)
    return Target(message_id, getattr(event, "part_index", 0)) if isinstance(message_id, str) else None


def _service(event: Event) -> str | None:
    """Over which service it came, or how the chat is kept; None: unknown."""
    service = getattr(event, "service", None)
    chat = event.chat
    return service if isinstance(service, str) else None if chat is None else chat.service


def _is_cancelled_from_outside() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
