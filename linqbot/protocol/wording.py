"""Text -> a text part in Linq's JSON (linq-api-v3.md section 6.1)."""

from __future__ import annotations

from typing import Any

from linqbot.replies import Decoration, Text
from linqbot.replies.spans import StickerSpan


def text_part(text: Text) -> dict[str, Any]:
    """The part as Linq reads it: the value as it is, and the fields that are there."""
    part: dict[str, Any] = {"type": "text", "value": text.value}
    if text.decorations:
        part["text_decorations"] = [_decoration(one) for one in text.decorations]
    if text.mention:
        part["mention"] = text.mention.handle
        part["mention_range"] = [text.mention.start, text.mention.end]
    if text.stickers:
        part["inline_stickers"] = [_sticker(one) for one in text.stickers]
    return part


def _decoration(one: Decoration) -> dict[str, Any]:
    kind = {"style": one.style} if one.animation is None else {"animation": one.animation}
    return {"range": [one.start, one.end], **kind}


def _sticker(one: StickerSpan) -> dict[str, Any]:
    image = {"url": one.url} if one.attachment_id is None else {"attachment_id": one.attachment_id}
    return {"range": [one.start, one.end], **image}
