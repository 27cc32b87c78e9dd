"""replies -> OutboxItems. What a turn answers becomes frozen requests, under keys that are the same on every run.

A reply that Linq would refuse becomes a dead letter and the others go out; the positions of the handler's list stay, so
that every key does. Source of the wire: linq-api-v3.md section 6.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from pydantic_core import to_json

from linqbot.errors import ReplyError
from linqbot.protocol.acting import file_trouble, item_of, trouble_of
from linqbot.protocol.answering import Answering
from linqbot.protocol.bubbles import Piece, bubbles_of
from linqbot.protocol.cards import card_part
from linqbot.protocol.naming import name_of_last_text, name_of_ref
from linqbot.protocol.pieces import Showing
from linqbot.protocol.threading import Circumstances, is_flat, target_of
from linqbot.protocol.wording import text_part
from linqbot.records import DeadLetter, OutboxItem, Request
from linqbot.replies import Action, AppCard, AppClip, Link, Media, Reply, Target, Text
from linqbot.replies.effect import effect_of
from linqbot.replies.target import UUID

BUBBLE_LIMIT = 100
"""How many bubbles one turn may send; more is a loop in the handler, not an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    """Replies and actions ready to be committed, those that Linq would refuse, and where the turn's next one stands."""

    items: tuple[OutboxItem, ...] = ()
    dead: tuple[DeadLetter, ...] = ()
    position: int = 0
    """The position of the next reply of the turn."""
    bubbles: int = 0
    """How many bubbles and actions the turn has by now."""
    spoke: bool = False
    """Whether one of them is a reply: the first one is threaded, whatever is done before it."""


def freeze(answers: Iterable[Reply | Action], answering: Answering, *, after: Frozen | None = None) -> Frozen:
    """Freeze the next answers of a turn; `after` is what the turn froze before (a stream freezes one at a time).

    `items` and `dead` of the result hold only the new ones. The same answers of the same event always give the same keys
    and bodies. Raises `ReplyError` when the turn comes to more than 100 bubbles and actions.
    """
    before = after or Frozen()
    position, spoke = before.position, before.spoke
    items: list[OutboxItem] = []
    dead: list[DeadLetter] = []
    for answer in answers:
        if (trouble := _trouble(answer, answering)) is not None:
            dead.append(answering.letter(trouble, position=position))
        elif isinstance(answer, Action):
            done = item_of(answer, answering, position=position)
            items += [] if done is None else [done]
        else:
            items += _items(answer, answering, position=position, first=not spoke)
            spoke = True
        position += 1
    bubbles = before.bubbles + len(items)
    if bubbles > BUBBLE_LIMIT:
        raise ReplyError(f"one turn answers with {bubbles} bubbles; at most {BUBBLE_LIMIT} are sent, say it in fewer")
    return Frozen(items=tuple(items), dead=tuple(dead), position=position, bubbles=bubbles, spoke=spoke)


def keys_of_position(answering: Answering, position: int) -> frozenset[str]:
    """The keys that a first bubble at this position can have: one of them frozen means that the reply is."""
    return frozenset(answering.key(position, part) for part in ("", "0"))


def _trouble(answer: Reply | Action, answering: Answering) -> str | None:
    """Why Linq would refuse the answer, or None. Only what cannot be seen when it is built."""
    if answering.chat_id is None:
        return "the event has no chat, so there is nowhere to send a reply; return None for such events"
    if isinstance(answer, Action):
        return trouble_of(answer, answering)
    if answer.reply_to is not None and not UUID.fullmatch(answer.reply_to.message_id):
        return "reply_to names no message of Linq's: its ids are UUIDs; pass the message or its id"
    files = (part for part in answer.parts if isinstance(part, Media))
    cards = (part for part in answer.parts if isinstance(part, AppCard | AppClip))
    troubles = (*map(file_trouble, files), *(_card_trouble(card, answer, answering) for card in cards))
    return next((trouble for trouble in troubles if trouble is not None), None)


def _card_trouble(card: AppCard | AppClip, reply: Reply, answering: Answering) -> str | None:
    """A card is never sent as SMS or RCS (linq-api-v3.md sections 2 and 6.1: codes 2018 and 2028)."""
    if not is_flat(reply, answering.around):
        return None
    service = reply.preferred_service or answering.around.service
    return f"{type(card).__name__} is for iMessage alone, and this would be sent as {service}"


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
    message = {"parts": [_part_json(part) for part in parts], **_manner(reply, answering.around, head=head)}
    key = answering.key(position, suffix)
    plain_key = None if target is None else answering.key(position, suffix + "p")
    threaded = {} if target is None else {"reply_to": _target_json(target)}
    return OutboxItem(
        key=key,
        lane=answering.lane,
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
        names=_names(reply, parts, answering, head=head),
    )


def _names(reply: Reply, parts: tuple[Piece, ...], answering: Answering, *, head: bool) -> tuple[str, ...]:
    """How later actions find the message: as the last text of ours in the chat, and by the reply's `ref`."""
    chat_id = answering.chat_id or ""
    can_be_edited = isinstance(parts[0], Text) and not is_flat(reply, answering.around)
    last_text = (name_of_last_text(chat_id),) if can_be_edited else ()
    by_ref = (name_of_ref(chat_id, reply.ref),) if reply.ref is not None and head else ()
    return last_text + by_ref


def _manner(reply: Reply, around: Circumstances, *, head: bool) -> dict[str, object]:
    """Effect and service. A screen effect plays once; a bubble effect (`invisible`) belongs to every piece."""
    manner: dict[str, object] = {}
    if reply.effect is not None and not is_flat(reply, around):
        effect = effect_of(reply.effect)
        if head or effect.type != "screen":
            manner["effect"] = {"type": effect.type, "name": effect.name}
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
    if isinstance(part, Media):
        source = {"attachment_id": part.attachment_id} if part.url is None else {"url": part.url}
        return {"type": "media", **source, **({"sticker": True} if part.sticker else {})}
    return card_part(part)


def _target_json(target: Target) -> dict[str, Any]:
    return {"message_id": target.message_id, "part_index": target.part_index}


def _request(answering: Answering, message: Mapping[str, object]) -> Request:
    body = to_json({"message": message})
    return Request(method="POST", path=f"/v3/chats/{quote(answering.chat_id or '', safe='')}/messages", body=body)


__all__ = ["BUBBLE_LIMIT", "Answering", "Frozen", "freeze", "keys_of_position"]
