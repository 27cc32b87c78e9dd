"""foreign JSON -> Reaction. Tapbacks, emojis and stickers on messages and polls (linq-api-v3.md section 8.6)."""

from __future__ import annotations

from linqbot.events.event import Event
from linqbot.events.part import MessageRef, Sticker
from linqbot.events.wire import Index, Maybe, Time, Word


class Reaction(Event):
    """Somebody, perhaps you, reacted or took it back; see `added` and `is_from_me`."""

    shown = ("event_id", "type", "chat_id", "message_id", "reaction_type")

    reaction_id: Maybe[str] = None
    reaction_type: Word = ""
    """`love like dislike laugh emphasize question custom sticker`; others may come."""
    custom_emoji: Maybe[str] = None
    """The emoji of a `custom` one."""
    sticker: Maybe[Sticker] = None
    message_id: Maybe[str] = None
    """What it is on; None: Linq did not say."""
    part_index: Index = 0
    service: Maybe[str] = None
    reacted_at: Time = None

    @property
    def added(self) -> bool:
        """Whether it came; False: it was taken back."""
        return not self.type.endswith(".removed")

    @property
    def message(self) -> MessageRef:
        """What it is on, to reply to."""
        return MessageRef(message_id=self.message_id, part_index=self.part_index)
