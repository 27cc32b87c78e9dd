"""recipients + replies -> Send. A message to somebody else than whom a handler answers, checked when it is built."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from linqbot.errors import ReplyError
from linqbot.replies.action import Action
from linqbot.replies.compose import Bubbles, Elsewhere, Next, compose
from linqbot.replies.handles import check_handle
from linqbot.replies.reply import Reply
from linqbot.replies.target import UUID

MOST_RECIPIENTS = 31
"""How many people a chat begins with at the most, your line not counted (linq-api-v3.md section 7.1)."""


@dataclass(frozen=True, slots=True, init=False, repr=False)
class Send(Elsewhere):
    """A message that the bot begins: returned by a handler, it is stored with its turn and sent once.

    `to` is a handle (a phone number in E.164 or an e-mail address), several handles (a group), or the id of a chat;
    `reply` is whatever a handler may return as bubbles. Under a `key` it is sent once, whoever asks how often (the store
    remembers a key for a day at least); without one, once for the event that caused it. `line` is your number to send
    from, by default the one that the event came to. Raises `ReplyError` when something is wrong.
    """

    recipients: tuple[str, ...]
    """The handles, each once and sorted: a group is the same in any order; empty when a chat is named."""
    chat_id: str | None
    replies: tuple[Reply | Action, ...]
    key: str | None
    line: str | None

    def __init__(
        self, to: str | Sequence[str], reply: Bubbles, *, key: str | None = None, line: str | None = None
    ) -> None:
        put = object.__setattr__
        put(self, "chat_id", to if isinstance(to, str) and UUID.fullmatch(to) else None)
        put(self, "recipients", () if self.chat_id else _recipients(to))
        put(self, "replies", _said(compose(reply)))
        if self.recipients and any(isinstance(one, Action) for one in self.replies):
            raise ReplyError("an action such as React is done in a chat that is there; name the chat by its id")
        put(self, "key", None if key is None else check_key(key))
        put(self, "line", None if line is None else _line(line))

    def __repr__(self) -> str:
        whom = f"chat {self.chat_id}" if self.chat_id else f"{len(self.recipients)} recipients"
        return f"Send(to {whom}, {len(self.replies)} replies)"


def check_key(key: object) -> str:
    """A key as it is: of any length, it is hashed. Raises `ReplyError` for what is none; the message never shows it."""
    if not isinstance(key, str) or not key:
        raise ReplyError(
            "a send has a key= of your own, a str that is not empty and says what it is about, such as 'ship:42': it is "
            "how a repeat after a crash or a lost answer is told from a new message"
        )
    return key


def _line(line: object) -> str:
    number = check_handle(line, "line=")
    if not number.startswith("+"):
        raise ReplyError("line= is one of your own numbers in E.164 (+12025550100), not an email address")
    return number


def _recipients(to: object) -> tuple[str, ...]:
    handles = [to] if isinstance(to, str) else to
    if not isinstance(handles, list | tuple | set | frozenset):
        raise ReplyError(f"to is of type {type(to).__name__}; write a handle, a list of handles, or a chat's id")
    told = "a recipient" if len(handles) == 1 else "recipient {} of the list"
    each = tuple(sorted({check_handle(one, told.format(number)) for number, one in enumerate(handles, start=1)}))
    if not 1 <= len(each) <= MOST_RECIPIENTS:
        raise ReplyError(f"a message goes to 1 to {MOST_RECIPIENTS} people, not to {len(each)}")
    return each


def _said(replies: tuple[Reply | Action | Elsewhere, ...] | Literal[Next.NEXT]) -> tuple[Reply | Action, ...]:
    if replies is Next.NEXT:
        raise ReplyError("NEXT says nothing to anybody; a Send needs something to say")
    found = tuple(reply for reply in replies if isinstance(reply, Reply | Action))
    if len(found) < len(replies):
        raise ReplyError("a Send holds what is said to its recipients; return other Sends beside it, in a list")
    if not found:
        raise ReplyError("a Send needs something to say; leave it out to say nothing")
    return found
