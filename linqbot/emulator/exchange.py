"""Content -> Message -> events. What Linq does with messages: accepts ours, takes in theirs, tells what became of them.

Accepting is one synchronous step, so that an idempotency key and its message appear together. What follows (sent,
delivered, read or failed) happens on the agenda, under the trace id of the call that caused it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial

from linqbot.clock import Clock
from linqbot.emulator import choices, shapes
from linqbot.emulator.agenda import Agenda
from linqbot.emulator.names import Names
from linqbot.emulator.postman import Postman
from linqbot.emulator.problems import Problem
from linqbot.emulator.rules import Content
from linqbot.emulator.world import Chat, Json, Message, World

PAIR_LIMIT = 30
"""Messages per 60 s from a line to a chat (linq-api-v3.md section 3)."""

OPT_OUT_WORDS = frozenset({"STOP", "UNSUBSCRIBE", "OPTOUT", "CANCEL", "END", "QUIT"})
"""Section 9.1: whole trimmed message, case-sensitive."""

_OPT_OUT_SPELLINGS = frozenset({"opt out", "opt-out", "optout"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A message that is accepted and then not delivered, or late after all."""

    code: int = 4001
    reason: str = "Message send failed"
    delivered_late: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbound:
    """A message of somebody to a line."""

    sender: str = field(repr=False)
    line: str = field(repr=False)
    parts: list[Json] = field(repr=False)
    group: tuple[str, ...] = field(default=(), repr=False)
    service: str | None = None
    reply_to: Json | None = None
    effect: Json | None = None
    event_id: str | None = None
    message_id: str | None = None


def is_opt_out(parts: list[Json]) -> bool:
    """Whether a message is one of the words that opt out."""
    if len(parts) != 1 or parts[0].get("type") != "text":
        return False
    text = str(parts[0].get("value")).strip()
    return text in OPT_OUT_WORDS or text.lower() in _OPT_OUT_SPELLINGS


class Exchange:
    """Moves messages between our lines and the phones of the world."""

    def __init__(
        self,
        world: World,
        postman: Postman,
        agenda: Agenda,
        *,
        clock: Clock,
        names: Names,
        pair_limit: int | None = PAIR_LIMIT,
        lifecycle_ms: tuple[int, int, int] = choices.LIFECYCLE_MS,
    ) -> None:
        self._world = world
        self._postman = postman
        self._agenda = agenda
        self._clock = clock
        self._names = names
        self._pair_limit = pair_limit
        self._lifecycle_ms = lifecycle_ms

    def open_chat(self, line: str, others: Iterable[str], *, service: str, trace_id: str) -> Chat:
        """Create a chat and announce it."""
        chat = self._world.add_chat(line, others, service=service, now_ms=self._clock.now_ms())
        data = partial(shapes.chat_created, chat)
        self._postman.announce("chat.created", data, line=line, trace_id=trace_id)
        return chat

    def check_recipients(self, others: frozenset[str], content: Content) -> None:
        """Refuse a message to one person who opted out, unless this request overrides it (section 9.1)."""
        if content.override_optout or len(others) != 1:
            return
        if not others.isdisjoint(self._world.opted_out):
            raise Problem(403, 2024, "Recipient has opted out")

    def accept(self, chat: Chat, content: Content, *, trace_id: str, failure: Failure | None = None) -> Message:
        """Take a message of ours; raises Problem when the pair had too many, or `reply_to` names nothing."""
        now_ms = self._clock.now_ms()
        self._check_target(chat, content)
        self._spend(chat, now_ms)
        message = Message(
            id=self._names.uuid(),
            chat=chat,
            sender=chat.me,
            parts=content.parts,
            created_ms=now_ms,
            updated_ms=now_ms,
            trace_id=trace_id,
            effect=content.effect,
            reply_to=content.reply_to,
            preferred_service=content.preferred_service,
            idempotency_key=content.idempotency_key,
        )
        self._world.add_message(message)
        chat.updated_ms = now_ms
        failure = failure or _impossible(message)
        if failure is None:
            self._world.add_heard(message, shapes.moment(now_ms))
            self._agenda.at(now_ms + self._lifecycle_ms[0], partial(self._sent, message))
        else:
            self._agenda.at(now_ms + self._lifecycle_ms[0], partial(self._failed, message, failure))
        return message

    def receive(self, inbound: Inbound, *, trace_id: str) -> tuple[str, Message]:
        """Take a message of somebody; opens the chat when it is new. Returns the event's id and the message.

        A `message_id` that is known announces that message again and changes nothing else.
        """
        message = self._world.messages.get(inbound.message_id or "")
        if message is None:
            message = self._receive_new(inbound, trace_id)
        event_id = self._postman.announce(
            "message.received",
            partial(shapes.message_event, message, "message.received"),
            line=message.chat.line,
            trace_id=trace_id,
            event_id=inbound.event_id,
        )
        return event_id, message

    def _receive_new(self, inbound: Inbound, trace_id: str) -> Message:
        now_ms = self._clock.now_ms()
        others = frozenset({inbound.sender, *inbound.group}) - {inbound.line}
        service = inbound.service or "iMessage"
        chat = self._world.chat_of(inbound.line, others)
        if chat is None:  # choices.CREATED_BEFORE_MESSAGE
            ordered = dict.fromkeys((inbound.sender, *inbound.group))
            chat = self.open_chat(
                inbound.line, (one for one in ordered if one in others), service=service, trace_id=trace_id
            )
        elif inbound.service is not None:  # choices.INBOUND_SERVICE
            _change_service(chat, service)
        self._note_opt_out(chat, inbound, now_ms)  # choices.OPT_OUT_HEALTH: before the webhook is written
        sender = next(person for person in chat.others if person.handle == inbound.sender)
        message = Message(
            id=inbound.message_id or self._names.uuid(),
            chat=chat,
            sender=sender,
            parts=inbound.parts,
            created_ms=now_ms,
            updated_ms=now_ms,
            sent_ms=now_ms,
            trace_id=trace_id,
            status="received",
            effect=inbound.effect,
            reply_to=inbound.reply_to,
            service=chat.service,
        )
        self._world.add_message(message)
        chat.updated_ms = now_ms
        return message

    def _note_opt_out(self, chat: Chat, inbound: Inbound, now_ms: int) -> None:
        if is_opt_out(inbound.parts):
            if not chat.is_group:
                self._world.opted_out.setdefault(inbound.sender, []).append(chat)
                chat.health, chat.health_ms = "OPTED_OUT", now_ms
            return
        for marked in self._world.opted_out.pop(inbound.sender, ()):
            marked.health, marked.health_ms = "HEALTHY", now_ms

    def _check_target(self, chat: Chat, content: Content) -> None:
        if content.reply_to is None:
            return
        target = self._world.messages.get(content.reply_to["message_id"])
        if target is None or target.chat is not chat:
            raise Problem(404, choices.REPLY_TARGET_CODE, "Message to reply to not found")

    def _spend(self, chat: Chat, now_ms: int) -> None:
        if self._pair_limit is None:
            return
        # choices.PAIR_OF_A_GROUP: the minute is the chat's
        sends = chat.recent_sends
        while sends and sends[0] <= now_ms - choices.PAIR_WINDOW_MS:
            sends.popleft()
        if len(sends) >= self._pair_limit:
            wait_s = -(-(sends[0] + choices.PAIR_WINDOW_MS - now_ms) // 1000)
            raise Problem(429, 1007, f"Rate limited. Try again in {wait_s} seconds.", retry_after=wait_s)
        sends.append(now_ms)

    def _sent(self, message: Message) -> None:
        chat = message.chat
        message.service = _service(message)
        message.status, message.sent_ms = "sent", self._clock.now_ms()
        self._tell(message, "message.sent")
        if not chat.is_group and message.service != "SMS":
            self._later(message, 1, self._delivered)

    def _delivered(self, message: Message) -> None:
        message.status, message.delivered_ms = "delivered", self._clock.now_ms()
        self._tell(message, "message.delivered")
        self._later(message, 2, self._read)

    def _read(self, message: Message) -> None:
        message.status, message.read_ms = "read", self._clock.now_ms()
        self._tell(message, "message.read")

    def _failed(self, message: Message, failure: Failure) -> None:
        now_ms = self._clock.now_ms()
        message.status, message.updated_ms = "failed", now_ms
        data = shapes.message_failed(message, code=failure.code, reason=failure.reason, failed_ms=now_ms)
        self._postman.announce("message.failed", lambda _: data, line=message.chat.line, trace_id=message.trace_id)
        if failure.delivered_late:
            self._world.add_heard(message, shapes.moment(message.created_ms))
            message.service, message.sent_ms = _service(message), now_ms
            self._later(message, 1, self._delivered)

    def _later(self, message: Message, step: int, act: Callable[[Message], None]) -> None:
        after_ms = max(0, self._lifecycle_ms[step] - self._lifecycle_ms[step - 1])
        self._agenda.at(self._clock.now_ms() + after_ms, partial(act, message))

    def _tell(self, message: Message, event_type: str) -> None:
        message.updated_ms = self._clock.now_ms()
        data = partial(shapes.message_event, message, event_type)
        self._postman.announce(event_type, data, line=message.chat.line, trace_id=message.trace_id)


def _service(message: Message) -> str:
    has = message.chat.service
    if message.preferred_service in ("RCS", "SMS"):
        return "RCS" if has == "RCS" else "SMS"
    return has


def _impossible(message: Message) -> Failure | None:
    if message.preferred_service == "iMessage" and message.chat.service != "iMessage":
        return Failure(code=choices.SERVICE_IMPOSSIBLE_CODE)
    return None


def _change_service(chat: Chat, service: str) -> None:
    chat.service = service
    for person in (chat.me, *chat.others):
        person.service = service
