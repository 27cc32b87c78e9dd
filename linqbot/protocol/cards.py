"""AppCard, AppClip -> message parts, in Linq's own words (linq-api-v3.md section 6.1)."""

from __future__ import annotations

from typing import Any

from linqbot.protocol.pieces import whole_characters
from linqbot.replies import AppCard, AppClip
from linqbot.replies.app import CAPTIONS, IMAGE_WORDS


def card_part(card: AppCard | AppClip) -> dict[str, Any]:
    """The part that a card is; what was not given is left out."""
    if isinstance(card, AppClip):
        return {"type": "app_clip", "value": card.url, **_given(card, "caption")}
    return {
        "type": "imessage_app",
        "app": _given(card, "name", "team_id", "bundle_id", "app_store_id"),
        "layout": _given(card, *CAPTIONS, "image_url", *IMAGE_WORDS),
        **_given(card, "url", "fallback_text"),
        "interactive": card.interactive,
    }


def _given(card: AppCard | AppClip, *names: str) -> dict[str, Any]:
    values = {name: getattr(card, name) for name in names}
    return {
        name: whole_characters(value) if isinstance(value, str) else value
        for name, value in values.items()
        if value is not None
    }


__all__ = ["card_part"]
