"""kind of action -> how Linq is asked for it, and what may be done when nobody knows whether it was done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from linqbot.records import Repeat
from linqbot.replies import (
    Action,
    AddOptions,
    AddParticipant,
    ClearBackground,
    Edit,
    LeaveChat,
    MarkRead,
    Poll,
    React,
    RemoveParticipant,
    RenameGroup,
    RequestLocation,
    SetBackground,
    SetGroupIcon,
    ShareContact,
    Sticker,
    Typing,
    Unreact,
    Unvote,
    VoiceMemo,
    Vote,
)

_CHAT = "/v3/chats/{chat}"
_MESSAGE = "/v3/messages/{message}"

_REACTIONS = "/v3/messages/{message}/reactions"
_VOTES = "/v3/messages/{message}/poll/votes"
_PEOPLE = "/v3/chats/{chat}/participants"

_IMESSAGE = ("iMessage",)
_RICH = ("iMessage", "RCS")
_ALL = ("iMessage", "RCS", "SMS")


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """How Linq is asked for one kind of action."""

    method: str
    path: str
    """With `{chat}` or `{message}` in it."""
    repeat: Repeat
    services: tuple[str, ...] = _ALL
    """Where Linq does it (linq-api-v3.md section 9.3)."""
    elsewhere: Literal["refused", "idle"] = "refused"
    """What another service makes of it: Linq refuses it, or takes it without any effect."""
    chats: Literal["any", "group", "direct"] = "any"
    """In which kind of chat Linq does it (linq-api-v3.md sections 7.3, 9.3)."""
    fleeting: bool = False
    """Whether it is a sign of life, worth nothing later."""
    units: int = 0
    """How much of the chat's budget it costs; what costs nothing makes no message."""


def _sign(method: str, path: str, services: tuple[str, ...]) -> Deed:
    return Deed(method=method, path=path, repeat=Repeat.REPEATABLE, services=services, elsewhere="idle", fleeting=True)


DEEDS: Mapping[type[Action], Deed] = {
    React: Deed(method="POST", path=_REACTIONS, repeat=Repeat.REPEATABLE, services=_RICH),
    Unreact: Deed(method="POST", path=_REACTIONS, repeat=Repeat.REPEATABLE, services=_RICH),
    Edit: Deed(method="PATCH", path=_MESSAGE, repeat=Repeat.REPEATABLE, services=_IMESSAGE),
    VoiceMemo: Deed(method="POST", path=f"{_CHAT}/voicememo", repeat=Repeat.NEVER, units=1),
    Poll: Deed(method="POST", path=f"{_CHAT}/polls", repeat=Repeat.KEYED, services=_IMESSAGE, units=1),
    Vote: Deed(method="POST", path=_VOTES, repeat=Repeat.REPEATABLE, services=_IMESSAGE),
    Unvote: Deed(method="POST", path=_VOTES, repeat=Repeat.REPEATABLE, services=_IMESSAGE),
    AddOptions: Deed(method="POST", path=f"{_MESSAGE}/poll/options", repeat=Repeat.NEVER, services=_IMESSAGE),
    Typing: _sign("POST", f"{_CHAT}/typing", _IMESSAGE),
    MarkRead: _sign("POST", f"{_CHAT}/read", _RICH),
    ShareContact: Deed(method="POST", path=f"{_CHAT}/share_contact_card", repeat=Repeat.NEVER, services=_IMESSAGE),
    RequestLocation: Deed(
        method="POST", path=f"{_CHAT}/location/request", repeat=Repeat.NEVER, services=_IMESSAGE, chats="direct"
    ),
    RenameGroup: Deed(method="PUT", path=_CHAT, repeat=Repeat.REPEATABLE, services=_IMESSAGE, chats="group"),
    SetGroupIcon: Deed(method="PUT", path=_CHAT, repeat=Repeat.REPEATABLE, services=_IMESSAGE, chats="group"),
    AddParticipant: Deed(method="POST", path=_PEOPLE, repeat=Repeat.REPEATABLE, services=_IMESSAGE, chats="group"),
    RemoveParticipant: Deed(method="DELETE", path=_PEOPLE, repeat=Repeat.REPEATABLE, services=_IMESSAGE, chats="group"),
    LeaveChat: Deed(method="POST", path=f"{_CHAT}/leave", repeat=Repeat.REPEATABLE, services=_IMESSAGE, chats="group"),
    SetBackground: Deed(
        method="POST", path=f"{_CHAT}/background", repeat=Repeat.REPEATABLE, services=_IMESSAGE, elsewhere="idle"
    ),
    ClearBackground: Deed(
        method="DELETE", path=f"{_CHAT}/background", repeat=Repeat.REPEATABLE, services=_IMESSAGE, elsewhere="idle"
    ),
}
"""Each kind of action. May it be repeated when the outcome of an attempt is unknown?

KEYED: a poll has an idempotency key as a message has (linq-api-v3.md section 4), so Linq makes one of two.
REPEATABLE: a tapback, an edit, a vote, typing, a read receipt, the name and the icon of a group, who is in it, a
background: the second time it is so already. Typing and read receipts could be repeated, too, but mean nothing later.
NEVER: a voice memo, a sticker, options of a poll, a contact card, a request for a location would be there twice, and Linq
documents no key for them (linq-api-v3.md section 4).
"""

_STICKER = Deed(method="POST", path=_REACTIONS, repeat=Repeat.NEVER, services=_RICH)
_STOP_TYPING = _sign("DELETE", f"{_CHAT}/typing", _IMESSAGE)


def deed_of(action: Action) -> Deed:
    """How Linq is asked for this action."""
    if isinstance(action, Typing) and not action.on:
        return _STOP_TYPING
    if isinstance(action, React) and isinstance(action.reaction, Sticker):
        return _STICKER
    return DEEDS[type(action)]


__all__ = ["DEEDS", "Deed", "deed_of"]
