"""foreign JSON -> Event. What every webhook of Linq has in common (linq-api-v3.md section 8.4)."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import SkipValidation

from linqbot.events.chat import Chat, Handle
from linqbot.events.wire import Flag, Maybe, Time, Words


class Event(Words):
    """Something that happened at Linq. Fields of its payload that no model names are attributes, as they came."""

    shown: ClassVar[tuple[str, ...]] = ("event_id", "type", "chat_id")

    event_id: str
    """The same on every repeat."""
    type: str
    """Linq's name for it, like `message.received`; unknown ones are legal."""
    created_at: Time = None
    trace_id: Maybe[str] = None
    """What Linq's support asks for."""
    webhook_version: Maybe[str] = None
    partner_id: Maybe[str] = None
    chat_id: Maybe[str] = None
    """None: it is about no chat."""
    chat: Maybe[Chat] = None
    sender: Maybe[Handle] = None
    """Who did it; None: Linq did not say."""
    is_from_me: Flag = False
    """Whether it is your own doing that comes back as an event (linq-api-v3.md section 9.6)."""
    raw: Annotated[dict[str, Any], SkipValidation]
    """The webhook's whole body as parsed, not a copy: do not change it."""

    def __hash__(self) -> int:
        return hash(self.event_id)


class UnknownEvent(Event):
    """An event without a model here: newer than this linqbot, or with a payload that Linq does not document."""
