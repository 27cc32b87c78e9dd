"""request body -> Content, or a refusal. The rules of a message as a whole: linq-api-v3.md sections 4, 6 and 7.1."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from linqbot.emulator import choices, fields
from linqbot.emulator.entities import Json
from linqbot.emulator.fields import content, value
from linqbot.emulator.parts import Reader
from linqbot.emulator.problems import Problem
from linqbot.emulator.vault import Vault

SERVICES = ("iMessage", "SMS", "RCS")
EFFECTS = {
    "screen": (
        *("confetti", "fireworks", "lasers", "sparkles", "celebration", "hearts", "love", "balloons"),
        *("happy_birthday", "echo", "spotlight"),
    ),
    "bubble": ("slam", "loud", "gentle", "invisible"),
}
MOST_KEY = 255

_NEVER_DOWNGRADED = {"imessage_app": 2018, "app_clip": 2028}

# choices.URL_IN_TEXT
_URL = re.compile(r"\b(?:[a-z][a-z0-9+.-]*://|www\.)\S", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """A message that may be sent."""

    parts: list[Json] = field(repr=False)
    effect: Json | None = None
    reply_to: Json | None = None
    preferred_service: str | None = None
    idempotency_key: str | None = None
    override_optout: bool = False


def message_of(body: Any) -> dict[str, Any]:
    """The `message` object of a request."""
    return fields.mapping(fields.mapping(body, "body").get("message"), "message")


def key_of(message: dict[str, Any]) -> str | None:
    """The idempotency key of a message: 1 to 255 characters."""
    return check_key(message.get("idempotency_key"))


def check_key(key: Any) -> str | None:
    """An idempotency key: 1 to 255 characters."""
    if key is None:
        return None
    if not isinstance(key, str) or not 1 <= len(key) <= MOST_KEY:
        raise value(f"idempotency_key must be a string of 1 to {MOST_KEY} characters")
    return key


def read_content(body: dict[str, Any], vault: Vault, *, people: tuple[str, ...], is_group: bool) -> Content:
    """Everything about a message to these people, our line first, that needs no knowledge of other messages."""
    message = message_of(body)
    if message.get("experience") is not None or message.get("action") is not None:
        if message.get("parts") is not None:
            raise content("A message carries either parts or an experience")
        raise Problem(403, choices.EXPERIENCE_CODE, "Experiences are not enabled for the account")
    service = message.get("preferred_service")
    if service is not None and service not in SERVICES:
        raise value("preferred_service must be one of iMessage, SMS, RCS")
    parts = Reader(vault, people, is_group).read(message.get("parts"))
    if service in ("SMS", "RCS") and parts[0]["type"] in _NEVER_DOWNGRADED:
        raise Problem(409, _NEVER_DOWNGRADED[parts[0]["type"]], "This part is only sent over iMessage")
    return Content(
        parts=parts,
        effect=_effect(message.get("effect")),
        reply_to=_reply_to(message.get("reply_to")),
        preferred_service=service,
        idempotency_key=key_of(message),
        override_optout=fields.flag(body.get("override_optout"), "override_optout"),
    )


def check_first(first: Content) -> None:
    """The rules of a message that opens a chat."""
    texts = (part["value"] for part in first.parts if part["type"] == "text")
    if first.parts[0]["type"] == "link" or any(_URL.search(text) for text in texts):
        raise Problem(400, 1005, "The first message of a chat cannot contain a link")
    if first.effect is not None or first.reply_to is not None:
        raise Problem(
            400, choices.FIRST_MESSAGE_CODE, "The first message of a chat cannot have an effect or be a reply"
        )


def _effect(given: Any) -> Json | None:
    if given is None:
        return None
    effect = fields.mapping(given, "effect")
    kind, name = effect.get("type"), effect.get("name")
    if not isinstance(kind, str) or kind not in EFFECTS:
        raise content("effect.type must be screen or bubble")
    if not isinstance(name, str) or name not in EFFECTS[kind]:
        raise content("effect.name is not an effect of this type")
    return {"type": kind, "name": name}


def _reply_to(given: Any) -> Json | None:
    if given is None:
        return None
    target = fields.mapping(given, "reply_to")
    if target.get("message_id") is None:
        raise fields.missing("reply_to.message_id")
    index = target.get("part_index")
    if index is not None and (type(index) is not int or not 0 <= index < 2**31):
        raise value("reply_to.part_index must be an integer of 0 or more")
    return {"message_id": fields.uuid(target["message_id"], "reply_to.message_id"), "part_index": index or 0}
