"""text part -> stored text part, or a refusal. Decorations, mentions, inline stickers: linq-api-v3.md section 6.1.

choices.TEXT_UNIT and choices.BLANK_TEXT.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

from linqbot.emulator import fields
from linqbot.emulator.entities import Json
from linqbot.emulator.fields import content, value
from linqbot.emulator.problems import Problem
from linqbot.emulator.vault import File, Vault

STYLES = ("bold", "italic", "strikethrough", "underline")
ANIMATIONS = ("big", "small", "shake", "nod", "explode", "ripple", "bloom", "jitter")
MOST_TEXT = 10_000
MOST_DECORATIONS = 100
MOST_STICKERS = 100
MOST_STICKER_IMAGES = 10

_SURROGATE = re.compile("[\ud800-\udfff]")

Span = tuple[int, int]


def utf16_length(text: str) -> int:
    """Length in UTF-16 code units, the unit of ranges."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def is_unicode(text: str) -> bool:
    """Whether it is text at all: no half of a surrogate pair."""
    return text.isascii() or _SURROGATE.search(text) is None


def read_string(given: Any, name: str, *, most: int, least: int = 1) -> str:
    """A string of so many characters that is Unicode text."""
    if given is None:
        raise fields.missing(name)
    if not isinstance(given, str) or not least <= utf16_length(given) <= most:
        raise content(f"{name} must be a string of {least} to {most} characters")
    if not is_unicode(given):
        raise Problem(400, 1003, f"{name} is not Unicode text")
    return given


def read_text(given: Json, vault: Vault, *, people: tuple[str, ...], is_group: bool) -> Json:
    """A text part as it is stored; `people` are those in the chat."""
    text = read_string(given.get("value"), "part.value", most=MOST_TEXT)
    part: Json = {"type": "text", "value": text}
    spans: list[Span] = []
    if given.get("text_decorations") is not None:
        part["text_decorations"], spans = _decorations(given["text_decorations"], text)
    if given.get("mention") is not None or given.get("mention_range") is not None:
        part |= _mention(given, text, people=people, is_group=is_group)
    if given.get("inline_stickers") is not None:
        if "mention" in part:
            raise content("Inline stickers cannot be combined with a mention")
        part["inline_stickers"] = _stickers(given["inline_stickers"], text, spans, vault)
    return part


def _span(given: Any, text: str, name: str) -> Span:
    if not isinstance(given, list) or len(given) != 2 or not all(type(edge) is int for edge in given):
        raise content(f"{name} must be two integers")
    if not 0 <= given[0] < given[1] <= utf16_length(text):
        raise content(f"{name} must lie within the text")
    return given[0], given[1]


def _decorations(given: Any, text: str) -> tuple[list[Json], list[Span]]:
    decorations = fields.listing(given, "text_decorations", least=0, most=MOST_DECORATIONS)
    ranges = [_decoration(one, text) for one in decorations]
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
    kept = ("range", "style", "animation")
    return [{key: one[key] for key in kept if one.get(key) is not None} for one in decorations], ranges


def _decoration(given: Any, text: str) -> Span:
    if not isinstance(given, dict):
        raise content("A decoration must be an object")
    style, animation = given.get("style"), given.get("animation")
    span = _span(given.get("range"), text, "A decoration's range")
    if (style is None) == (animation is None):
        raise content("A decoration needs exactly one of style and animation")
    if not (style in STYLES if animation is None else animation in ANIMATIONS):
        raise value("Unknown style or animation")
    return span


def _mention(given: Json, text: str, *, people: tuple[str, ...], is_group: bool) -> Json:
    if given.get("mention") is None:
        raise content("mention_range needs a mention")
    if not is_group:
        raise Problem(409, 2023, "Mentions are only supported in group chats")
    handle = fields.handle(given["mention"], "mention")
    if handle not in people:
        raise content("A mention must be a participant of the chat")
    span = (0, utf16_length(text))
    if given.get("mention_range") is not None:
        span = _span(given["mention_range"], text, "mention_range")
    return {
        "mention": handle,
        "mention_range": list(span),
        "mentions": [{"handle": handle, "is_me": handle == people[0], "range": list(span)}],
    }


def _stickers(given: Any, text: str, decorated: list[Span], vault: Vault) -> list[Json]:
    stickers = fields.listing(given, "inline_stickers", least=0, most=MOST_STICKERS)
    read = [_sticker(one, text, vault) for one in stickers]
    spans = sorted(span for span, _ in read)
    if any(second[0] < first[1] for first, second in pairwise(spans)):
        raise content("Inline stickers may not overlap")
    if any(start < end_ and start_ < end for start, end in spans for start_, end_ in decorated):
        raise content("An inline sticker may not overlap a decoration")
    if len({file.id for _, file in read}) > MOST_STICKER_IMAGES:
        raise content(f"At most {MOST_STICKER_IMAGES} different sticker images")
    return [
        {
            "range": list(span),
            "id": file.id,
            "file_name": file.name,
            "mime_type": file.content_type,
            "url": vault.download_url(file),
        }
        for span, file in read
    ]


def _sticker(given: Any, text: str, vault: Vault) -> tuple[Span, File]:
    if not isinstance(given, dict):
        raise content("An inline sticker must be an object")
    span = _span(given.get("range"), text, "An inline sticker's range")
    units = text.encode("utf-16-le")
    if any(0xDC <= units[2 * edge + 1] <= 0xDF for edge in span if 2 * edge < len(units)):
        raise content("An inline sticker may not split a character")
    return span, read_image(given, vault, ("url", "attachment_id"))


def read_image(given: Json, vault: Vault, names: tuple[str, ...]) -> File:
    """The stored image that exactly one of these fields names."""
    named = [name for name in names if given.get(name) is not None]
    if len(named) != 1:
        raise content(f"Exactly one of {', '.join(names)} is needed")
    if named == ["url"]:
        file = vault.of_url(str(given["url"]))
        if file is None:
            raise content("The image must be stored with Linq first")
        file = vault.ready(file.id)
    else:
        file = vault.ready(fields.uuid(given["attachment_id"], "attachment_id"))
    if not file.content_type.startswith("image/"):
        raise Problem(400, 5004, "A sticker must be an image")
    return file
