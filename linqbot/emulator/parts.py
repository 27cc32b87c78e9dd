"""request part -> stored part, or a refusal. The part rules of linq-api-v3.md section 6.1."""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

from linqbot.emulator import choices, fields
from linqbot.emulator.fields import content, value
from linqbot.emulator.problems import Problem
from linqbot.emulator.world import Json

STYLES = ("bold", "italic", "strikethrough", "underline")
ANIMATIONS = ("big", "small", "shake", "nod", "explode", "ripple", "bloom", "jitter")
MOST_PARTS = 100
MOST_TEXT = 10_000
MOST_DECORATIONS = 100
MOST_URL_MEDIA = 40
MOST_LINK = 2048

_SURROGATE = re.compile("[\ud800-\udfff]")
_LINQ_HOST = "linqapp.com"
_INVENTED_SIZE = 1024
_NOT_EMULATED = ("imessage_app", "app_clip")


def read_parts(given: Any, *, is_group: bool, new_id: Callable[[], str]) -> list[Json]:
    """The parts of a message as they are stored; `new_id` names media."""
    if given is None:
        raise fields.missing("message.parts")
    if not isinstance(given, list) or not 1 <= len(given) <= MOST_PARTS:
        raise content(f"message.parts must hold 1 to {MOST_PARTS} parts")
    parts = [_part(part, is_group=is_group, new_id=new_id) for part in given]
    kinds = [part["type"] for part in parts]
    if "link" in kinds and len(kinds) > 1:
        raise content("A link part must be the only part in the message")
    if ("text", "text") in pairwise(kinds):
        raise content("Consecutive text parts are not allowed")
    if sum(_is_public_media(part) for part in given) > MOST_URL_MEDIA:
        raise content(f"At most {MOST_URL_MEDIA} media parts may use a public url")
    return parts


def _part(given: Any, *, is_group: bool, new_id: Callable[[], str]) -> Json:
    if not isinstance(given, dict):
        raise content("Each part must be an object")
    match given.get("type"):
        case "text":
            return _text(given, is_group=is_group)
        case "media":
            return _media(given, new_id)
        case "link":
            return _link(given)
        case None:
            raise fields.missing("part.type")
        case kind if kind in _NOT_EMULATED:
            raise Problem(403, choices.EXPERIENCE_CODE, "This part type is not enabled for the account")
        case _:
            raise content("Unknown part type")


# choices.TEXT_UNIT and choices.BLANK_TEXT
def _text(given: Json, *, is_group: bool) -> Json:
    text = _string(given, 1, MOST_TEXT)
    part: Json = {"type": "text", "value": text}
    if given.get("text_decorations") is not None:
        part["text_decorations"] = _decorations(given["text_decorations"], utf16_length(text))
    if given.get("mention") is not None:
        if not is_group:
            raise Problem(409, 2023, "Mentions are only supported in group chats")
        part["mention"] = fields.handle(given["mention"], "mention")
    return part


def _link(given: Json) -> Json:
    link = _string(given, 1, MOST_LINK)
    if not urlsplit(link).scheme:
        raise content("A link needs a scheme")
    return {"type": "link", "value": link}


def _string(given: Json, least: int, most: int) -> str:
    text = given.get("value")
    if text is None:
        raise fields.missing("part.value")
    if not isinstance(text, str) or not least <= utf16_length(text) <= most:
        raise content(f"part.value must be a string of {least} to {most} characters")
    if not text.isascii() and _SURROGATE.search(text):
        raise Problem(400, 1003, "part.value is not Unicode text")
    return text


def _media(given: Json, new_id: Callable[[], str]) -> Json:
    url, attachment_id = given.get("url"), given.get("attachment_id")
    if (url is None) == (attachment_id is None):
        raise content("A media part needs exactly one of url and attachment_id")
    if attachment_id is not None:  # choices.ATTACHMENT_IDS
        return stored_media(None, fields.uuid(attachment_id, "attachment_id"))
    if not isinstance(url, str) or not url.startswith("https://") or not urlsplit(url).hostname:
        raise content("A media url must use HTTPS")
    return stored_media(url, new_id())


def stored_media(url: str | None, media_id: str) -> Json:
    """A media part as Linq answers with it; the emulator fetches nothing, so size and type are what the name suggests."""
    url = url or f"https://cdn.{_LINQ_HOST}/attachments/{media_id}/file.jpg"
    name = urlsplit(url).path.rsplit("/", 1)[-1] or "file"
    return {
        "type": "media",
        "id": media_id,
        "filename": name,
        "mime_type": mimetypes.guess_type(name)[0] or "application/octet-stream",
        "size_bytes": _INVENTED_SIZE,
        "url": url,
    }


def _is_public_media(given: Any) -> bool:
    if given["type"] != "media" or given.get("url") is None:
        return False
    host = urlsplit(given["url"]).hostname or ""
    return host != _LINQ_HOST and not host.endswith("." + _LINQ_HOST)


def utf16_length(text: str) -> int:
    """Length in UTF-16 code units, the unit of decoration ranges."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def _decorations(given: Any, length: int) -> list[Json]:
    decorations = fields.listing(given, "text_decorations", least=0, most=MOST_DECORATIONS)
    ranges = [_decoration(one, length) for one in decorations]
    ordered = sorted(zip(ranges, decorations, strict=True), key=lambda pair: pair[0])
    style_end = animation_end = 0
    for (start, end), decoration in ordered:
        animated = decoration.get("animation") is not None
        if start < animation_end or (animated and start < style_end):
            raise content("An animation may not overlap another decoration")
        if animated:
            animation_end = max(animation_end, end)
        else:
            style_end = max(style_end, end)
    return [
        {key: one[key] for key in ("range", "style", "animation") if one.get(key) is not None} for one in decorations
    ]


def _decoration(given: Any, length: int) -> tuple[int, int]:
    if not isinstance(given, dict):
        raise content("A decoration must be an object")
    span, style, animation = given.get("range"), given.get("style"), given.get("animation")
    if not isinstance(span, list) or len(span) != 2 or not all(type(edge) is int for edge in span):
        raise content("A decoration's range must be two integers")
    if not 0 <= span[0] < span[1] <= length:
        raise content("A decoration's range must lie within the text")
    if (style is None) == (animation is None):
        raise content("A decoration needs exactly one of style and animation")
    if not (style in STYLES if animation is None else animation in ANIMATIONS):
        raise value("Unknown style or animation")
    return span[0], span[1]
