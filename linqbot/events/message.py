"""foreign JSON -> Message. What is said, by them and by us, and what became of it (linq-api-v3.md section 8.5)."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated

from linqbot.events.chat import Chat, Handle
from linqbot.events.event import Event
from linqbot.events.part import Effect, LinkPart, MediaPart, MessageRef, Parts, TextPart
from linqbot.events.wire import Flag, Index, Maybe, Or, Time, Word, Words


class MessageEvent(Event):
    """A message as Linq tells of it; the same shape for both payload versions."""

    shown = ("event_id", "type", "chat_id", "id")

    id: str
    chat_id: str
    chat: Chat
    sender: Annotated[Handle, Or(Handle())] = Handle()
    """Who wrote it; its `handle` is `""` when Linq did not say."""
    direction: Word = ""
    """`inbound` or `outbound`."""
    parts: Parts = ()
    effect: Maybe[Effect] = None
    reply_to: Maybe[MessageRef] = None
    """The message that it answers in a thread."""
    service: Maybe[str] = None
    """`iMessage`, `RCS` or `SMS` of this message; it can differ from the chat's."""
    preferred_service: Maybe[str] = None
    idempotency_key: Maybe[str] = None
    """The key that it was sent under."""
    sent_at: Time = None
    received_at: Time = None
    delivered_at: Time = None
    read_at: Time = None
    reconciled_at: Time = None
    """Set when Linq recovered it late: history, not something to answer (linq-api-v3.md section 9.5)."""
    zero_retention: Flag = False
    """Whether its content was withheld because the line keeps nothing."""

    @cached_property
    def text(self) -> str:
        """What it says; `""` without text, several texts joined by a line feed."""
        return "\n".join(part.value for part in self.parts if isinstance(part, TextPart))

    @property
    def media(self) -> tuple[MediaPart, ...]:
        """The files that came with it."""
        return tuple(part for part in self.parts if isinstance(part, MediaPart))

    @property
    def links(self) -> tuple[str, ...]:
        """The addresses of its link parts; addresses written in the text are not among them."""
        return tuple(part.value for part in self.parts if isinstance(part, LinkPart))

    @property
    def is_history(self) -> bool:
        """Whether it is nothing to answer: recovered late, or without its content (linq-api-v3.md section 9.5)."""
        return self.reconciled_at is not None or self.zero_retention

    @property
    def line(self) -> Handle | None:
        """Your own handle in the chat; None when Linq did not say."""
        return self.chat.line

    def part_at(self, offset: int) -> int:
        """The index of the part that holds this offset of `text`; 0 when no text part does."""
        start = 0
        for index, part in enumerate(self.parts):
            if isinstance(part, TextPart):
                end = start + len(part.value)
                if start <= offset <= end:
                    return index
                start = end + 1
        return 0


class Message(MessageEvent):
    """Somebody wrote to you: `message.received`."""


class MessageSent(MessageEvent):
    """A message of your line left: `message.sent`. The only news there is of messages to groups and by SMS."""


class MessageDelivered(MessageEvent):
    """A message of your line arrived: `message.delivered`."""


class MessageRead(MessageEvent):
    """A message of your line was read: `message.read`."""


class MessageFailed(Event):
    """A message of your line did not arrive: `message.failed`. With code 4001 a `MessageDelivered` may still follow."""

    shown = ("event_id", "type", "chat_id", "message_id", "code")

    message_id: Maybe[str] = None
    code: Maybe[int] = None
    """See linq-api-v3.md section 2."""
    detail_code: Maybe[int] = None
    """Its meaning is not documented."""
    reason: Word = ""
    service: Maybe[str] = None
    preferred_service: Maybe[str] = None
    failed_at: Time = None


class EditedPart(Words):
    """The part that was edited, and what it says now."""

    shown = ("index",)

    index: Index = 0
    text: Word = ""


class MessageEdited(Event):
    """Somebody, perhaps you, changed a text: `message.edited`; only in payload version 2026-02-03."""

    shown = ("event_id", "type", "chat_id", "id")

    id: str
    chat_id: str
    chat: Chat
    sender: Annotated[Handle, Or(Handle())] = Handle()
    direction: Word = ""
    part: Annotated[EditedPart, Or(EditedPart())] = EditedPart()
    edited_at: Time = None
    zero_retention: Flag = False

    @property
    def text(self) -> str:
        """What the part says now; `""` when its content was withheld."""
        return self.part.text
