"""replies -> what may open a chat: no link and no address in the first message to somebody new.

What breaks the rule comes after something that does not: an address in a text is parted from the words before it, a link
waits for the next bubble that may go first. Nothing is left out. Source: linq-api-v3.md section 7.1.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from linqbot.errors import ReplyError
from linqbot.protocol.bubbles import Piece, bubbles_of
from linqbot.protocol.pieces import Showing, parted_at
from linqbot.replies import Effect, EffectName, Reply, Text

_T = TypeVar("_T")

# What opens around an address (as after a link's words in Markdown) goes with it.
_ADDRESS = re.compile(r"[(\[<\"']{0,3}\b(?:[a-z][a-z0-9+.-]*://|www\.)\S", re.IGNORECASE)


def may_open(message: Mapping[str, Any]) -> bool:
    """Whether a message (as Linq takes it) may be the first of a chat."""
    return not any(
        part["type"] == "link" or (part["type"] == "text" and _ADDRESS.search(part["value"]))
        for part in message["parts"]
    )


def parted(replies: Sequence[Reply], showing: Showing) -> tuple[Reply, ...]:
    """The replies, the first of them in two if its first bubble has an address and something before it."""
    first, *others = replies
    bubble, *bubbles = bubbles_of(first, showing)
    head, rest = _cut(bubble)
    if not head or not rest:
        return tuple(replies)
    later = (*rest, *(piece for bubble in bubbles for piece in bubble))
    return (_with(first, head, effect=None), _with(first, later, effect=first.effect), *others)


def opened(messages: Sequence[_T], may: Callable[[_T], bool]) -> list[_T]:
    """The messages with the first that may open a chat in front. Raises `ReplyError` when none may."""
    first = next((message for message in messages if may(message)), None)
    if first is None:
        raise ReplyError(
            "the first message to somebody new may hold no link and no address, and here is nothing else: begin with "
            "words, such as a list of a text and the link, or name the chat by its id if there is one"
        )
    return [first, *(message for message in messages if message is not first)]


def _cut(pieces: Sequence[Piece]) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    """What stands before the first address of a bubble, and the rest."""
    for index, piece in enumerate(pieces):
        found = _ADDRESS.search(piece.value) if isinstance(piece, Text) else None
        if isinstance(piece, Text) and found is not None:
            *words, rest = parted_at(piece, found.start())
            return (*pieces[:index], *words), (rest, *pieces[index + 1 :])
    return tuple(pieces), ()


def _with(reply: Reply, pieces: Sequence[Piece], *, effect: EffectName | Effect | None) -> Reply:
    target = reply.reply_to
    return Reply(
        *pieces,
        effect=effect,
        thread=reply.thread,
        reply_to=None if target is None else (target.message_id, target.part_index),
        preferred_service=reply.preferred_service,
        ref=reply.ref,
    )
