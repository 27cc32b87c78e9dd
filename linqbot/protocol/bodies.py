"""Action -> the body of its request, in Linq's own words (linq-api-v3.md sections 7.3 to 7.7)."""

from __future__ import annotations

import json
from typing import Any

from linqbot.protocol.pieces import whole_characters
from linqbot.replies import (
    Action,
    AddOptions,
    AddParticipant,
    Edit,
    Media,
    Poll,
    React,
    RemoveParticipant,
    RenameGroup,
    SetBackground,
    SetGroupIcon,
    Sticker,
    Unreact,
    Unvote,
    VoiceMemo,
    Vote,
)
from linqbot.replies.reaction import TAPBACKS

Body = dict[str, Any]


def body_of(action: Action, *, key: str, part_index: int) -> bytes | None:
    """The body as it is sent, compact; None: the kind has none. A half character, which is no Unicode, is replaced."""
    body = _body(action, key, part_index)
    if body is None:
        return None
    return whole_characters(json.dumps(body, ensure_ascii=False, separators=(",", ":"))).encode()


def _body(action: Action, key: str, part_index: int) -> Body | None:
    match action:
        case React(reaction=reaction):
            return {"operation": "add", **_reaction(reaction), "part_index": part_index}
        case Unreact(reaction=reaction):
            return {"operation": "remove", **_reaction(reaction), "part_index": part_index}
        case Edit(text=text, part=part):
            return {"text": text, "part_index": part}
        case Poll(options=options):
            return {"poll": {"options": _options(options), "idempotency_key": key}}
        case AddOptions(options=options):
            return {"options": _options(options)}
        case Vote(option_id=option_id):
            return {"operation": "add", "option_id": option_id}
        case Unvote(option_id=option_id):
            return {"operation": "remove", "option_id": option_id}
    return _of_chat(action)


def _of_chat(action: Action) -> Body | None:
    match action:
        case VoiceMemo(url=None, attachment_id=attachment_id):
            return {"attachment_id": attachment_id}
        case VoiceMemo(url=url):
            return {"voice_memo_url": url}
        case RenameGroup(name=name):
            return {"display_name": name}
        case SetGroupIcon(url=url):
            return {"group_chat_icon": url}
        case AddParticipant(handle=handle) | RemoveParticipant(handle=handle):
            return {"handle": handle}
        case SetBackground():
            return _background(action)
    return None


def _reaction(reaction: str | Sticker) -> Body:
    if isinstance(reaction, Sticker):
        return {"type": "sticker", **_sticker(reaction)}
    return {"type": reaction} if reaction in TAPBACKS else {"type": "custom", "custom_emoji": reaction}


def _sticker(sticker: Sticker) -> Body:
    image = sticker.image
    shown = {"attachment_id": image.attachment_id} if isinstance(image, Media) else {"emoji": image}
    place = {name: getattr(sticker, name) for name in ("x", "y", "scale", "rotation")}
    placement = {name: number for name, number in place.items() if number is not None}
    return {**shown, "placement": placement} if placement else shown


def _options(options: tuple[str, ...]) -> list[Body]:
    return [{"text": option} for option in options]


def _background(background: SetBackground) -> Body:
    if background.color is not None:
        return {"type": "color", "variant": background.color}
    if background.shades is not None:
        return {"type": "color", "variant": "custom", "shades": list(background.shades)}
    if background.photo is not None:
        return {"type": "photo", "image_url": background.photo}
    style = next(name for name in ("sky", "water", "aurora") if getattr(background, name) is not None)
    return {"type": "dynamic", "style": style, "variant": getattr(background, style)}


__all__ = ["Body", "body_of"]
