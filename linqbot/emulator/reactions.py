"""Call -> reactions and stickers on a message (linq-api-v3.md section 7.5).

One tapback a person and part: another replaces it (choices.TAPBACKS). Stickers stay and can only be moved.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from linqbot.emulator import choices, fields, finding, payloads, shapes, texts
from linqbot.emulator.entities import Json, Message, Person, Reaction
from linqbot.emulator.linq import Linq
from linqbot.emulator.operation import Call, ok
from linqbot.emulator.problems import Problem
from linqbot.emulator.wire import Answer

TAPBACKS = ("love", "like", "dislike", "laugh", "emphasize", "question")
TYPES = (*TAPBACKS, "custom", "sticker")
_SMALLEST, _LARGEST = 0.05, 2.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A reaction that somebody wants to put on a part, or to take away."""

    type: str
    part_index: int
    adds: bool
    custom_emoji: str | None = field(default=None, repr=False)
    sticker: Json | None = field(default=None, repr=False)
    placement: Json | None = None


def react(linq: Linq, call: Call) -> Answer:
    """POST /v3/messages/{messageId}/reactions."""
    message = finding.message_to_act_on(linq, call)
    wish = read_wish(linq, message, fields.mapping(call.body, "body"))
    if service_of(message) == "SMS":  # section 9.3
        raise Problem(409, 2017, "Reactions are not supported on SMS")
    linq.lifecycle.soon(lambda: carry_out(linq, message, message.chat.me, wish, call.trace_id))
    return ok(shapes.accepted("Reaction queued", call.trace_id), 202)


def move_sticker(linq: Linq, call: Call) -> Answer:
    """PATCH /v3/messages/{messageId}/reactions/{reactionId}: own stickers only."""
    message = finding.message_to_act_on(linq, call)
    reaction_id = fields.uuid(call.params["reactionId"], "reactionId")
    found = next((one for one in message.reactions if one.id == reaction_id and one.person.is_me), None)
    if found is None:
        raise Problem(404, 2001, "Reaction not found")
    if found.type != "sticker":
        raise fields.value("Only stickers have a placement")
    body = fields.mapping(call.body, "body")
    found.placement = _placement(fields.mapping(body.get("placement"), "placement"))
    return ok({"success": True, "status": "accepted", "trace_id": call.trace_id}, choices.PLACEMENT_STATUS)


def read_wish(linq: Linq, message: Message, body: Json) -> Wish:
    """What a request to react asks for."""
    operation, kind, index = body.get("operation"), body.get("type"), body.get("part_index")
    if operation not in ("add", "remove"):
        raise fields.missing("operation") if operation is None else fields.value("operation must be add or remove")
    if kind not in TYPES:
        raise fields.missing("type") if kind is None else fields.value(f"type must be one of {', '.join(TYPES)}")
    if index is not None and (type(index) is not int or not 0 <= index < max(1, len(message.parts))):
        raise fields.value("part_index is not a part of the message")
    emoji = body.get("custom_emoji")
    if kind == "custom" and (not isinstance(emoji, str) or not emoji):
        raise fields.missing("custom_emoji")
    sticker = None
    if kind == "sticker":
        if operation == "remove":
            raise fields.value("Stickers cannot be removed")
        sticker = _sticker(linq, body)
    return Wish(
        type=kind,
        part_index=index or 0,
        adds=operation == "add",
        custom_emoji=emoji if kind == "custom" else None,
        sticker=sticker,
        placement=None if body.get("placement") is None else _placement(body["placement"]),
    )


def carry_out(linq: Linq, message: Message, person: Person, wish: Wish, trace_id: str) -> None:
    """Put a reaction on, or take it away, and tell; taking away what is not there changes nothing."""
    now_ms = linq.clock.now_ms()
    old = _current(message, person, wish)
    if old is not None:
        message.reactions.remove(old)
    elif not wish.adds:
        return
    reaction = Reaction(
        id=linq.names.uuid() if old is None or wish.adds else old.id,
        person=person,
        part_index=wish.part_index,
        type=wish.type,
        at_ms=now_ms,
        custom_emoji=wish.custom_emoji,
        sticker=wish.sticker,
        placement=wish.placement,
    )
    if wish.adds:
        message.reactions.append(reaction)
    _tell(linq, message, reaction, "added" if wish.adds else "removed", trace_id)


def service_of(message: Message) -> str:
    """The service a message went over, or will."""
    return message.service or message.chat.service


def _current(message: Message, person: Person, wish: Wish) -> Reaction | None:
    if wish.type == "sticker":
        return None
    for one in message.reactions_to(wish.part_index):
        same = (one.type, one.custom_emoji) == (wish.type, wish.custom_emoji)
        if one.person is person and one.type != "sticker" and (wish.adds or same):
            return one
    return None


def _tell(linq: Linq, message: Message, reaction: Reaction, what: str, trace_id: str) -> None:
    data = payloads.reaction(message, reaction)
    if message.poll is None:
        linq.lifecycle.tell(message.chat, f"reaction.{what}", data, trace_id)
    elif what == "added":  # section 8.6: a poll has no counterpart for removal
        linq.lifecycle.tell(message.chat, "poll.reaction.added", data, trace_id)
    if reaction.person.is_me:
        linq.world.add_deed(
            f"reaction.{what}",
            message.chat,
            shapes.moment(reaction.at_ms),
            message_id=message.id,
            part_index=reaction.part_index,
            type=reaction.type,
            custom_emoji=reaction.custom_emoji,
            sticker=reaction.sticker,
        )


def _sticker(linq: Linq, body: Json) -> Json:
    named = [name for name in ("emoji", "url", "attachment_id") if body.get(name) is not None]
    if len(named) != 1:
        raise fields.content("A sticker needs exactly one of emoji, url and attachment_id")
    if named == ["emoji"]:
        if not isinstance(body["emoji"], str) or not body["emoji"]:
            raise fields.value("emoji must be one emoji")
        return _picture("emoji.png", "image/png", f"{linq.vault.site}/cdn/emoji.png")
    file = texts.read_image(body, linq.vault, ("url", "attachment_id"))
    return _picture(file.name, file.content_type, linq.vault.download_url(file))


def _picture(name: str, mime_type: str, url: str) -> Json:
    side = choices.STICKER_PIXELS
    return {"file_name": name, "mime_type": mime_type, "url": url, "width": side, "height": side}


def _placement(given: Any) -> Json:
    placement = fields.mapping(given, "placement")
    for name in ("x", "y", "scale", "rotation"):
        number = placement.get(name)
        if number is not None and (isinstance(number, bool) or not isinstance(number, int | float)):
            raise fields.value(f"placement.{name} must be a number")
        if name in ("x", "y") and number is not None and not -1 <= number <= 1:
            raise fields.value(f"placement.{name} must be between -1 and 1")
    scale = placement.get("scale")
    clamped = {} if scale is None else {"scale": min(max(scale, _SMALLEST), _LARGEST)}
    return {name: placement[name] for name in ("x", "y", "rotation") if name in placement} | clamped
