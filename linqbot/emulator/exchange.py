"""Content -> Message -> events. What Linq does with messages: accepts ours, takes in theirs, tells what became of them.

Accepting is one synchronous step, so that an idempotency key and its message appear together. What follows is its
lifecycle.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial

from linqbot.clock import Clock
from linqbot.emulator import choices, payloads, poll_payloads, services
from linqbot.emulator.entities import Chat, Json, Message, Option, Person, Poll
from linqbot.emulator.gate import Gate
from linqbot.emulator.lifecycle import Failure, Lifecycle
from linqbot.emulator.names import Names
from linqbot.emulator.postman import Postman
from linqbot.emulator.problems import Problem
from linqbot.emulator.rules import Content
from linqbot.emulator.world import World


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
    chat_id: str | None = None
    late_by_ms: int | None = None
    """How long before now it was written, when it is recovered late (section 9.5)."""
    poll_options: tuple[str, ...] = field(default=(), repr=False)


class Exchange:
    """Moves messages between our lines and the phones of the world."""

    def __init__(
        self, world: World, postman: Postman, lifecycle: Lifecycle, *, clock: Clock, names: Names, gate: Gate
    ) -> None:
        self._world = world
        self._postman = postman
        self._lifecycle = lifecycle
        self._clock = clock
        self._names = names
        self._gate = gate

    def open_chat(self, line: str, others: Iterable[str], *, service: str, trace_id: str) -> Chat:
        """Create a chat and announce it."""
        chat = self._world.add_chat(line, others, service=service, now_ms=self._clock.now_ms())
        data = partial(payloads.chat_created, chat)
        self._postman.announce("chat.created", data, line=line, chat_id=chat.id, trace_id=trace_id)
        return chat

    def accept(
        self,
        chat: Chat,
        content: Content,
        *,
        trace_id: str,
        failure: Failure | None = None,
        poll: Poll | None = None,
    ) -> Message:
        """Take a message of ours; raises Problem when the pair had too many, or `reply_to` names nothing."""
        now_ms, line = self._clock.now_ms(), self._world.lines[chat.line]
        self._check_target(chat, content)
        self._gate.spend(chat)
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
            zero_retention=line.zero_retention,
            poll=poll,
        )
        line.last_used = self._world.tick()
        self._world.add_message(message)
        chat.updated_ms = now_ms
        self._lifecycle.begin(message, failure)
        return message

    def receive(self, inbound: Inbound, *, trace_id: str) -> tuple[str, Message] | None:
        """Take a message of somebody; opens the chat when it is new. Returns the event's id and the message.

        A `message_id` that is known announces that message again and changes nothing else. None: nobody will ever know,
        because the sender is blocked (section 7.7) or our line left the chat.
        """
        if inbound.sender in self._world.blocked:
            return None
        message = self._world.messages.get(inbound.message_id or "") or self._receive_new(inbound, trace_id)
        if message is None:
            return None
        event_type = "message.received" if message.poll is None else "poll.received"
        make = payloads.message_event if message.poll is None else poll_payloads.happened
        event_id = self._postman.announce(
            event_type,
            partial(make, message, event_type),
            line=message.chat.line,
            chat_id=message.chat.id,
            trace_id=trace_id,
            event_id=inbound.event_id,
        )
        return event_id, message

    def poll_of(self, creator: Person, texts: Iterable[str]) -> Poll:
        """A new poll with these answers."""
        return Poll(options=[Option(id=self._names.uuid(), text=text, creator=creator) for text in texts])

    def _receive_new(self, inbound: Inbound, trace_id: str) -> Message | None:
        chat = self._chat_for(inbound, trace_id)
        sender = chat.member(inbound.sender)
        if chat.was_left or sender is None:
            return None
        now_ms = self._clock.now_ms()
        self._gate.note(chat, inbound.sender, inbound.parts)  # choices.OPT_OUT_HEALTH: before the webhook is written
        late = inbound.late_by_ms is not None
        message = Message(
            id=inbound.message_id or self._names.uuid(),
            chat=chat,
            sender=sender,
            parts=inbound.parts,
            created_ms=now_ms,
            updated_ms=now_ms,
            sent_ms=now_ms - (inbound.late_by_ms or 0),
            trace_id=trace_id,
            status="received",
            effect=inbound.effect,
            reply_to=inbound.reply_to,
            service=chat.service,
            reconciled_ms=now_ms if late else None,
            zero_retention=self._world.lines[chat.line].zero_retention,
            poll=self.poll_of(sender, inbound.poll_options) if inbound.poll_options else None,
        )
        self._world.add_message(message)
        chat.updated_ms = now_ms
        return message

    def _chat_for(self, inbound: Inbound, trace_id: str) -> Chat:
        people = dict.fromkeys((inbound.sender, *inbound.group))
        others = frozenset(people) - {inbound.line}
        chat = self._world.chats.get(inbound.chat_id or "") or self._world.chat_of(inbound.line, others)
        if chat is None:  # choices.CREATED_BEFORE_MESSAGE
            service = (
                inbound.service
                or services.pick(services.shared(self._world, others, line=inbound.line), None)
                or "iMessage"
            )
            return self.open_chat(
                inbound.line, (one for one in people if one in others), service=service, trace_id=trace_id
            )
        if inbound.service is not None:  # choices.INBOUND_SERVICE
            services.change(chat, inbound.service)
        return chat

    def _check_target(self, chat: Chat, content: Content) -> None:
        if content.reply_to is None:
            return
        target = self._world.messages.get(content.reply_to["message_id"])  # choices.REPLY_PART
        if target is None or target.chat is not chat or target.is_deleted:
            raise Problem(404, choices.REPLY_TARGET_CODE, "Message to reply to not found")
