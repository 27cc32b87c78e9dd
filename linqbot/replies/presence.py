"""Signs of life and acquaintance: typing, read receipts, your contact card, and where they are.

Source: linq-api-v3.md sections 7.4 and 7.7.
"""

from __future__ import annotations

from dataclasses import dataclass

from linqbot.errors import ReplyError
from linqbot.replies.action import Action


@dataclass(frozen=True, slots=True)
class Typing(Action):
    """Show that you are typing, for 85 to 90 seconds or until the next message; `Typing(False)` stops it.

    iMessage only, and only where you wrote within the last minutes; in groups at Linq's best effort.
    """

    on: bool = True

    def __post_init__(self) -> None:
        shown: object = self.on
        if not isinstance(shown, bool):
            raise ReplyError(f"Typing is on or off: True or False, not of type {type(shown).__name__}")


@dataclass(frozen=True, slots=True)
class MarkRead(Action):
    """Mark everything in the chat as read and tell so: on iMessage and RCS, in direct chats."""


@dataclass(frozen=True, slots=True)
class ShareContact(Action):
    """Share your line's contact card, in an iMessage chat where you wrote before; advised once a day, possible once in 5
    minutes. The line needs an active card. Never repeated when its fate is unknown.
    """


@dataclass(frozen=True, slots=True)
class RequestLocation(Action):
    """Ask somebody to share where they are, in a direct iMessage chat; `location.sharing.started` tells that they do.

    Never repeated when its fate is unknown, for they would be asked twice.
    """
