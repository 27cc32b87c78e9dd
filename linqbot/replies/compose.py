"""what a handler returned -> replies, in order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import Enum
from typing import Final, Literal

from linqbot.errors import ReplyError
from linqbot.replies.action import Action
from linqbot.replies.inline import InlineSticker, Mention
from linqbot.replies.markdown import Markdown
from linqbot.replies.parts import PARTS, AppCard, AppClip, Link, Media
from linqbot.replies.reply import Reply
from linqbot.replies.text import Fragment, Text


class Next(Enum):
    """The type of `NEXT`, for annotations: `-> str | Next`."""

    NEXT = "NEXT"

    def __repr__(self) -> str:
        return "NEXT"


NEXT: Final = Next.NEXT
"""Returned by a handler that leaves the event to the next one that matches."""


class Elsewhere:
    """What a handler may return beside bubbles: it is not said in the chat that is answered."""

    __slots__ = ()


Bubbles = (
    None
    | str
    | Reply
    | Text
    | Markdown
    | Mention
    | InlineSticker
    | Media
    | Link
    | AppCard
    | AppClip
    | Action
    | Elsewhere
    | Sequence["Bubbles"]
)
Answer = Bubbles | Next
"""All that a handler may return: nothing, text, replies, actions, a list of these in order, or `NEXT`."""


def compose(answer: object) -> tuple[Reply | Action | Elsewhere, ...] | Literal[Next.NEXT]:
    """The replies and actions that a returned value means, in order, and what is said elsewhere; `NEXT` as it is.

    `None` and `""` mean nothing, also inside lists. Raises `ReplyError` for what cannot be a reply; the message names
    the type, never the value.
    """
    if answer is NEXT:
        return NEXT
    return tuple(_replies(answer))


def _replies(answer: object) -> Iterator[Reply | Action | Elsewhere]:
    if isinstance(answer, Reply | Action | Elsewhere):
        yield answer
    elif isinstance(answer, str | Fragment | Markdown | Media | Link | AppCard | AppClip):
        if answer != "":
            yield Reply(answer)
    elif isinstance(answer, list | tuple):
        for one in answer:
            yield from _replies(one)
    elif answer is NEXT:
        raise ReplyError("NEXT stands alone: return it by itself, not inside a list")
    elif answer is not None:
        raise ReplyError(
            f"a handler returned something of type {type(answer).__name__}; "
            f"return None, Reply, {PARTS}, Send, an action such as React, a list of these, or NEXT"
        )
