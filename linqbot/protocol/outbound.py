"""replies -> OutboxItems. What a turn answers becomes frozen requests, under keys that are the same on every run.

A reply that Linq would refuse becomes a dead letter and the others go out; the positions of the handler's list stay, so
that every key does. Source of the wire: linq-api-v3.md section 6.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from linqbot.errors import ReplyError
from linqbot.ids import idempotency_key
from linqbot.protocol.bubbles import Piece, bubbles_of
from linqbot.protocol.pieces import Showing
from linqbot.protocol.threading import Circumstances, is_flat, target_of
from linqbot.protocol.wording import text_part
from linqbot.records import DeadLetter, OutboxItem, Request
from linqbot.replies import Link, Media, Reply, Target, Text, Thread
from linqbot.replies.reply import SCREEN_EFFECTS

BUBBLE_LIMIT = 100
"""How many bubbles one turn may send; more is a loop in the handler, not an answer."""

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answering:
    """What the replies of one turn answer, and in whose name."""

    namespace: str
    event_id: str
    """The first event of the turn: every key is derived from it."""
    handler: str
    chat_id: str | None
    """None: the event has no chat, so nothing can be said."""
    thread: Thread = "first"
    """The policy of handler, router or bot, whichever is nearest; a reply's own wins."""
    around: Circumstances = field(default_factory=Circumstances)
    line: str = ""
    """The line that it leaves from, as in `OutboxItem.line`; empty: unknown."""
    guards: tuple[str, ...] = ()
    """What decides whether the replies leave (`protocol.guard`)."""
    now_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    """Replies ready to be committed, those that Linq would refuse, and where the turn's next reply stands."""

    items: tuple[OutboxItem, ...] = ()
    dead: tuple[DeadLetter, ...] = ()
    position: int = 0
    """The position of the next reply of the turn."""
    bubbles: int = 0
    """How many bubbles the turn has by now."""


def freeze(replies: Iterable[Reply], answering: Answering, *, after: Frozen | None = None) -> Frozen:
    """Freeze the next replies of a turn; `after` is what the turn froze before (a stream freezes one at a time).

    `items` and `dead` of the result hold only the new ones. The same replies of the same event always give the same keys
    and bodies. Raises `ReplyError` when the turn comes to more than 100 bubbles.
    """
    before = after or Frozen()
    position, bubbles = before.position, before.bubbles
    items: list[OutboxItem] = []
    dead: list[DeadLetter] = []
    for reply in replies:
        if (trouble := _trouble(reply, answering)) is not None:
            dead.append(_letter(trouble, answering, position=position))
        else:
            items += _items(reply, answering, position=position, first=bubbles + len(items) == 0)
        position += 1
    bubbles += len(items)
    if bubbles > BUBBLE_LIMIT:
        raise ReplyError(f"one turn answers with {bubbles} bubbles; at most {BUBBLE_LIMIT} are sent, say it in fewer")
    return Frozen(items=tuple(items), dead=tuple(dead), position=position, bubbles=bubbles)


def keys_of_position(answering: Answering, position: int) -> frozenset[str]:
    """The keys that a first bubble at this position can have: one of them frozen means that the reply is."""
    return frozenset(_key(answering, position, part) for part in ("", "0"))


def _trouble(reply: Reply, answering: Answering) -> str | None:
    """Why Linq would refuse the reply, or None. Only what cannot be seen when the reply is built."""
    if answering.chat_id is None:
        return "the event has no chat, so there is nowhere to send a reply; return None for such events"
    if reply.reply_to is not None and not _UUID.fullmatch(reply.reply_to.message_id):
        return "reply_to names no message of Linq's: its ids are UUIDs; pass the message or its id"
    if any(isinstance(part, Media) and not _is_uploaded(part) for part in reply.parts):
        return "attachment_id is none of Linq's: its ids are UUIDs; pass the id that the upload returned"
    return None


def _is_uploaded(media: Media) -> bool:
    return media.attachment_id is None or _UUID.fullmatch(media.attachment_id) is not None


def _items(reply: Reply, answering: Answering, *, position: int, first: bool) -> list[OutboxItem]:
    bubbles = bubbles_of(reply, _showing(reply, answering.around))
    return [
        _item(
            reply,
            parts,
            answering,
            position=position,
            suffix="" if len(bubbles) == 1 else str(index),
            target=target_of(
                reply, answering.around, policy=answering.thread, first=first and index == 0, head=index == 0
            ),
            head=index == 0,
        )
        for index, parts in enumerate(bubbles)
    ]


def _item(
    reply: Reply,
    parts: tuple[Piece, ...],
    answering: Answering,
    *,
    position: int,
    suffix: str,
    target: Target | None,
    head: bool,
) -> OutboxItem:
    message = {"parts": [_part_json(part) for part in parts], **_manner(reply, head=head)}
    key = _key(answering, position, suffix)
    plain_key = None if target is None else _key(answering, position, suffix + "p")
    threaded = {} if target is None else {"reply_to": _target_json(target)}
    return OutboxItem(
        key=key,
        lane=f"chat:{answering.chat_id}",
        event_id=answering.event_id,
        handler=answering.handler,
        position=position,
        request=_request(answering, {**message, **threaded, "idempotency_key": key}),
        plain=None if target is None else _request(answering, {**message, "idempotency_key": plain_key}),
        plain_key=plain_key,
        pair=answering.chat_id or "",
        ref=reply.ref,
        created_ms=answering.now_ms,
        line=answering.line,
        guards=answering.guards,
    )


def _manner(reply: Reply, *, head: bool) -> dict[str, object]:
    """Effect and service. A screen effect plays once; a bubble effect (`invisible`) belongs to every piece."""
    manner: dict[str, object] = {}
    on_screen = reply.effect in SCREEN_EFFECTS
    if reply.effect is not None and (head or not on_screen):
        manner["effect"] = {"type": "screen" if on_screen else "bubble", "name": reply.effect}
    if reply.preferred_service is not None:
        manner["preferred_service"] = reply.preferred_service
    return manner


def _showing(reply: Reply, around: Circumstances) -> Showing:
    flat = is_flat(reply, around)
    return Showing(formatting=not flat, mentions=around.is_group and not flat)


def _part_json(part: Piece) -> dict[str, Any]:
    if isinstance(part, Text):
        return text_part(part)
    if isinstance(part, Link):
        return {"type": "link", "value": part.value}
    if part.url is not None:
        return {"type": "media", "url": part.url}
    return {"type": "media", "attachment_id": part.attachment_id or ""}


def _target_json(target: Target) -> dict[str, Any]:
    return {"message_id": target.message_id, "part_index": target.part_index}


def _request(answering: Answering, message: Mapping[str, object]) -> Request:
    body = json.dumps({"message": message}, ensure_ascii=False, separators=(",", ":")).encode()
    return Request(method="POST", path=f"/v3/chats/{quote(answering.chat_id or '', safe='')}/messages", body=body)


def _key(answering: Answering, position: int, part: str) -> str:
    return idempotency_key(answering.namespace, answering.event_id, answering.handler, position, part)


def _letter(reason: str, answering: Answering, *, position: int) -> DeadLetter:
    return DeadLetter(
        id=_key(answering, position, ""),
        kind="reply",
        reason=f"reply {position + 1} of handler {answering.handler!r}: {reason}",
        lane="" if answering.chat_id is None else f"chat:{answering.chat_id}",
        event_id=answering.event_id,
        handler=answering.handler,
        at_ms=answering.now_ms,
    )
