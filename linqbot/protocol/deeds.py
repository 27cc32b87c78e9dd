"""kind of action -> how Linq is asked for it, and what may be done when nobody knows whether it was done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from linqbot.records import Repeat
from linqbot.replies import Action, AddOptions, MarkRead, Poll, React, Typing, Unreact, Unvote, Vote
from linqbot.replies.reaction import TAPBACKS

Body = dict[str, Any]

_CHAT = "/v3/chats/{chat}"
_MESSAGE = "/v3/messages/{message}"

_IMESSAGE: tuple[str, ...] = ("iMessage",)
_RICH: tuple[str, ...] = ("iMessage", "RCS")
_ALL: tuple[str, ...] = ("iMessage", "RCS", "SMS")


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """How Linq is asked for one kind of action."""

    method: str
    path: str
    """With `{chat}` or `{message}` in it."""
    repeat: Repeat
    body: Callable[[Any], Body] | None = None
    """The body for an action; None: it has none."""
    key_in: str = ""
    """The object of the body that the idempotency key goes into; empty: Linq takes none."""
    services: tuple[str, ...] = _ALL
    """Where Linq does it (linq-api-v3.md section 9.3)."""
    elsewhere: Literal["refused", "idle"] = "refused"
    """What another service makes of it: Linq refuses it, or takes it without any effect."""
    chats: Literal["any", "group", "direct"] = "any"
    """In which kind of chat it makes sense."""
    units: int = 0
    """How much of the chat's budget it costs; what costs nothing makes no message."""


def _react(action: React) -> Body:
    return {"operation": "add", **_reaction(action)}


def _unreact(action: Unreact) -> Body:
    return {"operation": "remove", **_reaction(action)}


def _reaction(action: React | Unreact) -> Body:
    if action.reaction in TAPBACKS:
        return {"type": action.reaction}
    return {"type": "custom", "custom_emoji": action.reaction}


def _poll(action: Poll) -> Body:
    return {"poll": {"options": _options(action)}}


def _add_options(action: AddOptions) -> Body:
    return {"options": _options(action)}


def _options(action: Poll | AddOptions) -> list[Body]:
    return [{"text": option} for option in action.options]


def _vote(action: Vote) -> Body:
    return {"operation": "add", "option_id": action.option_id}


def _unvote(action: Unvote) -> Body:
    return {"operation": "remove", "option_id": action.option_id}


DEEDS: Mapping[type[Action], Deed] = {
    React: Deed(method="POST", path=f"{_MESSAGE}/reactions", repeat=Repeat.REPEATABLE, body=_react, services=_RICH),
    Unreact: Deed(method="POST", path=f"{_MESSAGE}/reactions", repeat=Repeat.REPEATABLE, body=_unreact, services=_RICH),
    Poll: Deed(
        method="POST",
        path=f"{_CHAT}/polls",
        repeat=Repeat.KEYED,
        body=_poll,
        key_in="poll",
        services=_IMESSAGE,
        units=1,
    ),
    Vote: Deed(method="POST", path=f"{_MESSAGE}/poll/votes", repeat=Repeat.REPEATABLE, body=_vote, services=_IMESSAGE),
    Unvote: Deed(
        method="POST", path=f"{_MESSAGE}/poll/votes", repeat=Repeat.REPEATABLE, body=_unvote, services=_IMESSAGE
    ),
    AddOptions: Deed(
        method="POST", path=f"{_MESSAGE}/poll/options", repeat=Repeat.NEVER, body=_add_options, services=_IMESSAGE
    ),
    Typing: Deed(method="POST", path=f"{_CHAT}/typing", repeat=Repeat.REPEATABLE, services=_IMESSAGE, elsewhere="idle"),
    MarkRead: Deed(method="POST", path=f"{_CHAT}/read", repeat=Repeat.REPEATABLE, services=_RICH, elsewhere="idle"),
}
"""Each kind of action. May it be repeated when the outcome of an attempt is unknown?

KEYED: a poll has an idempotency key as a message has (linq-api-v3.md section 4), so Linq makes one of two.
REPEATABLE: a tapback, a vote, typing, a read receipt, an edit, a name, a background: the second time it is so already.
NEVER: options of a poll, a voice memo, a sticker, a contact card, a request for a location would be there twice, and Linq
documents no key for them (linq-api-v3.md section 4).
"""

_STOP_TYPING = Deed(
    method="DELETE", path=f"{_CHAT}/typing", repeat=Repeat.REPEATABLE, services=_IMESSAGE, elsewhere="idle"
)


def deed_of(action: Action) -> Deed:
    """How Linq is asked for this action."""
    if isinstance(action, Typing) and not action.on:
        return _STOP_TYPING
    return DEEDS[type(action)]


__all__ = ["DEEDS", "Body", "Deed", "deed_of"]
