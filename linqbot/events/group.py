"""foreign JSON -> Event. What happens to a chat itself, and who is in it (linq-api-v3.md section 8.6)."""

from __future__ import annotations

from linqbot.events.chat import Chat, Handle
from linqbot.events.event import Event
from linqbot.events.wire import Maybe, Some, Time, Words


class ChatCreated(Event):
    """A chat began: `chat.created`, direct or group; all that is known of it is in `chat`."""

    chat_id: str
    chat: Chat


class ChatValueUpdated(Event):
    """A group got another name or icon: `chat.group_name_updated`, `chat.group_icon_updated`; `sender` did it."""

    old_value: Maybe[str] = None
    """The name, or the icon's address; None: there was none."""
    new_value: Maybe[str] = None
    updated_at: Time = None


class ChatUpdateFailed(Event):
    """Your change of a group's name or icon, or of a background, was not done: `chat.*_update_failed`."""

    shown = ("event_id", "type", "chat_id", "error_code")

    error_code: Maybe[int] = None
    """See linq-api-v3.md section 2."""
    failed_at: Time = None


class Background(Words):
    """What is behind the bubbles of a chat."""

    shown = ("type", "style", "variant")

    type: Maybe[str] = None
    """`color`, `dynamic` or `photo`; others may come."""
    style: Maybe[str] = None
    variant: Maybe[str] = None
    shades: Some[str] = ()
    image_url: Maybe[str] = None


class BackgroundUpdated(Event):
    """A chat got another background: `chat.background_updated`."""

    background: Maybe[Background] = None
    """None: probably removed; Linq does not say so outright."""


class Participation(Event):
    """Somebody joined or left a group: `participant.added`, `participant.removed`; your own line too."""

    participant: Maybe[Handle] = None
    added_at: Time = None
    removed_at: Time = None

    @property
    def added(self) -> bool:
        """Whether they joined; False: they left or were removed."""
        return not self.type.endswith(".removed")


class Typing(Event):
    """Somebody, the `sender`, began or stopped to type; stopping is also told when they send."""

    @property
    def started(self) -> bool:
        """Whether they began."""
        return self.type.endswith(".started")
